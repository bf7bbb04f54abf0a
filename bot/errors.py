"""Everything Tocsin raises on purpose.

TocsinError
├── ConfigError          the configuration can't be used; carries every problem found
├── QueryError           a query that can't be meant; shows where
├── StoreError           the store can't do what was asked
│   ├── StoreLocked      another process holds it
│   ├── StoreDamaged     bytes that are not a store, or a store cut short
│   ├── StoreTooNew      written by a newer Tocsin
│   ├── StoreFull        the disk refused the write; nothing was acknowledged
│   └── LeaseLost        the claim was taken over; the late holder's work is dropped
│       └── NotElected   another process does now what only one may do
└── SourceError          a source the operator named can't be read at all

Expected outcomes of a fetch or a send are values (`bot.model`), not exceptions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class TocsinError(Exception):
    """One line that says what is wrong and what to do next; safe to show to a person."""


class ConfigError(TocsinError):
    """Every problem of a configuration at once, each with its key path and line."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(self.problems))


class QueryError(TocsinError):
    """A query that can't be meant: `text[position]` is where it goes wrong.

    `position` counts characters of `text` from 0; `suggestion` is a query that would be accepted, or "".
    """

    def __init__(self, message: str, text: str, position: int, suggestion: str = "") -> None:
        self.message = message
        self.text = text
        self.position = position
        self.suggestion = suggestion
        super().__init__(message)


class StoreError(TocsinError):
    """The store can't do what was asked."""


class StoreLocked(StoreError):
    """Another process holds the store; the message names it."""


class StoreDamaged(StoreError):
    """The bytes are not a store, or were cut short; the message says how to repair."""


class StoreTooNew(StoreError):
    """A newer Tocsin wrote this store; the message names both versions."""


class StoreFull(StoreError):
    """The disk refused the write. Nothing of the transaction was acknowledged or kept."""


class LeaseLost(StoreError):
    """The claim ran out and was taken over; what the late holder did is not recorded."""


class NotElected(LeaseLost):
    """What only one process at a time may do is another's now; nothing of this was recorded."""


class SourceError(TocsinError):
    """A source that was named on the command line can't be read; names it and says why."""

"""What became of the entries that matched: one definition for `/status`, `tocsin status` and the page.

Every match leaves one row in the outbox (alerts/outbox.py), and every row is in exactly one place of the account, so
that matched = rung + grown + developed + folded + held + muted + failed, for one chat and for all
(docs/glossary.md has each word).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, assert_never

from bot.model import DeliveryKind, DeliveryState

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from bot.model import Tally


@dataclass(slots=True)
class Account:
    """Rows of the outbox by what became of them."""

    rung: int = 0
    grown: int = 0
    developed: int = 0
    folded: int = 0
    #: not settled yet, for whatever reason
    held: int = 0
    muted: int = 0
    failed: int = 0
    #: of those held: due now or being sent; waiting for a second outlet. The rest waits for a time
    on_the_way: int = 0
    waiting: int = 0
    #: beside what matched: entries that joined a story told here without a word of its own, and changed headlines
    joined: int = 0
    corrected: int = 0

    @property
    def matched(self) -> int:
        """The whole, of which every match is one part."""
        return self.rung + self.grown + self.developed + self.folded + self.held + self.muted + self.failed

    @property
    def sent(self) -> int:
        """What made a message or changed one."""
        return self.rung + self.grown + self.developed


def account(counts: Mapping[Tally, int]) -> Account:
    """The account of what `Outbox.counts` gives."""
    sums = Account()
    for tally, count in counts.items():
        if tally.kind is DeliveryKind.CORRECT:
            sums.corrected += count
        elif not tally.matched:
            sums.joined += count
        else:
            _enter(sums, tally, count)
    return sums


def _enter(sums: Account, tally: Tally, count: int) -> None:
    match tally.state:
        case DeliveryState.SENT:
            sums.rung += count if tally.kind is DeliveryKind.RING else 0
            sums.grown += count if tally.kind is DeliveryKind.GROW else 0
            sums.developed += count if tally.kind is DeliveryKind.DEVELOP else 0
        case DeliveryState.FOLDED:
            sums.folded += count
        case DeliveryState.MUTED:
            sums.muted += count
        case DeliveryState.DEAD:
            sums.failed += count
        case DeliveryState.DUE:
            sums.held += count
            sums.on_the_way += 0 if tally.held else count
        case DeliveryState.WAITING:
            sums.held += count
            sums.waiting += count
        case _:
            assert_never(tally.state)


def monday(now: datetime) -> datetime:
    """Since when everything is accounted for: the start of the week (UTC)."""
    return (now - timedelta(days=now.weekday())).replace(hour=0, minute=0, second=0, microsecond=0)

"""What the index is made of: places with the keys that match there, and what hangs below them.

A million subscriptions are a few hundred thousand places, so that every byte of one counts: what is absent is None.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, NamedTuple, Self

from bot.subscriptions.conditions import All, Condition, No, Some, leaves

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bot.subscriptions.conditions import Alternative

    _Keys = array[int]
else:
    _Keys = array  # Python 3.11 knows no array[int]

Terms = tuple[str, ...]


class Place(_Keys):
    """The keys that match when it is reached, in ascending order, and what hangs below."""

    __slots__ = ("below", "home", "uses")

    below: Below | None
    #: what query ends here: a term, or a query of several; None where none does
    home: str | Home | None
    #: how many queries and tests need this term to be looked for
    uses: int

    def __new__(cls) -> Self:
        self: Self = super().__new__(cls, "q")  # type: ignore[assignment]  # the stub of array knows no subclasses
        self.below, self.home, self.uses = None, None, 0
        return self

    # Places are told apart by identity, not by their keys.
    __hash__ = object.__hash__  # type: ignore[assignment]  # the stub says that arrays have none
    __eq__ = object.__eq__

    def unused(self) -> bool:
        """Whether nothing ends here or hangs below."""
        return not self and self.home is None and self.below is None


class Home(NamedTuple):
    """Where a query of several terms hangs: each way down from term to term, and what must not have fired."""

    paths: tuple[tuple[Terms, Terms], ...]
    #: the query itself, where it is too branched to be laid out; then it is checked wherever one of the terms fires
    tree: Condition | None

    @property
    def alone(self) -> bool:
        """Whether it has one path without conditions: its place is the end of that."""
        return self.tree is None and len(self.paths) == 1 and not self.paths[0][1]

    def terms(self) -> set[str]:
        """All terms that must be looked for."""
        if self.tree is not None:
            return {leaf.key for leaf in leaves(self.tree)}
        return {term for path, unwanted in self.paths for term in (*path, *unwanted)}

    def text(self) -> str:
        """As `canonical` gave it."""
        return canonical(self.paths, self.tree)


def canonical(laid: Iterable[Alternative | tuple[Terms, Terms]], tree: Condition | None) -> str:
    """One text for all queries of one meaning."""
    if tree is not None:
        return _shape(tree)
    return "\1".join(
        sorted("\2".join(sorted(wanted)) + "\3" + "\2".join(sorted(unwanted)) for wanted, unwanted in laid)
    )


def _shape(tree: Condition) -> str:
    match tree:
        case All(parts) | Some(parts):
            return f"{type(tree).__name__}({','.join(map(_shape, parts))})"
        case No(part):
            return f"No({_shape(part)})"
        case _:
            return tree.key


class Below:
    """What hangs below a place."""

    __slots__ = ("ands", "either", "nots", "rest")

    def __init__(self) -> None:
        #: another term that must have fired → the next place
        self.ands: dict[str, Place] | None = None
        #: a term that must not have fired → what matches then
        self.nots: dict[str, Place] | None = None
        #: what hangs in several places (OR), and so is reached more than once
        self.either: dict[Place, None] | None = None
        #: what matches unless one of the terms fired, and where the condition holds, if there is one
        self.rest: dict[tuple[Place, Terms], Condition | None] | None = None

    def hang(self, place: Place, unwanted: Terms, home: Home) -> None:
        """Hangs a place of its own (`Home.alone` ones are an end of `ands`)."""
        if home.tree is None and len(home.paths) == 1 and len(unwanted) == 1:
            self.nots = self.nots or {}
            self.nots[unwanted[0]] = place
        elif home.tree is None and not unwanted:
            self.either = self.either or {}
            self.either[place] = None
        else:
            self.rest = self.rest or {}
            self.rest[place, unwanted] = home.tree

    def take(self, place: Place, unwanted: Terms, home: Home) -> None:
        """Takes off what `hang` hung with the same arguments."""
        if home.tree is None and len(home.paths) == 1 and len(unwanted) == 1:
            (self.nots or {}).pop(unwanted[0])
        elif home.tree is None and not unwanted:
            (self.either or {}).pop(place)
        else:
            (self.rest or {}).pop((place, unwanted))

    def empty(self) -> bool:
        """Whether nothing hangs here any more."""
        return not (self.ands or self.nots or self.either or self.rest)


class Numbered:
    """Key → place. Keys that run on from 0 without great gaps cost eight bytes each, others what a dict costs."""

    __slots__ = ("_count", "_others", "_row")

    def __init__(self) -> None:
        self._row: list[Place | None] = []
        self._others: dict[int, Place] = {}
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def get(self, key: int) -> Place | None:
        """The place, or None."""
        if 0 <= key < len(self._row):
            place = self._row[key]
            if place is not None:
                return place
        return self._others.get(key) if self._others else None

    def set(self, key: int, place: Place) -> None:
        """Puts a key that is not there."""
        row = self._row
        if len(row) <= key <= 2 * self._count + 1024:
            row.extend([None] * (key + 1 - len(row)))
        if 0 <= key < len(row):
            row[key] = place
        else:
            self._others[key] = place
        self._count += 1

    def pop(self, key: int) -> Place | None:
        """Takes a key out; None when it is not there."""
        place = self.get(key)
        if place is not None:
            self._count -= 1
            if self._others.pop(key, None) is None:
                self._row[key] = None
        return place

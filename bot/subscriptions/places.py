"""What the index is made of: places with the keys that match there, and what hangs below them.

A million subscriptions are a few hundred thousand places, so that every byte of one counts: what is absent is None.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from typing import TYPE_CHECKING, NamedTuple, Self

from bot.subscriptions.conditions import All, Condition, No, Some, leaves

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bot.subscriptions.conditions import Alternative

    Keys = array[int]
else:
    Keys = array  # Python 3.11 knows no array[int]

Terms = tuple[str, ...]

#: one key in so many taken away: then it is quicker to ask each than to search for those
_MANY = 12


class Place(Keys):
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
    tree: Condition | None = None

    @property
    def alone(self) -> bool:
        """Whether it has one path without conditions: its place is the end of that."""
        return self.tree is None and len(self.paths) == 1 and not self.paths[0][1]

    @property
    def flat(self) -> bool:
        """Whether its keys lie at the ends of its paths: no two of them end in one place, where a guard speaks for both."""
        return self.tree is None and len({way for way, _ in self.paths}) == len(self.paths)

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


class Below(set[str]):
    """What hangs below a place; as a set, the terms that make a difference here (`ands` and `guards`)."""

    __slots__ = ("ands", "guards", "keys", "often", "rest")

    def __init__(self) -> None:
        super().__init__()
        #: another term that must have fired → the next place
        self.ands: dict[str, Place] = {}
        #: keys that match here unless a guard fires, in ascending order: one run of memory, where their places lie far apart
        self.keys: Keys | None = None
        #: the same of queries that hang in several places (OR), and so may be found more than once
        self.often: Keys | None = None
        #: a term that must not have fired → the places whose keys it takes away
        self.guards: dict[str, tuple[Place, ...]] | None = None
        #: what matches unless one of the terms fired, and where the condition holds, if there is one
        self.rest: dict[tuple[Place, Terms], Condition | None] | None = None

    def then(self, term: str) -> Place:
        """The place to go on at where the term fired too, made where it is missing."""
        place = self.ands.get(term)
        if place is None:
            place = self.ands[term] = Place()
            self.add(term)
        return place

    def cut(self, term: str) -> None:
        """Takes away what `then` gave."""
        del self.ands[term]
        self._settle(term)

    def hang(self, place: Place, unwanted: Terms, home: Home) -> None:
        """Hangs a place of its own (`Home.alone` ones are what `then` gives)."""
        if not home.flat:
            self.rest = self.rest or {}
            self.rest[place, unwanted] = home.tree
            return
        for term in unwanted:
            self.guards = self.guards or {}
            self.guards[term] = (*self.guards.get(term, ()), place)
            self.add(term)

    def take(self, place: Place, unwanted: Terms, home: Home) -> None:
        """Takes off what `hang` hung with the same arguments."""
        if not home.flat:
            (self.rest or {}).pop((place, unwanted))
            return
        for term in unwanted:
            guards = self.guards or {}
            guards[term] = tuple(other for other in guards[term] if other is not place)
            if not guards[term]:
                del guards[term]
                self._settle(term)

    def _settle(self, term: str) -> None:
        if term not in self.ands and term not in (self.guards or {}):
            self.remove(term)

    def row(self, home: Home) -> Keys:
        """Where the keys of a flat query lie."""
        if len(home.paths) == 1:
            self.keys = array("q") if self.keys is None else self.keys
            return self.keys
        self.often = array("q") if self.often is None else self.often
        return self.often

    def gone(self, fired: set[str]) -> list[int]:
        """The keys that fired terms take away, in ascending order."""
        guards = self.guards or {}
        return sorted(set().union(*[place for term in guards.keys() & fired for place in guards[term]]))

    def empty(self) -> bool:
        """Whether nothing hangs here any more."""
        return not (self or self.keys or self.often or self.rest)


def without(keys: Keys | None, gone: list[int]) -> list[Keys | memoryview]:
    """The keys, but for those of `gone`; both are in ascending order."""
    if not keys:
        return []
    if len(gone) * _MANY > len(keys):
        return [array("q", set(keys).difference(gone))]
    view, kept, start = memoryview(keys), [], 0
    for key in gone:
        at = bisect_left(keys, key, start)
        if at < len(keys) and keys[at] == key:
            kept.append(view[start:at])
            start = at + 1
    return [*kept, view[start:]]


def put(keys: Keys, key: int) -> None:
    """Puts a key in its place; most are the greatest so far."""
    if keys and keys[-1] > key:
        keys.insert(bisect_left(keys, key), key)
    else:
        keys.append(key)


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

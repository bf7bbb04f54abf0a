"""Which subscriptions does an entry match? A million of them are asked at once.

The index turns the question round. An entry fires some of the terms that anybody subscribed to (`_fire`: a few set
intersections, however many terms there are), and every query hangs below a term without which it can't match:

    term ── keys of those who asked for just this term
      └─ and ── a second term, where it fired too ── keys …        (nested: one step for each term of an AND)
           └─ keys, unless one of these terms fired (NOT)
    A query with OR hangs in several places, and is counted once.

Identical queries are one entry of the index, with many keys. Adding and removing touch the places of that one query.
`matches` and `hits` ask the same leaves (`leaves.Leaf`) about one document, so that they can't disagree with the index.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from functools import lru_cache
from typing import TYPE_CHECKING

from bot.model import Hit
from bot.subscriptions.common import is_common
from bot.subscriptions.conditions import (
    Alternative,
    Condition,
    alternatives,
    condition,
    holds,
    leaves,
    plain,
    required,
)
from bot.subscriptions.document import Document, document
from bot.subscriptions.leaves import compile_leaf
from bot.subscriptions.nodes import And, InTitle, Not, Or
from bot.subscriptions.places import Below, Home, Numbered, Place, canonical, put, without
from bot.subscriptions.query import parse_query, print_leaf
from bot.subscriptions.terms import Terms, is_facet

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from bot.model import SubscriptionChange
    from bot.subscriptions.leaf import Leaf
    from bot.subscriptions.nodes import Expr, Query
    from bot.subscriptions.places import Keys

__all__ = ["Document", "SubscriptionIndex", "document", "hits", "matches"]


class SubscriptionIndex:
    """Subscriptions by number, each with its query; `match` says which of them an entry rings for.

    Not for use from several threads at once.
    """

    def __init__(self) -> None:
        self._by_key = Numbered()
        self._terms = Terms()
        self._queries: dict[str, Place] = {}

    def __len__(self) -> int:
        return len(self._by_key)

    def __contains__(self, key: int) -> bool:
        return self._by_key.get(key) is not None

    def add(self, key: int, query: Query) -> None:
        """Adds a subscription; one of the same key is replaced."""
        if self._by_key.get(key) is not None:
            self.remove(key)
        place = self._file(query)
        for keys in self._rows(place):
            put(keys, key)
        self._by_key.set(key, place)

    def remove(self, key: int) -> bool:
        """Takes a subscription out; False when there is none."""
        place = self._by_key.pop(key)
        if place is None:
            return False
        for keys in self._rows(place):
            del keys[bisect_left(keys, key)]
        if not place:
            self._unfile(place)
        return True

    def follow(self, changes: Iterable[SubscriptionChange]) -> int:
        """Applies changes of the subscription table, oldest first; the number of the last, 0 when there was none."""
        version = 0
        for change in changes:
            if change.subscription is None:
                self.remove(change.id)
            else:
                self.add(change.id, parse_query(change.subscription.query))
            version = change.version
        return version

    def match(self, doc: Document) -> Sequence[int]:
        """The keys whose query matches, each once, in no order that means anything."""
        fired = self._terms.fire(doc)
        reached = list(map(self._terms.places.__getitem__, fired))
        found: list[Keys | memoryview] = []
        often: list[Keys | memoryview] = []
        for place in reached:  # grows while it is walked
            below = place.below
            if below is None:
                continue
            # At most places no second term fires: to find that out must cost next to nothing.
            if fired.isdisjoint(below):
                if below.keys is not None:
                    found.append(below.keys)
                if below.often is not None:
                    often.append(below.often)
            else:
                reached += [below.ands[term] for term in below.ands.keys() & fired]
                gone = below.gone(fired)
                found += without(below.keys, gone)
                often += without(below.often, gone)
            if below.rest is not None:
                often += _remaining(below.rest, fired)
        found += reached
        if often:
            found.append(array("q", set(memoryview(b"".join(often)).cast("q"))))
        return memoryview(b"".join(found)).cast("q")

    def _rows(self, place: Place) -> list[Keys]:
        """Where the keys of a query stand."""
        home = place.home
        if not isinstance(home, Home) or home.alone or not home.flat:
            return [place]
        return [place, *[self._below(self._walk(way)).row(home) for way, _ in home.paths]]

    def _file(self, query: Query) -> Place:
        """The place of the query's keys; made when it is the first of its kind."""
        if not isinstance(query.expr, And | Or | Not | InTitle):
            return self._file_leaf(compile_leaf(query.expr))
        tree: Condition | None = None
        laid: set[Alternative] | None
        if (flat := plain(query.expr)) is not None:
            laid, terms = flat
        else:
            tree = condition(query.expr)
            laid, terms = alternatives(tree), {leaf.key: leaf for leaf in leaves(tree)}
        if laid is not None and len(laid) == 1:
            (only,) = laid
            if len(only.wanted) == 1 and not only.unwanted:
                return self._file_leaf(terms[next(iter(only.wanted))])
        text = canonical(laid or (), tree if laid is None else None)
        place = self._queries.get(text)
        if place is None:
            needed = terms.keys() if laid is None else {term for each in laid for term in each.wanted | each.unwanted}
            for term in needed:
                self._terms.use(terms[term])
            place = self._queries[text] = self._hang(tree, laid)
        return place

    def _file_leaf(self, leaf: Leaf) -> Place:
        place = self._terms.places.get(leaf.key)
        if place is None or place.home is None:
            place = self._terms.use(leaf)
            place.home = leaf.key
        return place

    def _hang(self, tree: Condition | None, laid: set[Alternative] | None) -> Place:
        """Lays a query of several terms out."""
        if laid is None:
            home = Home(tuple(((term,), ()) for term in (tree and required(tree)) or ()), tree)
        else:
            home = Home(
                tuple((tuple(sorted(each.wanted, key=self._rarity)), tuple(sorted(each.unwanted))) for each in laid),
            )
        if home.alone:
            # The place itself is the end of the path.
            place = self._walk(home.paths[0][0])
        else:
            place = Place()
            for way, unwanted in home.paths:
                self._below(self._walk(way)).hang(place, unwanted, home)
        place.home = home
        return place

    def _walk(self, path: tuple[str, ...]) -> Place:
        """The place at the end of a path, made where it is missing."""
        place = self._terms.places[path[0]]
        for term in path[1:]:
            place = self._below(place).then(term)
        return place

    @staticmethod
    def _below(place: Place) -> Below:
        if place.below is None:
            place.below = Below()
        return place.below

    def _rarity(self, term: str) -> tuple[bool, bool, int, int]:
        """Sorts the rarest first: what many ask for is much in the news, and facets hold for every entry."""
        return (is_facet(term), is_common(term, "en"), len(self._terms.places[term]), -len(term))

    def _unfile(self, place: Place) -> None:
        """Takes out a query that nobody asks for any more, and what was there for it alone."""
        home, place.home = place.home, None
        if not isinstance(home, Home):
            self._terms.disuse(home or "")
            return
        del self._queries[home.text()]
        for path, unwanted in home.paths:
            way = [self._walk(path[:i]) for i in range(1, len(path) + 1)]
            if not home.alone:
                self._below(way[-1]).take(place, unwanted, home)
            _prune(way, path)
        for term in home.terms():
            self._terms.disuse(term)


def _prune(way: list[Place], path: tuple[str, ...]) -> None:
    """Takes what became empty off a path, from its end."""
    for i in range(len(way) - 1, -1, -1):
        below = way[i].below
        if below is not None and below.empty():
            way[i].below = None
        if i and way[i].unused() and (above := way[i - 1].below) is not None:
            above.cut(path[i])


def _remaining(rest: dict[tuple[Place, tuple[str, ...]], Condition | None], fired: set[str]) -> list[Place]:
    """What of `Below.rest` matches."""
    return [
        place
        for (place, unwanted), tree in rest.items()
        if fired.isdisjoint(unwanted) and (tree is None or holds(tree, lambda leaf: leaf.key in fired))
    ]


# ---------------------------------------------------------------- one query, one document


@lru_cache(maxsize=4096)
def _compiled(expr: Expr) -> Condition:
    return condition(expr)


def matches(query: Query, doc: Document) -> bool:
    """Whether the document matches; `min:` is not asked, since it speaks of the story."""
    return holds(_compiled(query.expr), lambda leaf: leaf.holds(doc))


def hits(query: Query, doc: Document) -> tuple[Hit, ...] | None:
    """Which terms hit, and where in `Entry.texts()`, in reading order; None when the document does not match."""
    if not matches(query, doc):
        return None
    found: dict[Hit, None] = {}
    for term, leaf in _wanted(query.expr):
        found.update(dict.fromkeys(Hit(term, *span) for span in leaf.spans(doc)))
    order = {field: i for i, (field, _) in enumerate(doc.texts)}
    return tuple(sorted(found, key=lambda hit: (order[hit.field], hit.start, hit.end)))


def _wanted(expr: Expr, *, title: bool = False, negated: bool = False) -> Iterator[tuple[str, Leaf]]:
    """The terms that are to be found, as printed, with their leaves."""
    match expr:
        case And(parts) | Or(parts):
            for part in parts:
                yield from _wanted(part, title=title, negated=negated)
        case Not(inner):
            yield from _wanted(inner, title=title, negated=not negated)
        case InTitle(inner):
            yield from _wanted(inner, title=True, negated=negated)
        case _ if not negated:
            yield print_leaf(expr), compile_leaf(expr, title=title)

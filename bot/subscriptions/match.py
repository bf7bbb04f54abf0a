"""Which subscriptions does an entry match? A million of them are asked at once.

The index turns the question round. An entry fires some of the terms that anybody subscribed to (`_fire`: a few set
intersections, however many terms there are), and every query hangs below a term without which it can't match:

    term ── keys of those who asked for just this term
      └─ and ── a second term, where it fired too ── keys …        (nested: one step for each term of an AND)
           └─ but not ── keys, unless one of these terms fired
    A query with OR hangs in several places and is counted once.

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
from bot.subscriptions.conditions import Alternative, Condition, alternatives, condition, holds, leaves, required
from bot.subscriptions.document import Document, document
from bot.subscriptions.leaves import Leaf, compile_leaf
from bot.subscriptions.nodes import And, InTitle, Not, Or
from bot.subscriptions.query import parse_query, print_leaf, print_query
from bot.subscriptions.terms import Below, Home, Place, Terms, is_facet

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from bot.model import SubscriptionChange
    from bot.subscriptions.nodes import Expr, Query

__all__ = ["Document", "SubscriptionIndex", "document", "hits", "matches"]


class SubscriptionIndex:
    """Subscriptions by number, each with its query; `match` says which of them an entry rings for.

    Not for use from several threads at once.
    """

    def __init__(self) -> None:
        self._by_key: dict[int, Place] = {}
        self._terms = Terms()
        self._queries: dict[str, Place] = {}

    def __len__(self) -> int:
        return len(self._by_key)

    def __contains__(self, key: int) -> bool:
        return key in self._by_key

    def add(self, key: int, query: Query) -> None:
        """Adds a subscription; one of the same key is replaced."""
        if key in self._by_key:
            self.remove(key)
        place = self._file(query)
        if place and place[-1] > key:
            place.insert(bisect_left(place, key), key)
        else:
            place.append(key)
        self._by_key[key] = place

    def remove(self, key: int) -> bool:
        """Takes a subscription out; False when there is none."""
        place = self._by_key.pop(key, None)
        if place is None:
            return False
        del place[bisect_left(place, key)]
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
        found = array("q")
        several: set[Place] = set()
        reached = list(map(self._terms.places.__getitem__, fired))
        for place in reached:  # grows while it is walked
            if place:
                found.extend(place)
            below = place.below
            if below is None:
                continue
            if below.ands:
                reached += map(below.ands.__getitem__, below.ands.keys() & fired)
            for unwanted, other in below.nots.items():
                if fired.isdisjoint(unwanted):
                    found.extend(other)
            if below.shared:
                several.update([other for unwanted, other in below.shared if fired.isdisjoint(unwanted)])
            for other, wanted in below.checked.items():
                if holds(wanted, lambda leaf: leaf.key in fired):
                    several.add(other)
        for place in several:
            found.extend(place)
        return found

    def _file(self, query: Query) -> Place:
        """The place of the query's keys; made when it is the first of its kind."""
        tree = condition(query.expr)
        if isinstance(tree, Leaf):
            return self._file_leaf(tree)
        laid = alternatives(tree)
        terms = {leaf.key: leaf for leaf in leaves(tree)}
        if laid is not None and len(laid) == 1:
            (only,) = laid
            if len(only.wanted) == 1 and not only.unwanted:
                # Several ways to type one term.
                return self._file_leaf(terms[next(iter(only.wanted))])
        text = _canonical(laid) if laid is not None else print_query(query)
        place = self._queries.get(text)
        if place is None:
            for leaf in terms.values():
                self._terms.use(leaf)
            place = self._queries[text] = self._hang(tree, laid, text, tuple(terms))
        return place

    def _file_leaf(self, leaf: Leaf) -> Place:
        place = self._terms.places.get(leaf.key)
        if place is None or place.home is None:
            place = self._terms.use(leaf)
            place.home = leaf.key
        return place

    def _hang(self, tree: Condition, laid: set[Alternative] | None, text: str, terms: tuple[str, ...]) -> Place:
        place = Place()
        if laid is None:
            at = required(tree) or frozenset()
            for term in at:
                _below(self._terms.places[term]).checked[place] = tree
            place.home = Home(text, terms, (), at)
            return place
        paths = tuple((tuple(sorted(each.wanted, key=self._rarity)), tuple(sorted(each.unwanted))) for each in laid)
        for path, unwanted in paths:
            if len(paths) > 1:
                _below(self._walk(path)).shared[unwanted, place] = None
            elif unwanted:
                _below(self._walk(path)).nots[unwanted] = place
            else:
                last = _below(self._walk(path[:-1])).ands.get(path[-1])
                if last is None:
                    last = place
                    _below(self._walk(path[:-1])).ands[path[-1]] = place
                place = last
        place.home = Home(text, terms, paths)
        return place

    def _walk(self, path: tuple[str, ...]) -> Place:
        """The place at the end of a path, made where it is missing."""
        place = self._terms.places[path[0]]
        for term in path[1:]:
            ands = _below(place).ands
            place = ands.setdefault(term, Place()) if term not in ands else ands[term]
        return place

    def _rarity(self, term: str) -> tuple[bool, bool, int, int]:
        """Sorts the rarest first: what many ask for is much in the news, and facets hold for every entry."""
        return (is_facet(term), is_common(term, "en"), len(self._terms.places[term]), -len(term))

    def _unfile(self, place: Place) -> None:
        """Takes out a query that nobody asks for any more, and what was there for it alone."""
        home, place.home = place.home, None
        if not isinstance(home, Home):
            self._terms.disuse(home or "")
            return
        del self._queries[home.text]
        for term in home.checked:
            top = self._terms.places[term]
            _below(top).checked.pop(place)
            _prune([(top, "")])
        for path, unwanted in home.paths:
            way = [(self._terms.places[path[0]], "")]
            for term in path[1:]:
                way.append((_below(way[-1][0]).ands[term], term))
            below = way[-1][0].below
            if below is not None:
                below.shared.pop((unwanted, place), None)
                if below.nots.get(unwanted) is place:
                    del below.nots[unwanted]
            _prune(way)
        for term in home.terms:
            self._terms.disuse(term)


def _below(place: Place) -> Below:
    if place.below is None:
        place.below = Below()
    return place.below


def _prune(way: list[tuple[Place, str]]) -> None:
    """Takes what became empty off a path, from its end."""
    for i in range(len(way) - 1, -1, -1):
        place, term = way[i]
        if place.below is not None and not place.below:
            place.below = None
        if i and place.below is None and not place and place.home is None:
            _below(way[i - 1][0]).ands.pop(term, None)


def _canonical(laid: set[Alternative]) -> str:
    """One text for all queries of one meaning."""
    return "\1".join(sorted("\2".join(sorted(each.wanted)) + "\3" + "\2".join(sorted(each.unwanted)) for each in laid))


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

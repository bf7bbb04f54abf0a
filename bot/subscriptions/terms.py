"""The terms that anybody subscribed to, and which of them a document has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.subscriptions.inflection import asked, inflects
from bot.subscriptions.leaves import Beginning
from bot.subscriptions.places import Place

if TYPE_CHECKING:
    from bot.subscriptions.document import Document
    from bot.subscriptions.leaf import Leaf


def is_facet(term: str) -> bool:
    """Whether it says where an entry comes from."""
    return term.startswith(("\0source:", "\0lang:", "\0tag:"))


def is_word(term: str) -> bool:
    """Whether it is a bare word, which is inflected."""
    return term[0] not in '\0"' and " " not in term


class Terms:
    """Term → place; `fire` looks up a document's words, and tests only what hangs at one that is there."""

    def __init__(self) -> None:
        self.places: dict[str, Place] = {}
        #: the keys of `places`; to intersect two sets takes half as long as a dictionary and a set
        self._known: set[str] = set()
        #: leaves that take a test, by key
        self._tested: dict[str, Leaf] = {}
        #: plain term → leaves to test where it fired
        self._triggers: dict[str, dict[str, Leaf]] = {}
        #: first three letters → leaves with such a beginning
        self._beginnings: dict[str, dict[str, Beginning]] = {}
        #: language → form → bare words that have the form and are another word
        self._inflected: dict[str, dict[str, list[str]]] = {}
        self._facets = 0

    def fire(self, doc: Document) -> set[str]:
        """The terms that the document has."""
        fired = self._known & doc.atoms
        if inflects(doc.language):
            inflected = self._inflected.get(doc.language)
            if inflected is None:
                inflected = self._learn(doc.language)
            fired.update(*map(inflected.__getitem__, inflected.keys() & doc.atoms))
        if self._facets:
            fired |= self._known & doc.facets
        if self._triggers:
            tested = [leaf for term in self._triggers.keys() & fired for leaf in self._triggers[term].values()]
            fired.update([leaf.key for leaf in tested if leaf.holds(doc)])
        if self._beginnings:
            heads = [(word, word[:3]) for word in doc.words]
            begun = [
                leaf
                for word, head in heads
                if head in self._beginnings
                for leaf in self._beginnings[head].values()
                if word.startswith(leaf.begins)
            ]
            fired.update([leaf.key for leaf in begun if leaf.holds(doc)])
        return fired

    def use(self, leaf: Leaf) -> Place:
        """The place of the leaf, looked for from now on."""
        place = self.places.get(leaf.key)
        if place is None:
            place = self._use(leaf.key)
            if leaf.triggers or isinstance(leaf, Beginning):
                self._tested[leaf.key] = leaf
            for trigger in leaf.triggers:
                self._triggers.setdefault(trigger, {})[leaf.key] = leaf
                self._use(trigger)
            if isinstance(leaf, Beginning) and leaf.begins:
                self._beginnings.setdefault(leaf.begins[:3], {})[leaf.key] = leaf
        else:
            place.uses += 1
        return place

    def _use(self, term: str) -> Place:
        place = self.places.get(term)
        if place is None:
            place = self.places[term] = Place()
            self._known.add(term)
            self._facets += is_facet(term)
            if is_word(term):
                for language, inflected in self._inflected.items():
                    for form in asked(term, language):
                        inflected.setdefault(form, []).append(term)
        place.uses += 1
        return place

    def disuse(self, term: str) -> None:
        """One query or test less needs the term; when none does, it is forgotten."""
        place = self.places[term]
        place.uses -= 1
        if place.uses:
            return
        del self.places[term]
        self._known.remove(term)
        self._facets -= is_facet(term)
        if is_word(term):
            for language, inflected in self._inflected.items():
                for form in asked(term, language):
                    inflected[form].remove(term)
                    if not inflected[form]:
                        del inflected[form]
        leaf = self._tested.pop(term, None)
        if leaf is None:
            return
        for trigger in leaf.triggers:
            _drop(self._triggers, trigger, term)
            self.disuse(trigger)
        if isinstance(leaf, Beginning) and leaf.begins:
            _drop(self._beginnings, leaf.begins[:3], term)

    def _learn(self, language: str) -> dict[str, list[str]]:
        """The bare words by their forms in a language; made when the first document in it comes."""
        inflected: dict[str, list[str]] = {}
        for term in filter(is_word, self.places):
            for form in asked(term, language):
                inflected.setdefault(form, []).append(term)
        self._inflected[language] = inflected
        return inflected


def _drop(table: dict[str, dict[str, Any]], first: str, second: str) -> None:
    inner = table[first]
    del inner[second]
    if not inner:
        del table[first]

"""Equality indexes over documents kept as JSON: which documents have this value in these fields."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Mapping


class _Index:
    """One index: value (or tuple of values) → one document id, or the set of them."""

    __slots__ = ("ids", "key", "odd")

    def __init__(self) -> None:
        self.ids: dict[Hashable, int | set[int]] = {}
        #: documents whose value can't be looked up (a list, an object): candidates of every look-up
        self.odd: set[int] = set()
        #: reads the index's key off a partially decoded document
        self.key: Callable[[Any], Any] = attrgetter("f0")

    def put(self, doc_id: int, key: Any) -> None:
        try:
            there = self.ids.setdefault(key, doc_id)
        except TypeError:
            self.odd.add(doc_id)
            return
        if there is not doc_id and there != doc_id:
            if isinstance(there, set):
                there.add(doc_id)
            else:
                self.ids[key] = {there, doc_id}

    def drop(self, doc_id: int, key: Any) -> None:
        try:
            there = self.ids.get(key)
        except TypeError:
            self.odd.discard(doc_id)
            return
        if isinstance(there, set):
            there.discard(doc_id)
            if len(there) == 1:
                self.ids[key] = there.pop()
        elif there == doc_id:
            del self.ids[key]


class Indexes:
    """All indexes of one table, kept with one partial decoding of each changed document."""

    def __init__(self) -> None:
        self._by_fields: dict[tuple[str, ...], _Index] = {}
        self._all: list[_Index] = []
        self._decode: Callable[[bytes], Any] | None = None

    def add(self, fields: tuple[str, ...], rows: Mapping[int, bytes]) -> None:
        """Indexes these fields together; nothing happens when that is done already."""
        if fields in self._by_fields:
            return
        added = self._by_fields[fields] = _Index()
        names = dict.fromkeys(name for those in self._by_fields for name in those)
        attributes = {name: f"f{i}" for i, name in enumerate(names)}
        described = [(attribute, Any, None) for attribute in attributes.values()]
        renamed = {attribute: name for name, attribute in attributes.items()}
        decode = msgspec.json.Decoder(msgspec.defstruct("Keys", described, rename=renamed)).decode
        for those, index in self._by_fields.items():
            index.key = attrgetter(*[attributes[name] for name in those])
        self._all = [*self._by_fields.values()]
        self._decode = decode
        for doc_id, raw in rows.items():
            key = added.key(decode(raw))
            if not _is_absent(key):
                added.put(doc_id, key)

    def change(self, doc_id: int, old: bytes | None, new: bytes | None) -> None:
        """Follows one document."""
        decode = self._decode
        if decode is None:
            return
        after = None if new is None else decode(new)
        if old is None:
            for index in self._all:
                key = index.key(after)
                if key is not None and not _is_absent(key):
                    index.put(doc_id, key)
            return
        before = decode(old)
        for index in self._all:
            old_key = index.key(before)
            new_key = None if after is None else index.key(after)
            if old_key is new_key or (old_key == new_key and after is not None):
                continue
            if not _is_absent(old_key):
                index.drop(doc_id, old_key)
            if not _is_absent(new_key):
                index.put(doc_id, new_key)

    def find(self, fields: tuple[str, ...], values: tuple[Hashable, ...]) -> Iterable[int]:
        """Documents that may have these values (all that have, and those that can't be indexed), in no order.

        Raises KeyError for fields without an index.
        """
        index = self._by_fields[fields]
        found = index.ids.get(values[0] if len(values) == 1 else values)
        if found is None:
            return index.odd
        ids = found if isinstance(found, set) else {found}
        return ids | index.odd if index.odd else ids

    def __contains__(self, fields: object) -> bool:
        return fields in self._by_fields


def _is_absent(key: Any) -> bool:
    """Documents without the field, or with null in it, are not looked up by it."""
    return key is None or (type(key) is tuple and None in key)

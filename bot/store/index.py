"""Equality indexes over documents kept as JSON: which documents have this value in these fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping

#: what is told of every change: document id, the document before (None: there was none), and after (None: removed)
Change = tuple[int, bytes | None, bytes | None]


class Indexes:
    """All indexes of one table, kept with one partial decoding of each changed document."""

    def __init__(self) -> None:
        #: fields → value (or tuple of values) → one document id, or the set of them
        self._ids: dict[tuple[str, ...], dict[Hashable, int | set[int]]] = {}
        #: documents whose value can't be looked up (a list, an object): candidates of every look-up
        self._odd: dict[tuple[str, ...], set[int]] = {}
        self._names: tuple[str, ...] = ()
        self._decoder: msgspec.json.Decoder[Any] | None = None

    def add(self, fields: tuple[str, ...], rows: Mapping[int, bytes]) -> None:
        """Indexes these fields together; nothing happens when that is done already."""
        if fields in self._ids:
            return
        self._ids[fields] = {}
        self._odd[fields] = set()
        self._names = tuple(dict.fromkeys([*self._names, *fields]))
        keys = [(f"f{i}", Any, None) for i in range(len(self._names))]
        renamed = {f"f{i}": name for i, name in enumerate(self._names)}
        self._decoder = msgspec.json.Decoder(msgspec.defstruct("Keys", keys, rename=renamed))
        for doc_id, raw in rows.items():
            self._put(fields, doc_id, self._values(raw))

    def _values(self, raw: bytes) -> dict[str, Any]:
        assert self._decoder is not None
        return dict(zip(self._names, msgspec.structs.astuple(self._decoder.decode(raw)), strict=True))

    def change(self, doc_id: int, old: bytes | None, new: bytes | None) -> None:
        """Follows one document."""
        if self._decoder is None:
            return
        before = None if old is None else self._values(old)
        after = None if new is None else self._values(new)
        for fields in self._ids:
            if before is not None and after is not None and all(before[name] == after[name] for name in fields):
                continue
            if before is not None:
                self._drop(fields, doc_id, before)
            if after is not None:
                self._put(fields, doc_id, after)

    def _put(self, fields: tuple[str, ...], doc_id: int, values: Mapping[str, Any]) -> None:
        key = _key(fields, values)
        if key is None:
            return
        ids = self._ids[fields]
        try:
            there = ids.get(key)
        except TypeError:
            self._odd[fields].add(doc_id)
            return
        if there is None:
            ids[key] = doc_id
        elif isinstance(there, set):
            there.add(doc_id)
        else:
            ids[key] = {there, doc_id}

    def _drop(self, fields: tuple[str, ...], doc_id: int, values: Mapping[str, Any]) -> None:
        key = _key(fields, values)
        if key is None:
            return
        ids = self._ids[fields]
        try:
            there = ids.get(key)
        except TypeError:
            self._odd[fields].discard(doc_id)
            return
        if isinstance(there, set):
            there.discard(doc_id)
            if len(there) == 1:
                ids[key] = there.pop()
        elif there == doc_id:
            del ids[key]

    def find(self, fields: tuple[str, ...], values: tuple[Hashable, ...]) -> Iterable[int]:
        """Documents that may have these values (all that have, and those that can't be indexed), in no order.

        Raises KeyError for fields without an index.
        """
        key: Hashable = values[0] if len(values) == 1 else values
        found = self._ids[fields].get(key)
        odd = self._odd[fields]
        if found is None:
            return odd
        ids = found if isinstance(found, set) else {found}
        return ids | odd if odd else ids

    def __contains__(self, fields: object) -> bool:
        return fields in self._ids


def _key(fields: tuple[str, ...], values: Mapping[str, Any]) -> Hashable | None:
    """None where a field is absent or null: such documents are not looked up by it."""
    if len(fields) == 1:
        value: Hashable | None = values[fields[0]]
        return value
    key = tuple(values[name] for name in fields)
    return None if None in key else key

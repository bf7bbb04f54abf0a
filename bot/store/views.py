"""How documents kept as JSON look to TinyDB: mappings that decode what is looked at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any

import msgspec

_decode = msgspec.json.Decoder().decode


class Rows(Mapping[str, dict[str, Any]]):
    """One table, read: ids as text, as TinyDB's storages give them."""

    def __init__(self, raw: Mapping[int, bytes]) -> None:
        self.raw = raw

    def __getitem__(self, doc_id: str) -> dict[str, Any]:
        document: dict[str, Any] = _decode(self.raw[int(doc_id)])
        return document

    def __iter__(self) -> Iterator[str]:
        return map(str, [*self.raw])

    def __len__(self) -> int:
        return len(self.raw)


class Shadow(MutableMapping[int, dict[str, Any]]):
    """One table, being changed: whatever was looked at or set is remembered, and the table itself is left alone."""

    def __init__(self, raw: Mapping[int, bytes]) -> None:
        self._raw = raw
        #: documents looked at or set; None: removed
        self.touched: dict[int, dict[str, Any] | None] = {}

    def __getitem__(self, doc_id: int) -> dict[str, Any]:
        if doc_id in self.touched:
            document = self.touched[doc_id]
            if document is None:
                raise KeyError(doc_id)
            return document
        found: dict[str, Any] = _decode(self._raw[doc_id])
        self.touched[doc_id] = found
        return found

    def __setitem__(self, doc_id: int, document: dict[str, Any]) -> None:
        self.touched[doc_id] = document

    def __delitem__(self, doc_id: int) -> None:
        if doc_id not in self:
            raise KeyError(doc_id)
        self.touched[doc_id] = None

    def __contains__(self, doc_id: object) -> bool:
        if doc_id in self.touched:
            return self.touched[doc_id] is not None
        return doc_id in self._raw

    def __iter__(self) -> Iterator[int]:
        for doc_id in [*self._raw]:
            if self.touched.get(doc_id, self) is not None:
                yield doc_id
        for doc_id, document in [*self.touched.items()]:
            if doc_id not in self._raw and document is not None:
                yield doc_id

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def clear(self) -> None:
        self.touched = dict.fromkeys(self._raw)

"""TinyDB that survives: a storage with a durable journal, and a table class that looks documents up by index.

    db = JournalDB("db.json")                                   # or TinyDB(path, storage=JournalStorage), slower
    stories = db.table("stories")
    stories.index("guid")
    with db.storage.transaction():                              # one record, all or nothing, over any tables
        stories.insert({"guid": "a", "title": "..."})
        db.table("seen").insert({"guid": "a"})
    stories.search(where("guid") == "a")                        # by the index, whatever the size

Every write is on disk when the call returns (append + fdatasync), at the cost of the change and not of the file. The
usual TinyDB API works unchanged, and stock `tinydb.TinyDB(path)` opens the snapshot after `compact()` or `close()`.
One process writes; more may read (`read_only=True`). Documents live in memory as JSON bytes, decoded when they are
read, so what a reader does to a document never reaches the store. Nothing here knows of news.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec
from tinydb import TinyDB
from tinydb.table import Document, Table

from bot.store.storage import JournalStorage
from bot.store.views import Rows, Shadow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, MutableMapping

    from tinydb.queries import QueryLike

__all__ = ["JournalDB", "JournalStorage", "JournalTable"]

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


class JournalTable(Table):
    """A TinyDB table whose writes cost what they change, with equality indexes.

    Queries use an index where they are, or join with `&`, comparisons of indexed fields with `==`.
    """

    default_query_cache_capacity = 0  # results are decoded afresh, so that nobody shares a document
    _storage: JournalStorage

    def __init__(self, storage: JournalStorage, name: str, cache_size: int = 0, persist_empty: bool = False) -> None:
        super().__init__(storage, name, cache_size=cache_size, persist_empty=persist_empty)
        self._indexes = storage.indexes_of(name)

    @property
    def rows(self) -> Mapping[int, bytes]:
        """The documents as JSON, by id; not to be changed."""
        return self._storage.tables.get(self.name) or {}

    def index(self, *fields: str) -> None:
        """Looks documents up by the values of these top-level fields together from now on."""
        self._indexes.add(fields, self.rows)

    def find(self, **equal: Any) -> list[int]:
        """Ids of the documents with these values, ascending; the fields as they were given to `index`.

        Raises KeyError without such an index.
        """
        return sorted(self._indexes.find(tuple(equal), tuple(equal.values())))

    def put(self, doc_id: int | None, raw: bytes) -> int:
        """Stores a document given as JSON, under the next id when None."""
        if doc_id is None:
            doc_id = self._storage.next_id(self.name)
        self._storage.put(self.name, doc_id, raw)
        return doc_id

    def drop(self, doc_id: int) -> None:
        """Removes a document by id."""
        self._storage.put(self.name, doc_id, None)

    # ------------------------------------------------------------ TinyDB's own

    def insert(self, document: Mapping[str, Any]) -> int:
        if type(document) is dict:
            doc_id = self._storage.next_id(self.name)
        elif isinstance(document, self.document_class):
            if (doc_id := document.doc_id) in self.rows:
                raise ValueError(f"Document with ID {doc_id} already exists")
            document = dict(document)
        elif isinstance(document, Mapping):
            doc_id = self._storage.next_id(self.name)
            document = dict(document)
        else:
            raise ValueError("Document is not a Mapping")  # what TinyDB raises
        self._storage.put(self.name, doc_id, _encode(document))
        return doc_id

    def insert_multiple(self, documents: Iterable[Mapping[str, Any]]) -> list[int]:
        with self._storage.transaction():
            return [self.insert(document) for document in documents]

    def _candidates(self, cond: QueryLike) -> list[int] | None:
        """Ids of which all matches are part; None when no index helps."""
        best: Iterable[int] | None = None
        for fields, value in _equalities(getattr(cond, "_hash", None)):
            if value is not None and fields in self._indexes:  # null and absent are not indexed
                try:
                    ids = self._indexes.find(fields, (value,))
                except TypeError:
                    continue
                if best is None or len(ids) < len(best):  # type: ignore[arg-type]
                    best = ids
        return None if best is None else sorted(best)

    def _matches(self, cond: QueryLike) -> Iterator[tuple[int, Any]]:
        rows = self.rows
        candidates = self._candidates(cond)
        for doc_id in [*rows] if candidates is None else candidates:
            document = _decode(rows[doc_id])
            if cond(document):
                yield doc_id, document

    def search(self, cond: QueryLike) -> list[Document]:
        return [self.document_class(document, doc_id) for doc_id, document in self._matches(cond)]

    def get(  # type: ignore[override]
        self, cond: QueryLike | None = None, doc_id: int | None = None, doc_ids: list[int] | None = None
    ) -> Document | list[Document] | None:
        if doc_id is not None:
            raw = self.rows.get(int(doc_id))
            return None if raw is None else self.document_class(_decode(raw), doc_id)
        if doc_ids is not None:
            wanted = sorted({int(i) for i in doc_ids} & self.rows.keys())
            return [self.document_class(_decode(self.rows[i]), i) for i in wanted]
        if cond is None:
            raise RuntimeError("You have to pass either cond or doc_id or doc_ids")
        for found, document in self._matches(cond):
            return self.document_class(document, found)
        return None

    def update(
        self,
        fields: Mapping[str, Any] | Callable[[MutableMapping[str, Any]], None],
        cond: QueryLike | None = None,
        doc_ids: Iterable[int] | None = None,
    ) -> list[int]:
        if doc_ids is None and cond is not None:
            doc_ids = [doc_id for doc_id, _ in self._matches(cond)]
        return super().update(fields, None, doc_ids)

    def remove(self, cond: QueryLike | None = None, doc_ids: Iterable[int] | None = None) -> list[int]:
        if doc_ids is None and cond is not None:
            doc_ids = [doc_id for doc_id, _ in self._matches(cond)]
        return super().remove(None, doc_ids)

    def __len__(self) -> int:
        return len(self.rows)

    def _read_table(self) -> Any:
        return Rows(self._storage.tables.get(self.name) or {})

    def _get_next_id(self) -> int:
        return self._storage.next_id(self.name)

    def _update_table(self, updater: Callable[[dict[int, Mapping[str, Any]]], None]) -> None:
        """Runs the updater on a shadow, so that it sees a dict, and stores what differs afterwards."""
        with self._storage.transaction():
            shadow = Shadow(self._storage.tables.setdefault(self.name, {}))
            updater(shadow)  # type: ignore[arg-type]
            for doc_id, document in shadow.touched.items():
                self._storage.put(self.name, doc_id, None if document is None else _encode(document))


def _equalities(hashed: Any) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Comparisons with == that hold in every match of a query, read off TinyDB's hash of it."""
    if not isinstance(hashed, tuple):
        return
    if hashed[0] == "==" and len(hashed) == 3 and len(hashed[1]) == 1 and isinstance(hashed[1][0], str):
        yield hashed[1], hashed[2]
    elif hashed[0] == "and":
        for part in hashed[1]:
            yield from _equalities(part)


class JournalDB(TinyDB):
    """TinyDB with the storage and the table class of this module."""

    table_class = JournalTable  # type: ignore[assignment]
    default_storage_class = JournalStorage  # type: ignore[assignment]

    @property
    def storage(self) -> JournalStorage:
        storage = super().storage
        assert isinstance(storage, JournalStorage)
        return storage

    def tables(self) -> set[str]:
        return {name for name, rows in self.storage.tables.items() if rows}

"""The storage of TinyDB with a durable journal: all tables in memory, and every change on disk before it is acknowledged."""

from __future__ import annotations

from collections import defaultdict
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import msgspec
from tinydb import Storage

from bot.store.disk import JournalError
from bot.store.files import Files
from bot.store.index import Indexes
from bot.store.views import Rows

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator, Mapping

    from bot.store.disk import Disk
    from bot.store.records import Tables

_encode = msgspec.json.Encoder().encode

#: a journal this many bytes long is worth a snapshot, when it is also longer than the snapshot
COMPACT_AT = 4 << 20


class Transaction:
    """What one transaction changed: the new documents for the record, the old ones for the way back."""

    def __init__(self) -> None:
        self.changes: dict[str, dict[int, bytes | None]] = defaultdict(dict)
        #: the disk refused what it was built on: it can't be kept
        self.refused = False
        self.undo: list[tuple[str, int, bytes | None]] = []

    def payload(self) -> bytes:
        tables = []
        for table, rows in self.changes.items():
            body = b",".join([b'"%d":%s' % (doc_id, raw or b"null") for doc_id, raw in rows.items()])
            tables.append(b"%s:{%s}" % (_encode(table), body))
        return b"{%s}" % b",".join(tables)


class JournalStorage(Storage):
    """All tables in memory, and every change in the journal.

    With `deferred` a transaction only joins the queue, and the caller takes the queue to disk: `take`, then
    `files.append` (in a thread, if it likes), then `done`, or `revert` when the disk refused.
    """

    def __init__(self, path: str | os.PathLike[str], *, read_only: bool = False, disk: Disk | None = None) -> None:
        super().__init__()
        self.files = Files(path, read_only=read_only, disk=disk)
        try:
            self.tables: Tables = self.files.load()
        except BaseException:
            self.files.close()
            raise
        self.deferred = False
        self.indexes: dict[str, Indexes] = {}
        self._watchers: dict[str, list[Callable[[int, bytes | None, bytes | None], None]]] = {}
        self._next: dict[str, int] = {}
        self._current: Transaction | None = None
        self._queue: list[Transaction] = []

    # ------------------------------------------------------------ what TinyDB asks for

    def read(self) -> Any:
        """The tables as TinyDB expects them: documents by table and by id as text; decoded when looked at."""
        return {name: Rows(rows) for name, rows in self.tables.items() if rows}

    def write(self, data: Mapping[str, Mapping[Any, Mapping[str, Any]]]) -> None:
        """Makes the tables equal to `data`, in one transaction that holds only what differs."""
        with self.transaction():
            for name in [*self.tables]:
                if name not in data:
                    for doc_id in [*self.tables[name]]:
                        self.put(name, doc_id, None)
            for name, rows in data.items():
                if isinstance(rows, Rows) and rows.raw is self.tables.get(name):
                    continue
                wanted = {int(doc_id): _encode(document) for doc_id, document in rows.items()}
                for doc_id in [i for i in self.tables.get(name, {}) if i not in wanted]:
                    self.put(name, doc_id, None)
                for doc_id, raw in wanted.items():
                    self.put(name, doc_id, raw)

    def close(self) -> None:
        """Takes what is queued to disk and lets go of the files."""
        try:
            if not self.files.read_only:
                self.flush()
        finally:
            self.files.close()

    # ------------------------------------------------------------ transactions

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything inside is one record: all of it or nothing. Inside another transaction it is a part of that.

        Raises JournalError when the disk refused meanwhile what it was built on.
        """
        if self._current is not None:
            yield
            return
        if self.files.read_only:
            raise JournalError("the store is open for reading only")
        self._current = transaction = Transaction()
        try:
            yield
            if transaction.refused:
                raise JournalError("the disk refused the changes before this one")  # noqa: TRY301  # undone like any other
        except BaseException:
            self._undo(transaction)
            raise
        finally:
            self._current = None
        if transaction.undo:
            self._queue.append(transaction)
            if not self.deferred:
                self.flush()

    def put(self, table: str, doc_id: int, raw: bytes | None) -> None:
        """Inside a transaction: the document's new JSON on one line, or None to remove it."""
        transaction = self._current
        if transaction is None:
            with self.transaction():
                self.put(table, doc_id, raw)
            return
        rows = self.tables.get(table)
        if rows is None:
            rows = self.tables[table] = {}
        old = rows.get(doc_id)
        if old == raw:
            return
        transaction.undo.append((table, doc_id, old))
        transaction.changes[table][doc_id] = raw
        self._apply(table, rows, doc_id, old, raw)

    def _apply(self, table: str, rows: dict[int, bytes], doc_id: int, old: bytes | None, new: bytes | None) -> None:
        if new is None:
            rows.pop(doc_id, None)
        else:
            rows[doc_id] = new
            if table in self._next and doc_id >= self._next[table]:
                self._next[table] = doc_id + 1
        for watcher in self._watchers.get(table, ()):
            watcher(doc_id, old, new)

    def _undo(self, transaction: Transaction) -> None:
        for table, doc_id, old in reversed(transaction.undo):
            rows = self.tables[table]
            self._apply(table, rows, doc_id, rows.get(doc_id), old)

    def flush(self) -> None:
        """Takes the queue to disk. Raises Full or JournalError, and then nothing of the queue has happened."""
        batch = self.take()
        if not batch:
            return
        try:
            self.files.append(self.encode(batch), len(batch))
        except BaseException:
            self.revert(batch)
            raise
        if not self.deferred and self.wants_compacting:
            self.compact()

    @property
    def queued(self) -> bool:
        """Whether something waits for `take`."""
        return bool(self._queue)

    def take(self) -> list[Transaction]:
        """The queue, which is empty afterwards. One batch at a time may be out."""
        batch, self._queue = self._queue, []
        return batch

    def encode(self, batch: list[Transaction]) -> bytes:
        """The batch as records for `files.append`."""
        return self.files.records([transaction.payload() for transaction in batch])

    def revert(self, batch: list[Transaction]) -> list[Transaction]:
        """Undoes a batch that the disk refused, and what was queued on top of it; returns the latter."""
        later = self.take()
        unfinished = [] if self._current is None else [self._current]
        for transaction in reversed([*batch, *later, *unfinished]):
            self._undo(transaction)
        if self._current is not None:
            self._current.refused = True
            self._current.undo.clear()
        return later

    # ------------------------------------------------------------ snapshots

    @property
    def wants_compacting(self) -> bool:
        """Whether reading the journal at the next start would take longer than reading a snapshot."""
        return self.files.journal_size > max(COMPACT_AT, self.files.snapshot_size)

    def frozen(self) -> Tables:
        """The tables as they are on disk now: a copy without what is still queued or under way."""
        tables = {name: dict(rows) for name, rows in self.tables.items()}
        unfinished = [] if self._current is None else [self._current]
        for transaction in reversed([*self._queue, *unfinished]):
            for table, doc_id, old in reversed(transaction.undo):
                if old is None:
                    tables[table].pop(doc_id, None)
                else:
                    tables[table][doc_id] = old
        return tables

    def compact(self) -> None:
        """Writes a snapshot and drops the journals it replaces."""
        self.flush()
        self.files.write_snapshot(self.tables, self.files.rotate())

    def compact_quietly(self) -> None:
        """Like `compact` when there is anything in the journal; a disk that refuses costs nothing but the snapshot."""
        with suppress(JournalError):
            if self.files.number not in self.files.bases():
                self.compact()

    # ------------------------------------------------------------ for tables

    def watch(self, table: str, watcher: Callable[[int, bytes | None, bytes | None], None]) -> None:
        """Tells of every document of the table that there is, and of every change from now on, undone ones too."""
        for doc_id, raw in self.tables.setdefault(table, {}).items():
            watcher(doc_id, None, raw)
        self._watchers.setdefault(table, []).append(watcher)

    def next_id(self, table: str) -> int:
        """An id above all there are, and not given before by this object."""
        following = self._next.get(table)
        if following is None:
            following = max(self.tables.get(table, ()), default=0) + 1
        self._next[table] = following + 1
        return following

    def indexes_of(self, table: str) -> Indexes:
        """The table's indexes, followed from the first call on."""
        found = self.indexes.get(table)
        if found is None:
            found = self.indexes[table] = Indexes()
            self._watchers.setdefault(table, []).append(found.change)
        return found

"""What the parts of the TinyDB store share: the database, transactions, and reading rows as values."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, TypeVar

from tinydb.table import Document

from bot.errors import StoreDamaged, StoreError, StoreFull, StoreLocked, StoreTooNew
from bot.store import disk
from bot.store.committer import Committer
from bot.store.journal import JournalDB, JournalTable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Hashable, Iterator

    from bot.store.codec import Codec

T = TypeVar("T")

__all__ = ["Base", "Document", "translated"]


@contextmanager
def translated() -> Iterator[None]:
    """The journal's errors as the domain's."""
    try:
        yield
    except disk.Locked as error:
        raise StoreLocked(str(error)) from error
    except disk.Damaged as error:
        raise StoreDamaged(str(error)) from error
    except disk.TooNew as error:
        raise StoreTooNew(f"{error}; run the newer Tocsin") from error
    except disk.Full as error:
        raise StoreFull(f"{error}; nothing of it was kept. Free some space") from error
    except PermissionError as error:
        raise StoreError(
            f"{error.filename}: {error.strerror}. The bot's user needs the folder of [store] url"
        ) from error
    except OSError as error:
        raise StoreError(f"{error.filename}: {error.strerror}" if error.filename else str(error)) from error
    except disk.JournalError as error:
        raise StoreError(str(error)) from error


class Base:
    """Holds the open database. Reads are answered from memory; a write returns when it is on disk."""

    def __init__(self, db: JournalDB) -> None:
        self.db = db
        self._storage = db.storage
        self._committer = None if db.storage.files.read_only else Committer(db.storage)
        self._writing = asyncio.Lock()

    def _table(self, name: str, *indexes: str | tuple[str, ...]) -> JournalTable:
        table = self.db.table(name)
        assert isinstance(table, JournalTable)
        for fields in indexes:
            table.index(*((fields,) if isinstance(fields, str) else fields))
        return table

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[None]:
        """All of it or nothing; `await self._durable()` follows. A long one may leave turns to others: readers see what
        it has done so far, who writes waits until it is over.
        """
        async with self._writing:
            with translated(), self._storage.transaction():
                yield

    async def _durable(self) -> None:
        if self._committer is not None:
            with translated():
                await self._committer.durable()


def one(table: JournalTable, codec: Codec[T], **equal: Hashable) -> tuple[int, T] | None:
    """The document that alone has these values, and its id."""
    for doc_id in table.find(**equal):
        return doc_id, codec.decode(table.rows[doc_id])
    return None


def several(table: JournalTable, codec: Codec[T], **equal: Hashable) -> list[T]:
    """The documents with these values, in order of creation."""
    rows = table.rows
    return [codec.decode(rows[doc_id]) for doc_id in table.find(**equal)]


def put(table: JournalTable, codec: Codec[T], value: T, **equal: Hashable) -> int:
    """Replaces the document with these values, or adds one."""
    found = table.find(**equal)
    return table.put(found[0] if found else None, codec.encode(value))


def drop(table: JournalTable, **equal: Hashable) -> int:
    """Removes the documents with these values; how many they were."""
    found = table.find(**equal)
    for doc_id in found:
        table.drop(doc_id)
    return len(found)

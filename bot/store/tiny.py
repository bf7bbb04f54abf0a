"""The Store port on TinyDB: one file, one process, everything acknowledged is on disk."""

from __future__ import annotations

import asyncio
from datetime import datetime  # noqa: TC003  # msgspec reads it
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from bot.errors import StoreDamaged, StoreError, StoreTooNew
from bot.model import DeliveryState
from bot.store import codec
from bot.store.files import COMPACT_AT_CLOSE
from bot.store.journal import JournalDB
from bot.store.tiny_base import translated
from bot.store.tiny_overview import Overviews

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable

    from bot.store.disk import Disk
    from bot.store.journal import JournalTable

#: rows looked at or removed in one transaction of the housekeeping, so that the event loop is not held up
SLICE = 500

#: version of the rows → what makes them the next one
MIGRATIONS: dict[int, Callable[[JournalDB], None]] = {}


class Meta(msgspec.Struct):
    """The one row of `meta`: whose file it is, in which version, and how often it was opened for writing."""

    app: str
    version: int
    opened: int


class _Aged(msgspec.Struct, gc=False):
    """What retention looks at in a row of the outbox."""

    created: datetime | None = None
    settled: datetime | None = None
    sent: datetime | None = None
    since: datetime | None = None
    until: datetime | None = None
    state: str = ""
    story: str = ""
    chat: str = ""


_aged = msgspec.json.Decoder(_Aged)


class TinyStore(Overviews):
    """Opened with `open_tiny`."""

    #: what opening found and repaired, in words
    findings: tuple[str, ...] = ()

    async def retain(self, entries: datetime, fingerprints: datetime, deliveries: datetime) -> int:
        left = await self._remove(self._entries, self._old_entries(entries))
        left += await self._remove(self._stories, self._old_stories(entries))
        left += await self._sweep(self._fingerprints, lambda raw: self._is_old_fingerprint(raw, fingerprints))
        left += await self._sweep(self._deliveries, lambda raw: self._is_over(raw, deliveries))
        await self._sweep(self._claim_table, self._is_idle)
        left += await self._sweep(self._receipts, lambda raw: self._is_orphan(raw, deliveries))
        left += await self._sweep(self._mutes, lambda raw: self._is_orphan(raw, deliveries))
        left += await self._sweep(self._actions, lambda raw: _is_before(_aged.decode(raw).created, deliveries))
        await self._sweep(self._waits, lambda raw: _is_before(_aged.decode(raw).until, deliveries))
        return left

    def _is_over(self, raw: bytes, before: datetime) -> bool:
        row = _aged.decode(raw)
        if row.state in {DeliveryState.WAITING, DeliveryState.DUE}:
            # a chat that is gone for good would gather rows for ever; a story that is no longer kept can't be told
            return _is_before(row.created, before) and not self._stories.find(id=row.story)
        return _is_before(row.settled or row.created, before)

    def _is_orphan(self, raw: bytes, before: datetime) -> bool:
        row = _aged.decode(raw)
        if not _is_before(row.sent or row.since, before):
            return False
        return not self._deliveries.find(chat=row.chat, story=row.story)

    async def _sweep(self, table: JournalTable, is_old: Callable[[bytes], bool]) -> int:
        left = 0
        every = [*table.rows]
        for start in range(0, len(every), SLICE):
            async with self._transaction():
                rows = table.rows
                old = [row for row in every[start : start + SLICE] if row in rows and is_old(rows[row])]
                for row in old:
                    table.drop(row)
            left += len(old)
            if old:
                await self._durable()
            await asyncio.sleep(0)  # noqa: TID251  # a turn for others, not a wait
        return left

    async def _remove(self, table: JournalTable, old: Iterable[int]) -> int:
        old = [*old]
        for start in range(0, len(old), SLICE):
            async with self._transaction():
                for row in old[start : start + SLICE]:
                    table.drop(row)
            await self._durable()
        return len(old)

    async def compact(self) -> None:
        if self._committer is not None:
            with translated():
                await self._committer.compact()

    async def close(self) -> None:
        with translated():
            if self._committer is not None:
                await self._committer.close()
                files = self._storage.files
                if files.journal_size + files.snapshot_size < COMPACT_AT_CLOSE:
                    # so that stock TinyDB and the next start find everything in one file
                    await asyncio.to_thread(self._storage.compact_quietly)
            self._storage.close()


def _is_before(moment: datetime | None, before: datetime) -> bool:
    return moment is not None and moment < before


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"the folder {folder} can't be made ({error.strerror}): give another in [store] url"
        ) from error


async def open_tiny(path: str | os.PathLike[str], *, read_only: bool = False, disk: Disk | None = None) -> TinyStore:
    """The store in this file, made when there is none.

    Raises StoreLocked, StoreDamaged, StoreTooNew, StoreFull, StoreError. `read_only` needs no lock: it shows what was
    on disk when it was opened, and every write raises StoreError.
    """
    with translated():
        if not read_only:
            _make_folder(Path(path).parent)
        db = await asyncio.to_thread(JournalDB, path, read_only=read_only, disk=disk)
        try:
            return _prepare(db, read_only=read_only)
        except msgspec.MsgspecError as error:
            db.storage.files.close()
            raise StoreDamaged(f"{path} holds a row that can't be read ({error}): tocsin db check names it") from error
        except BaseException:
            db.storage.files.close()
            raise


def _prepare(db: JournalDB, *, read_only: bool) -> TinyStore:
    meta = check_meta(db)
    if read_only:
        if meta is None:
            raise StoreError(f"{db.storage.files.path} holds nothing yet")
        store = TinyStore(db, meta.opened)
    else:
        with db.storage.transaction():
            meta = _migrate(db, meta)
            db.storage.put("meta", 1, msgspec.json.encode(meta))
            store = TinyStore(db, meta.opened)
            db.storage.deferred = False
            store.void_claims()
        db.storage.deferred = True
    store.findings = tuple(db.storage.files.findings)
    return store


def check_meta(db: JournalDB) -> Meta | None:
    """Whose file it is; None when nothing is in it. Raises StoreDamaged, StoreTooNew."""
    path = db.storage.files.path
    raw = db.storage.tables.get("meta", {}).get(1)
    if raw is None:
        if any(db.storage.tables.values()):
            raise StoreDamaged(f"{path} is a TinyDB file, but not one of Tocsin's; name another file")
        return None
    try:
        meta = msgspec.json.decode(raw, type=Meta)
    except msgspec.MsgspecError as error:
        raise StoreDamaged(f"{path} is a TinyDB file, but not one of Tocsin's ({error}); name another file") from error
    if meta.version > codec.VERSION:
        raise StoreTooNew(
            f"{path} was written by a newer Tocsin (store version {meta.version}; this one reads up to {codec.VERSION}): "
            f"run that one, or restore a backup made before the upgrade"
        )
    return meta


def _migrate(db: JournalDB, meta: Meta | None) -> Meta:
    """Brings old rows up to date, in the transaction around it: a migration that is killed has not happened."""
    if meta is None:
        return Meta("tocsin", codec.VERSION, 1)
    for version in range(meta.version, codec.VERSION):
        MIGRATIONS[version](db)
    return Meta("tocsin", codec.VERSION, meta.opened + 1)

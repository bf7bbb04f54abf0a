"""Moving a store to another, row by row, and looking for what is wrong with one."""

from __future__ import annotations

import asyncio
import os
from importlib import import_module
from typing import TYPE_CHECKING

import msgspec

from bot.errors import StoreDamaged, StoreError
from bot.store import NEEDS_PSYCOPG, codec, is_postgres, tiny_path
from bot.store import rows as rowwise
from bot.store.files import is_there
from bot.store.journal import JournalDB
from bot.store.rows import TABLES, Rows, checksum, normal
from bot.store.tiny import check_meta, open_tiny
from bot.store.tiny_base import translated

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from types import ModuleType

    Progress = Callable[[int, int], None]


async def copy_store(source: str, target: str, now: datetime, progress: Progress | None = None) -> dict[str, int]:
    """Copies every row of one store into another, empty one, and compares both by counts and checksums.

    The bot must not run on either. `progress` is told rows done and rows in all. Returns rows by table. Raises
    StoreError, and then the target is as empty as it was.
    """
    if _place(source) == _place(target):
        raise StoreError("source and target are the same store")
    rows = await _read(source, now)
    total = sum(map(len, rows.values()))
    tell: Progress = progress or (lambda _done, _all: None)
    tell(0, total)
    if is_postgres(target):
        await _postgres().write_postgres(target, rows, lambda done: tell(done, total))
    else:
        await asyncio.to_thread(_write_tiny, tiny_path(target), rows)
    tell(total, total)
    there = await _read(target, now)
    for table in TABLES:
        if len(there[table]) != len(rows[table]) or checksum(there[table]) != checksum(rows[table]):
            raise StoreError(f"{table}: {len(there[table])} of {len(rows[table])} rows arrived as they were sent")
    return {table: len(rows[table]) for table in TABLES}


def _place(url: str) -> str:
    return url if is_postgres(url) else os.path.realpath(tiny_path(url))


async def check_store(url: str) -> list[str]:
    """What is wrong with a store, in words; nothing when all is well. May run beside the bot."""
    try:
        if is_postgres(url):
            rows = await _postgres().read_postgres(url)
            found = await _postgres().check_postgres(url)
        else:
            rows, found = await asyncio.to_thread(_read_tiny_file, tiny_path(url))
    except StoreError as error:
        return [str(error)]
    return [*found, *rowwise.findings(rows)]


def _postgres() -> ModuleType:
    """The part that needs psycopg. Raises StoreError where it is not installed."""
    try:
        return import_module("bot.store.pg_copy")
    except ImportError as error:
        raise StoreError(NEEDS_PSYCOPG) from error


async def _read(url: str, now: datetime) -> Rows:
    rows: Rows = await (_postgres().read_postgres(url) if is_postgres(url) else _read_tiny(url))
    rows["waits"] = rowwise.waits_at(rows["waits"], now)
    return rows


async def _read_tiny(url: str) -> Rows:
    if not is_there(tiny_path(url)):  # opening would make one
        raise StoreError(f"there is no store at {_place(url)}")
    store = await open_tiny(tiny_path(url))  # for writing: claims of a dead process end here, and no bot may run
    await store.close()
    rows, found = await asyncio.to_thread(_read_tiny_file, tiny_path(url))
    if found:
        raise StoreDamaged(f"{found[0]}; nothing was copied")
    return rows


def _read_tiny_file(path: str) -> tuple[Rows, list[str]]:
    """Every row that can be read, in order of creation; and what can't."""
    rows: Rows = {table: [] for table in TABLES}
    found: list[str] = []
    with translated(), JournalDB(path, read_only=True) as db:
        check_meta(db)
        found += db.storage.files.findings
        for table in TABLES:
            for row, raw in sorted(db.storage.tables.get(table, {}).items()):
                given = raw if table != "removed" else rowwise.removed_row(row, rowwise.version_of(raw).version)
                try:
                    rows[table].append(normal(table, given))
                except (msgspec.MsgspecError, TypeError) as error:
                    found.append(f"{table}: row {row} can't be read ({error})")
    return rows, found


def _write_tiny(path: str, rows: Rows) -> None:
    """The whole file at once: a copy that is interrupted leaves an empty store."""
    with translated(), JournalDB(path) as db:
        tables = db.storage.tables
        if any(rows for name, rows in tables.items() if name != "meta"):
            raise StoreError(f"{path} is not empty: name a new file")
        for table in TABLES:
            tables[table] = dict(enumerate(rows[table], start=1))
        tables["subscriptions"] = {codec.subscription.decode(raw).id: raw for raw in rows["subscriptions"]}
        tables["removed"] = {
            known.id: b'{"version":%d}' % known.version for known in map(rowwise.version_of, rows["removed"])
        }
        tables["meta"] = {1: b'{"app":"tocsin","version":%d,"opened":1}' % codec.VERSION}
        db.storage.compact()

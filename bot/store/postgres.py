"""The Store port on PostgreSQL, for more than one machine: psycopg 3, leases with epochs, SQL in `sql/`."""

from __future__ import annotations

import os
import secrets
import socket
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from bot.errors import StoreError, StoreTooNew
from bot.store.pg_base import Connection, do, rows
from bot.store.pg_chats import OUTBOX
from bot.store.pg_chats import SQL as CHATS
from bot.store.pg_entries import SQL as ENTRIES
from bot.store.pg_overview import PgOverview
from bot.store.statements import migrations

if TYPE_CHECKING:
    from datetime import datetime

#: seconds to wait for a connection
CONNECT_TIMEOUT = 10.0
MAX_CONNECTIONS = 8

#: libpq's: a server or a network that died is otherwise waited for by the quarter of an hour
_WATCH = {
    "connect_timeout": 10,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
#: for every session, in this order: a process that was stopped or cut off in the middle of a transaction must not keep its
#: locks from all others; the server notices as soon as we do that a machine is gone; no statement is compiled for a second
#: and a half, to run for ten milliseconds, thousands of times
_SESSION = """
    set timezone to 'UTC';
    set idle_in_transaction_session_timeout = '10s';
    set tcp_keepalives_idle = 5; set tcp_keepalives_interval = 2; set tcp_keepalives_count = 3;
    set tcp_user_timeout = '10s';
    set jit to off
"""
_LOCK = "select pg_advisory_xact_lock(hashtext('tocsin store ' || current_schema()))"
_VERSION = "select version from tocsin_store"
_IS_THERE = "select to_regclass('tocsin_store') is not null"


class PostgresStore(PgOverview):
    """Opened with `open_postgres`."""

    #: what opening found and repaired, in words
    findings: tuple[str, ...] = ()
    #: by which the server knows this process's connections, and no other's
    session: str = ""

    async def retain(self, entries: datetime, fingerprints: datetime, deliveries: datetime) -> int:
        left = await self._do(ENTRIES["drop_entries"], before=entries)
        left += await self._do(ENTRIES["drop_stories"], before=entries)
        left += await self._do(ENTRIES["drop_fingerprints"], before=fingerprints)
        left += await self._do(OUTBOX["drop_deliveries"], before=deliveries)
        await self._do(OUTBOX["drop_claims"])
        left += await self._do(OUTBOX["drop_receipts"], before=deliveries)
        left += await self._do(CHATS["drop_mutes"], before=deliveries)
        left += await self._do(CHATS["drop_actions"], before=deliveries)
        return left

    async def compact(self) -> None:
        """The server's autovacuum does it."""

    def of_lane(self, lane: int) -> PostgresStore:
        """The same store, which gives out claims of one lane's chats only."""
        store = PostgresStore(self.pool)
        store.lane = lane
        return store

    async def close(self) -> None:
        await self.pool.close()


def watched(url: str) -> str:
    """The address, with what makes a connection notice within some 10 s that the other side is gone.

    What the address itself says of that counts. Raises psycopg.ProgrammingError for what is no address.
    """
    values: dict[str, Any] = {**_WATCH, **conninfo_to_dict(url)}
    return make_conninfo(**values)


async def open_postgres(url: str, *, read_only: bool = False) -> PostgresStore:
    """The store in this database (in the first schema of its search path), made when there is none.

    Raises StoreError when the server can't be reached, StoreTooNew when a newer Tocsin made the tables.
    """

    async def configure(connection: Connection) -> None:
        await set_up(connection)
        if read_only:
            await connection.execute("set default_transaction_read_only to on")

    session = f"tocsin {secrets.token_hex(4)} {socket.gethostname()[:30]}:{os.getpid()}"
    try:
        url = watched(url)
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
            await _prepare(connection, read_only=read_only)
        pool: Any = AsyncConnectionPool(
            url, min_size=1, max_size=MAX_CONNECTIONS, timeout=CONNECT_TIMEOUT, configure=configure, open=False,
            kwargs={"application_name": session},
        )  # fmt: skip
        await pool.open(wait=True, timeout=CONNECT_TIMEOUT)
    except (psycopg.Error, PoolTimeout, OSError) as error:
        line = " ".join(str(error).split())
        raise StoreError(f"PostgreSQL can't be used ([store] url): {line}") from error
    store = PostgresStore(pool)
    store.session = session
    return store


async def set_up(connection: Connection) -> None:
    """What every session of ours has."""
    await connection.set_autocommit(True)
    await connection.execute(_SESSION)


async def _prepare(connection: Connection, *, read_only: bool) -> None:
    """Makes the tables what this version expects: all of it or nothing, by one process at a time."""
    scripts = migrations()
    async with connection.transaction():
        await connection.execute(_LOCK)
        [(there,)] = await rows(connection, _IS_THERE)
        version = (await rows(connection, _VERSION))[0][0] if there else 0
        if version > len(scripts):
            raise StoreTooNew(
                f"this database was made by a newer Tocsin (store version {version}; this one knows up to "
                f"{len(scripts)}): run that one, or restore a backup made before the upgrade"
            )
        if read_only:
            if version < len(scripts):
                raise StoreError("this database holds no store of this version yet: start the bot once")
            return
        if not there:
            await connection.execute("create table tocsin_store (version integer not null)")
            await connection.execute("insert into tocsin_store values (0)")
        for script in scripts[version:]:
            await connection.execute(script.encode())
        await do(connection, "update tocsin_store set version = %(version)s", version=len(scripts))

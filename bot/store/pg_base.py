"""What the parts of the PostgreSQL store share: the pool, transactions with their retries, and errors in our words."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, TypeVar

import psycopg
from psycopg import errors
from psycopg_pool import AsyncConnectionPool, PoolClosed, PoolTimeout

from bot.errors import StoreError, StoreFull, TocsinError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

T = TypeVar("T")

Connection = psycopg.AsyncConnection[Any]
Pool = AsyncConnectionPool[Connection]

#: seconds before each further try, after the connection was lost or a deadlock
PAUSES = (0.05, 0.2, 0.5, 1.0, 2.0)

#: the transaction is rolled back, and the same again may well succeed
_TRANSIENT = (errors.DeadlockDetected, errors.SerializationFailure, errors.LockNotAvailable)


class PgBase:
    """Holds the pool. Every method of the store is one transaction."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool

    async def run(self, work: Callable[[Connection], Awaitable[T]], *, bare: bool = False) -> T:
        """`work` in a transaction, again when the server went away or was in the way, but not once the commit was sent:
        then nobody knows whether it happened, and the caller is told so. `bare`: one statement, whose transaction the
        server itself begins and ends, and which may be done twice.
        """
        for pause in (*PAUSES, None):
            committing = False
            try:
                async with self.pool.connection() as connection, nullcontext() if bare else connection.transaction():
                    result = await work(connection)
                    committing = True
            except TocsinError:
                raise
            except _TRANSIENT as error:
                problem: Exception = error
            except errors.DiskFull as error:
                raise StoreFull(f"PostgreSQL refused the write: {_line(error)}; nothing of it was kept") from error
            except (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout, OSError) as error:
                if committing and not bare:
                    raise StoreError(f"PostgreSQL went away during a commit: {_line(error)}; try again") from error
                problem = error
            except (psycopg.Error, PoolClosed) as error:
                raise StoreError(f"PostgreSQL: {_line(error)}") from error
            else:
                return result
            if pause is None or isinstance(problem, PoolTimeout):
                raise StoreError(f"PostgreSQL can't be reached: {_line(problem)}; try again") from problem
            await asyncio.sleep(pause)  # noqa: TID251  # the pause between two tries of one call, in real time
        raise AssertionError

    async def _rows(self, sql: str, **values: object) -> list[tuple[Any, ...]]:
        async def read(connection: Connection) -> list[tuple[Any, ...]]:
            return await rows(connection, sql, **values)

        return await self.run(read, bare=True)

    async def _value(self, sql: str, **values: object) -> Any:
        return (await self._rows(sql, **values))[0][0]

    async def _at_once(self, sql: str, **values: object) -> int:
        """A change that may happen twice, and holds its locks for no longer than the server needs."""

        async def write(connection: Connection) -> int:
            return await do(connection, sql, **values)

        return await self.run(write, bare=True)

    async def _do(self, sql: str, **values: object) -> int:
        async def write(connection: Connection) -> int:
            return await do(connection, sql, **values)

        return await self.run(write)


async def rows(connection: Connection, sql: str, **values: object) -> list[tuple[Any, ...]]:
    """What a statement returns."""
    return await (await connection.execute(sql.encode(), values)).fetchall()


async def do(connection: Connection, sql: str, **values: object) -> int:
    """How many rows a statement changed."""
    return (await connection.execute(sql.encode(), values)).rowcount


def _line(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return text or type(error).__name__

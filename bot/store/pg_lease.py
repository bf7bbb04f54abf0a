"""Named leases: what one process at a time may do, wherever it runs.

A lease ends by the server's clock, unless it is renewed, and with the session that took it. Its epoch fences what a holder that was stopped and runs again
would still write: whoever writes under a lease checks the epoch in the same transaction.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING

import psycopg
from psycopg_pool import PoolTimeout

from bot.errors import NotElected, StoreError
from bot.store.pg_base import PgBase, do, rows
from bot.store.statements import statements

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.ports import Clock
    from bot.store.pg_base import Connection, Pool

log = logging.getLogger(__name__)

SQL = statements("shared")

#: seconds without renewal after which another process takes over
LEASE = 6.0
#: seconds between renewals, and between looks of those who wait
RENEW, LOOK = 1.5, 1.0


class Lease(PgBase):
    """One name. `hold` does work while the lease is ours."""

    def __init__(self, pool: Pool, name: str, holder: str, clock: Clock) -> None:
        super().__init__(pool)
        self.name = name
        self._holder = holder
        self._clock = clock
        #: of the lease while it is believed to be ours
        self.epoch: int | None = None

    async def hold(
        self, work: Callable[[], Awaitable[None]], standby: Callable[[], Awaitable[None]] | None = None
    ) -> None:
        """Until cancelled: waits for the lease, calling `standby` meanwhile, and does `work` while it is held."""
        while True:
            try:
                # the lease lives no longer than the session that took it: the server notices at once when we die
                async with self.pool.connection() as connection:
                    if await self._take(connection):
                        await self._work(connection, work)
                if standby is not None:
                    await standby()
            except (StoreError, psycopg.Error, PoolTimeout, OSError, TimeoutError) as error:
                log.warning("lease on %s: %s", self.name, " ".join(str(error).split()))
            except Exception:
                log.exception("what the lease on %s is for broke off", self.name)
            await self._clock.sleep(LOOK)

    async def check(self, connection: Connection) -> None:
        """Raises NotElected unless the lease is ours; it stays so until the transaction ends."""
        if self.epoch is None or not await rows(connection, SQL["hold_lease"], name=self.name, epoch=self.epoch):
            raise NotElected(f"the lease on {self.name} was taken over")

    async def _take(self, connection: Connection) -> bool:
        taken = await rows(connection, SQL["take_lease"], name=self.name, holder=self._holder, seconds=LEASE)
        self.epoch = taken[0][0] if taken else None
        return self.epoch is not None

    async def _work(self, connection: Connection, work: Callable[[], Awaitable[None]]) -> None:
        log.info("lease on %s taken", self.name)
        task = asyncio.ensure_future(work())
        try:
            await self._renew(connection, task)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            epoch, self.epoch = self.epoch, None
            with contextlib.suppress(psycopg.Error):  # it runs out by itself
                await do(connection, SQL["end_lease"], name=self.name, epoch=epoch)
        if not task.cancelled() and (error := task.exception()) is not None:
            raise error

    async def _renew(self, connection: Connection, task: asyncio.Future[None]) -> None:
        """Returns when the work has ended or the lease was taken over. Raises what the connection raises."""
        while not task.done():
            pause = asyncio.ensure_future(self._clock.sleep(RENEW))
            await asyncio.wait({task, pause}, return_when=asyncio.FIRST_COMPLETED)
            pause.cancel()
            async with asyncio.timeout(LEASE - RENEW):
                if not await do(connection, SQL["renew_lease"], name=self.name, epoch=self.epoch, seconds=LEASE):
                    log.warning("lease on %s was taken over", self.name)
                    return

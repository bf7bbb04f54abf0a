"""Named leases: what one process at a time may do, wherever it runs.

A lease ends by the server's clock, unless it is renewed. Its epoch fences what a holder that was stopped and runs again
would still write: whoever writes under a lease checks the epoch in the same transaction.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from bot.errors import NotElected, StoreError
from bot.store.pg_base import PgBase, rows
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
                if await self._take():
                    await self._work(work)
                elif standby is not None:
                    await standby()
            except StoreError as error:
                log.warning("lease on %s: %s", self.name, error)
            except Exception:
                log.exception("what the lease on %s is for broke off", self.name)
            await self._clock.sleep(LOOK)

    async def check(self, connection: Connection) -> None:
        """Raises NotElected unless the lease is ours; it stays so until the transaction ends."""
        if self.epoch is None or not await rows(connection, SQL["hold_lease"], name=self.name, epoch=self.epoch):
            raise NotElected(f"the lease on {self.name} was taken over")

    async def _take(self) -> bool:
        taken = await self._rows(SQL["take_lease"], name=self.name, holder=self._holder, seconds=LEASE)
        self.epoch = taken[0][0] if taken else None
        return self.epoch is not None

    async def _work(self, work: Callable[[], Awaitable[None]]) -> None:
        log.info("lease on %s taken", self.name)
        task = asyncio.ensure_future(work())
        try:
            await self._renew(task)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            epoch, self.epoch = self.epoch, None
            try:
                await self._at_once(SQL["end_lease"], name=self.name, epoch=epoch)
            except StoreError:
                log.info("lease on %s runs out by itself", self.name)
        if not task.cancelled() and (error := task.exception()) is not None:
            raise error

    async def _renew(self, task: asyncio.Future[None]) -> None:
        """Returns when the work has ended, or the lease may be over."""
        renewed = self._clock.monotonic()
        while not task.done():
            pause = asyncio.ensure_future(self._clock.sleep(RENEW))
            await asyncio.wait({task, pause}, return_when=asyncio.FIRST_COMPLETED)
            pause.cancel()
            asked = self._clock.monotonic()
            try:
                if not await self._at_once(SQL["renew_lease"], name=self.name, epoch=self.epoch, seconds=LEASE):
                    log.warning("lease on %s was taken over", self.name)
                    return
                renewed = asked
            except StoreError as error:
                log.warning("lease on %s not renewed: %s", self.name, error)
                if self._clock.monotonic() - renewed > LEASE:
                    return

"""Parsed documents on their way from the process that polled them to the one that takes them in.

What was handed over is on disk, and taken in once: the lease on the feed goes with it, and the commit ends the lease.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec
import structlog

from bot.errors import LeaseLost, NotElected, StoreError
from bot.model import FeedState, LeasedFeed, ParsedFeed  # noqa: TC001  msgspec reads the annotations
from bot.sources.urls import mask_url
from bot.store.pg_base import PgBase, do
from bot.store.pg_lease import SQL

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.ports import Clock
    from bot.store.pg_base import Connection
    from bot.store.postgres import PostgresStore

    Take = Callable[[LeasedFeed, FeedState, ParsedFeed], Awaitable[int]]

log = structlog.get_logger(__name__)

#: seconds between looks for what other processes handed over
_LOOK = 0.5
#: documents read at once
_BATCH = 50
#: seconds for which a feed is claimed again
_LEASE = 60.0
#: a document that ended the process so many times is given up: its feed is polled again
_TRIES = 5


class Handed(msgspec.Struct):
    """A row."""

    leased: LeasedFeed
    state: FeedState
    parsed: ParsedFeed


_decode = msgspec.json.Decoder(Handed).decode
_encode = msgspec.json.Encoder().encode


class Inbox(PgBase):
    """One queue for all; who takes from it must be the only one."""

    def __init__(self, store: PostgresStore, clock: Clock) -> None:
        super().__init__(store.pool)
        self._store = store
        self._clock = clock
        self._more = asyncio.Event()

    async def put(self, leased: LeasedFeed, state: FeedState, parsed: ParsedFeed) -> int:
        """Hands one parsed document over, with its lease. Gives 0: what is new in it is not known yet.

        Raises LeaseLost when another has the feed.
        """
        body = _encode(Handed(leased, state, parsed)).decode()

        async def work(connection: Connection) -> None:
            kept = await do(connection, SQL["keep_leased"], feed=leased.feed.id, epoch=leased.epoch)
            if not kept:
                raise LeaseLost(f"the lease on {leased.feed.id} was taken over or has ended")
            await do(connection, SQL["hand_over"], body=body)

        await self.run(work)
        self._more.set()
        return 0

    async def take(self, ingest: Take) -> None:
        """Until cancelled, or until this process may not any more (NotElected): what comes in, in order."""
        while True:
            self._more.clear()
            if not await self.take_all(ingest):
                nap = asyncio.ensure_future(self._clock.sleep(_LOOK))
                more = asyncio.ensure_future(self._more.wait())
                try:
                    await asyncio.wait({nap, more}, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    nap.cancel()
                    more.cancel()

    async def take_all(self, ingest: Take) -> int:
        """What is there now, a batch of it; gives how many documents."""
        waiting = await self._rows(SQL["handed"], limit=_BATCH)
        for (number,) in waiting:
            await self._take_one(number, ingest)
        return len(waiting)

    async def is_empty(self) -> bool:
        """Whether all that was handed over is taken in."""
        return not await self._rows(SQL["handed"], limit=1)

    async def _take_one(self, number: int, ingest: Take) -> None:
        begun = await self._rows(SQL["begin_handed"], n=number)
        if not begun:
            return
        [(tries, body)] = begun
        handed = _decode(body)
        feed = mask_url(handed.leased.feed.id)
        try:
            if tries > _TRIES:
                log.error("document given up, it ended the process each time", feed=feed)
                await self._free(handed.leased)
            else:
                await ingest(handed.leased, handed.state, handed.parsed)
        except LeaseLost as lost:
            if isinstance(lost, NotElected):
                raise  # whoever is elected takes it
            await self._take_late(handed, ingest)
        except StoreError:
            raise  # it stays, and is taken again
        except Exception:
            log.exception("poll broke", feed=feed)
            await self._free(handed.leased)
        await self._at_once(SQL["drop_handed"], n=number)

    async def _take_late(self, handed: Handed, ingest: Take) -> None:
        """The feed was claimed since, by a hub's post say; or this was taken in before, and finds that all is known."""
        again = await self._store.claim_feed(handed.leased.feed.id, self._clock.now(), _LEASE)
        if again is not None:
            await ingest(again, again.state, handed.parsed)

    async def _free(self, leased: LeasedFeed) -> None:
        await self._at_once(SQL["free_feed"], feed=leased.feed.id, epoch=leased.epoch)

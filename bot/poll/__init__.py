"""A due feed in, its entries out: claim, fetch, parse, hand to ingest.

claim_feeds | fetch (64 at a time, two a host) | parse (in its process) | after_poll decides | ingest or save_feed
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter, deque
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from bot.errors import LeaseLost, StoreError
from bot.meter import Meter
from bot.model import FeedGone, Fetched, FetchFailed, FetchOutcome, LeasedFeed, NotModified, ParsedFeed, later
from bot.poll.feed import poll_feed
from bot.sources.urls import host_of, mask_url

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence

    from bot.model import FeedId, FeedState
    from bot.poll.feed import Enrich, Hubs, Ingest
    from bot.ports import Clock, FeedStore, Fetcher, Parser
    from bot.sources.schedule import PollPolicy

#: polls under way at once
SLOTS = 64
#: of them to one host
PER_HOST = 2
#: seconds for which a claimed feed is ours: fetch, the queue before the parser, and ingest fit in several times
LEASE = 300.0
#: claimed feeds that may wait for a turn at their busy host, outside of the slots
_QUEUE = 1000
#: seconds of its lease that a feed may spend waiting; then it is due again, and somebody else's
_PATIENCE = LEASE / 3
#: seconds after which a poll that could not be stored is tried again
_SOON = 30.0
#: seconds by which the wall clock must have been set back for the due times to be moved with it
_SET_BACK = 60.0
_ALL = 1_000_000

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class PollCounts:
    """What a poller did since it started."""

    polled: int = 0
    failed: int = 0
    #: entries never seen before
    new: int = 0


class Poller:
    """Owns the polls under way: starts one task a claimed feed, so that none waits for another."""

    def __init__(
        self,
        *,
        store: FeedStore,
        fetcher: Fetcher,
        parser: Parser,
        ingest: Ingest,
        clock: Clock,
        rng: random.Random,
        policy: PollPolicy,
        hubs: Hubs | None = None,
        enrich: Enrich | None = None,
        slots: int = SLOTS,
        per_host: int = PER_HOST,
        meter: Meter | None = None,
    ) -> None:
        self._store = store
        self._fetcher = fetcher
        self._parser = parser
        self._ingest = ingest
        self._clock = clock
        self._rng = rng
        self._policy = policy
        self._hubs = hubs
        self._enrich = enrich
        self._slots = slots
        self._per_host = per_host
        self._tasks: dict[FeedId, asyncio.Task[None]] = {}
        self._hosts: Counter[str] = Counter()
        #: by host: claimed feeds that wait for a turn there, and until when each may
        self._queues: dict[str, deque[tuple[LeasedFeed, float]]] = {}
        #: could not be stored, and are given back as soon as the store is there again
        self._unsaved: list[LeasedFeed] = []
        self._claiming = asyncio.Lock()
        self._refill: asyncio.Task[None] | None = None
        self._more = False
        self._closed = False
        #: wall clock minus monotonic clock; None before the first look
        self._skew: float | None = None
        self.counts = PollCounts()
        self._meter = meter or Meter()

    async def tick(self) -> None:
        """Claims due feeds for the free slots and starts them. Raises StoreError."""
        async with self._claiming:
            waiting = sum(map(len, self._queues.values()))
            free = min(self._slots - len(self._tasks), _QUEUE - waiting)
            if self._closed or free <= 0:
                self._more = not self._closed
                return
            await self._save_late()
            await self._follow_clock()
            claimed = await self._store.claim_feeds(self._clock.now(), LEASE, free)
            self._more = len(claimed) == free
            for leased in claimed:
                host = host_of(leased.state.url or leased.feed.id)
                if self._hosts[host] >= self._per_host:
                    until = self._clock.monotonic() + _PATIENCE
                    self._queues.setdefault(host, deque()).append((leased, until))
                else:
                    self._start(leased)

    async def _follow_clock(self) -> None:
        """A clock that was set back by a day must not cost a day of silence: due times are set back with it."""
        now = self._clock.now()
        skew = now.timestamp() - self._clock.monotonic()
        if self._skew is None:  # it may have been set back while the bot was down
            polled = [state.last_ok for _, state in await self._store.feeds() if state.last_ok]
            back = (max(polled) - now).total_seconds() if polled else 0.0
        else:
            back = self._skew - skew
        if back > _SET_BACK:
            log.warning("clock was set back", seconds=round(back))
            # also those whose lease was given by the wrong clock
            claimed = await self._store.claim_feeds(now, LEASE, _ALL, force=True)
            await asyncio.gather(*(self._set_back(leased, back) for leased in claimed))
        self._skew = skew

    async def _set_back(self, leased: LeasedFeed, seconds: float) -> None:
        due = leased.state.next_poll - timedelta(seconds=seconds)
        try:
            await self._store.save_feed(replace(leased.state, next_poll=due), leased.epoch)
        except LeaseLost:
            log.info("lease lost", feed=mask_url(leased.feed.id))

    async def poll_everything(self) -> PollCounts:
        """Polls every feed once, due or not, and waits for all. Gives what these polls did. Raises StoreError."""
        before = replace(self.counts)
        claimed = await self._store.claim_feeds(self._clock.now(), LEASE, _ALL, force=True)
        waiting = _hosts_in_turn(claimed)
        while waiting or self._tasks:
            while waiting and len(self._tasks) < self._slots and not self._closed:
                self._start(waiting.pop())
            if not self._tasks:
                break
            await asyncio.wait(self._tasks.values(), return_when=asyncio.FIRST_COMPLETED)
            await asyncio.sleep(0)  # noqa: TID251  no waiting: lets the callbacks of what ended run
        return PollCounts(
            self.counts.polled - before.polled, self.counts.failed - before.failed, self.counts.new - before.new
        )

    async def drain(self, deadline: float) -> None:
        """Starts nothing more, gives polls under way `deadline` seconds, then drops them: their leases end with the process."""
        self._closed = True
        until = self._clock.monotonic() + deadline
        tasks: Sequence[asyncio.Task[None]] = list(self._tasks.values())
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=deadline)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        if self._refill is not None:
            await asyncio.gather(self._refill, return_exceptions=True)
        with contextlib.suppress(StoreError):  # their leases end with the process too
            for leased, _ in [waiting for queue in self._queues.values() for waiting in queue]:
                if self._clock.monotonic() <= until:
                    await self._give_back(leased)
        self._queues.clear()

    def _start(self, leased: LeasedFeed) -> None:
        host = host_of(leased.state.url or leased.feed.id)
        late = self._tasks.get(leased.feed.id)
        if late is not None:  # its lease ran out under it: what it would bring is no longer taken
            late.cancel()
        task = asyncio.create_task(self._poll(leased), name=f"poll {mask_url(leased.feed.id)}")
        self._tasks[leased.feed.id] = task
        self._hosts[host] += 1

        def done(_: asyncio.Task[None]) -> None:
            if self._tasks.get(leased.feed.id) is task:
                del self._tasks[leased.feed.id]
            self._hosts[host] -= 1
            if not self._hosts[host]:
                del self._hosts[host]
            self._next_in_turn(host)
            self._fill()

        task.add_done_callback(done)

    async def _poll(self, leased: LeasedFeed) -> None:
        """Never raises: a poll that goes wrong is counted and logged, and concerns nobody else."""
        try:
            outcome = await poll_feed(
                leased,
                fetcher=self._fetcher,
                parser=self._parser,
                ingest=self._counted,
                store=self._store,
                clock=self._clock,
                rng=self._rng,
                policy=self._policy,
                hubs=self._hubs,
                enrich=self._enrich,
            )
        except StoreError as error:
            self.counts.failed += 1
            self._meter.polls["not stored"] += 1
            log.error("poll not stored", feed=mask_url(leased.feed.id), reason=str(error))  # noqa: TRY400  expected
            await self._again_soon(leased)
        except Exception:
            self.counts.failed += 1
            self._meter.polls["broken"] += 1
            log.exception("poll broke", feed=mask_url(leased.feed.id))
        else:
            self.counts.polled += 1
            self.counts.failed += isinstance(outcome, (FetchFailed, FeedGone))
            self._meter.polls[_in_a_word(outcome)] += 1

    async def _counted(self, leased: LeasedFeed, state: FeedState, parsed: ParsedFeed) -> int:
        new = await self._ingest(leased, state, parsed)
        self.counts.new += new
        return new

    def _fill(self) -> None:
        """More is due than there were slots: do not wait for the next tick."""
        if self._more and not self._closed and (self._refill is None or self._refill.done()):
            self._refill = asyncio.create_task(self._tick_again(), name="poll refill")

    async def _tick_again(self) -> None:
        try:
            await self.tick()
        except StoreError as error:
            log.error("feeds not claimed", reason=str(error))  # noqa: TRY400  expected; the next tick tries again

    def _next_in_turn(self, host: str) -> None:
        """A place at the host is free: the feed that waits longest takes it."""
        queue = self._queues.get(host)
        while queue and not self._closed:
            leased, until = queue.popleft()
            if self._clock.monotonic() < until:
                self._start(leased)
                return
            # so long a queue is overload: the lease runs out, and the feed is claimed again
        if not queue:
            self._queues.pop(host, None)

    async def _again_soon(self, leased: LeasedFeed) -> None:
        """Not only when its lease runs out: nobody knows whether it was stored, and what was is not new again."""
        soon = max(later(self._clock.now(), _SOON), leased.state.next_poll)
        self._unsaved.append(replace(leased, state=replace(leased.state, next_poll=soon)))
        with contextlib.suppress(StoreError):
            await self._save_late()

    async def _save_late(self) -> None:
        """Raises StoreError while the store is still away."""
        while self._unsaved:
            leased = self._unsaved.pop()
            try:
                await self._give_back(leased)
            except StoreError:
                self._unsaved.append(leased)
                raise

    async def _give_back(self, leased: LeasedFeed) -> None:
        try:
            await self._store.save_feed(leased.state, leased.epoch)
        except LeaseLost:
            log.info("lease lost", feed=mask_url(leased.feed.id))


def _in_a_word(outcome: FetchOutcome) -> str:
    if isinstance(outcome, FetchFailed):
        return "unreadable" if outcome.status == 200 else "failed"
    return {Fetched: "fetched", NotModified: "unchanged", FeedGone: "gone"}[type(outcome)]


def _hosts_in_turn(claimed: Sequence[LeasedFeed]) -> list[LeasedFeed]:
    """The feeds to take from the end of: the first of each host, then the second of each, and so on."""
    places: Counter[str] = Counter()
    ranked = []
    for leased in claimed:
        host = host_of(leased.state.url or leased.feed.id)
        places[host] += 1
        ranked.append((places[host], leased))
    return [leased for _, leased in sorted(ranked, key=lambda pair: -pair[0])]

"""50,000 feeds of mixed rhythm through the real poller and the real TinyDB store, in simulated time.

    python -m benchmarks.due [--feeds 50000] [--minutes 60]

Every tick of a second claims what is due, as `tocsin run` does. The web is played: a feed has something new or has not,
by its own rhythm (one of the recorded outlets, stretched 1 to 60 times), and answers at once. Simulated time passes by a
second a tick, or by the processor time that the tick took where that is more, with 100 us added for each request, which
is what aiohttp takes for one (benchmarks/poll.py). So the queue falls behind here when one core could not keep up.
"""

from __future__ import annotations

import argparse
import asyncio
import bisect
import random
import resource
import statistics
import tempfile
import time
from datetime import timedelta
from pathlib import Path

from benchmarks.schedule import START, WINDOW, publications, rhythms
from bot.model import (
    Feed,
    FeedId,
    FeedState,
    Fetched,
    FetchOutcome,
    LeasedFeed,
    NotModified,
    ParsedEntry,
    ParsedFeed,
    ParseFailed,
    Selectors,
    Validators,
)
from bot.poll import Poller
from bot.sources.schedule import PollPolicy, after_poll
from bot.store.tiny import TinyStore, open_tiny
from tests.fakes import FakeClock

REQUEST = 100e-6


class Web:
    """Answers for every feed at the clock's time; the fetcher and the parser of the poller."""

    def __init__(self, clock: FakeClock, feeds: int) -> None:
        rng = random.Random(5)
        self._clock = clock
        shapes = [publications(base, rng, 2.0) for base in rhythms() for _ in range(20)]
        self._times = {f"https://h{n % 20_000}.example/{n}": rng.choice(shapes) for n in range(feeds)}
        self._seen: dict[str, int] = {}
        self.requests = 0

    def urls(self) -> list[str]:
        return list(self._times)

    async def fetch(self, url: str, validators: Validators, body_hash: str) -> FetchOutcome:  # noqa: ARG002  the port's
        self.requests += 1
        there = bisect.bisect_right(self._times[url], (self._clock.now() - START).total_seconds())
        if self._seen.get(url) == there:
            return NotModified(Validators("e"))
        self._seen[url] = there
        return Fetched(b"", "", Validators("e"), url)

    async def parse(
        self,
        body: bytes,  # noqa: ARG002  the port's
        content_type: str,  # noqa: ARG002
        url: str,
        selectors: Selectors | None = None,  # noqa: ARG002
    ) -> ParsedFeed | ParseFailed:
        there = self._seen[url]
        dates = [START + timedelta(seconds=one) for one in self._times[url][max(0, there - WINDOW) : there]]
        return ParsedFeed("", tuple(ParsedEntry("", published=date) for date in dates))

    async def close(self) -> None: ...


async def run(feeds: int, minutes: int, folder: Path) -> None:
    clock = FakeClock(START)
    web = Web(clock, feeds)
    store = await open_tiny(folder / "store.json")
    await fill(store, web, clock)
    late: list[float] = []

    async def ingest(leased: LeasedFeed, state: FeedState, _: ParsedFeed) -> int:
        await store.save_feed(state, leased.epoch)
        return 0

    poller = Poller(
        store=store, fetcher=web, parser=web, ingest=ingest, clock=clock, rng=random.Random(1), policy=PollPolicy()
    )
    took: list[float] = []
    before_all = web.requests
    for _ in range(minutes * 60):
        due = await store.next_poll(clock.now())
        late.append(max(0.0, (clock.now() - due).total_seconds()) if due else 0.0)
        before, start = web.requests, time.process_time()
        await poller.tick()
        while poller._tasks or (poller._refill is not None and not poller._refill.done()):  # noqa: SLF001
            await asyncio.sleep(0)
        took.append(time.process_time() - start + (web.requests - before) * REQUEST)
        clock.advance(max(1.0, took[-1]))
    await store.close()
    polls = web.requests - before_all
    print(f"{feeds:,} feeds, {minutes} simulated minutes: {polls:,} polls, {polls / minutes / 60:.0f} a second")
    print(f"processor time of a tick: median {statistics.median(took) * 1e3:.0f} ms, most {max(took) * 1e3:.0f} ms")
    print(f"the longest due feed at a tick was due for: most {max(late):.2f} s (one tick is 1 s)")
    print(
        f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB; failed {poller.counts.failed}"
    )


async def fill(store: TinyStore, web: Web, clock: FakeClock) -> None:
    """All feeds as they stand a day after they were listed: polled before, and due at their own times."""
    rng = random.Random(2)
    await store.sync_feeds([Feed(FeedId(url)) for url in web.urls()], clock.now())
    policy = PollPolicy()
    claimed = await store.claim_feeds(clock.now(), 600, 10**9)
    for begin in range(0, len(claimed), 1000):
        saves = []
        for leased in claimed[begin : begin + 1000]:
            outcome = await web.fetch(leased.feed.id, Validators(), "")
            parsed = await web.parse(b"", "", leased.feed.id) if isinstance(outcome, Fetched) else None
            state = after_poll(leased.state, outcome, parsed, now=clock.now(), rng=rng, policy=policy, feed=leased.feed)
            saves.append(store.save_feed(state, leased.epoch))
        await asyncio.gather(*saves)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    options.add_argument("--feeds", type=int, default=50_000)
    options.add_argument("--minutes", type=int, default=60)
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(run(given.feeds, given.minutes, Path(folder)))


if __name__ == "__main__":
    main()

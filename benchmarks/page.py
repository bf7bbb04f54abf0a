"""How fast the page answers: every route at 10,000 stories and 1,000 sources on the embedded store, while polling.

    python -m benchmarks.page [--stories 10000] [--sources 1000] [--polls 50] [--asks 150] [--store FOLDER]

The bot's part of the process does what polls do: it claims feeds, and commits states and new entries, so many polls a
second, on the same event loop as the server. Who asks is another process, one request after another, routes in turn;
what a browser's live part costs is the route with `part=1`. The event loop's delays are watched as /metrics tells them.
"""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from bot.app.site import make_server
from bot.clock import SystemClock
from bot.commands import Commands
from bot.config import WebConfig
from bot.meter import Meter
from bot.model import Entry, EntryId, Fingerprint, PollCommit, Story, StoryId
from bot.ports import Store
from bot.sources.schedule import PollPolicy
from bot.store import open_store
from bot.web.lag import LoopLag
from tests.web.invented import invent

ROUTES = (
    "/", "/?part=1", "/stories", "/stories?page=200", "/stories/story9000", "/alerts", "/alerts?page=100", "/sources",
    "/sources?page=20", "/subscriptions", "/outbox", "/metrics", "/readyz", "/healthz",
)  # fmt: skip


async def poll(store: Store, clock: SystemClock, rate: int) -> int:
    """Polls until cancelled; every third brings a new entry and story."""
    done = 0
    began = clock.monotonic()
    while True:
        for leased in await store.claim_feeds(clock.now(), 60, 1, force=True):
            now = clock.now()
            state = replace(leased.state, last_ok=now, next_poll=now)
            if done % 3:
                await store.save_feed(state, leased.epoch)
            else:
                name = EntryId(f"fresh{done}")
                entry = Entry(
                    name, leased.feed.id, leased.feed.name, f"Fresh news {done}", f"https://n.example/{done}", "g",
                    "A summary.", now, now, story=StoryId(f"s{done}"),
                )  # fmt: skip
                story = Story(StoryId(f"s{done}"), entry.title, now, now, (name,))
                mark = Fingerprint(name, leased.feed.id, f"g{done}", f"l{done}", f"t{done}", now)
                await store.commit(PollCommit(state, leased.epoch, (entry,), (mark,), (story,)))
        done += 1
        await clock.sleep(max(0.0, began + done / rate - clock.monotonic()))


async def ask(base: str, asks: int) -> None:
    """The client's process: times in milliseconds by route, as JSON."""
    import aiohttp

    times: dict[str, list[float]] = {route: [] for route in ROUTES}
    async with aiohttp.ClientSession() as session:
        for _ in range(asks):
            for route in ROUTES:
                began = time.perf_counter()
                async with session.get(base + route) as answer:
                    await answer.read()
                    assert answer.status == 200, (route, answer.status)
                times[route].append((time.perf_counter() - began) * 1000)
    print(json.dumps(times))


async def serve(asked: argparse.Namespace) -> None:
    clock = SystemClock()
    with tempfile.TemporaryDirectory() as folder:
        store = await open_store(f"tinydb:///{Path(asked.store or folder) / 'store.json'}")
        began = time.monotonic()
        if (await store.sizes()).feeds == 0:
            await invent(store, clock.now(), stories=asked.stories, sources=asked.sources)
        print(f"{await store.sizes()}, filled in {time.monotonic() - began:.0f} s", file=sys.stderr)

        async def trouble() -> str:
            return ""

        lag = LoopLag(clock)
        server = make_server(
            WebConfig(port=0), store=store, clock=clock, policy=PollPolicy(), trial=Commands(store=store, clock=clock).trial, meter=Meter(),
            lag=lag.longest, ticked=lambda: 0.0, trouble=trouble, wake=lambda: None, webhooks={}, routes=(),
        )  # fmt: skip
        await server.start()
        work = [asyncio.create_task(lag.run()), asyncio.create_task(poll(store, clock, asked.polls))]
        client = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "benchmarks.page", "--client", f"http://127.0.0.1:{server.port}", "--asks", str(asked.asks),
            stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, _ = await client.communicate()
        longest = lag.longest()
        for task in work:
            task.cancel()
        await server.close()
        await store.close()
    print("| route | p50 ms | p95 ms | max ms |\n|---|---|---|---|")
    for route, times in json.loads(out).items():
        times.sort()
        print(f"| `{route}` | {statistics.median(times):.1f} | {times[int(len(times) * 0.95)]:.1f} | {times[-1]:.1f} |")
    print(
        f"\nlongest delay of the event loop in the last minute: {longest * 1000:.0f} ms; {asked.polls} polls a second"
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--stories", type=int, default=10_000)
    parser.add_argument("--sources", type=int, default=1000)
    parser.add_argument("--polls", type=int, default=50)
    parser.add_argument("--asks", type=int, default=150)
    parser.add_argument("--store", default="", help="a folder to keep the filled store in; the next run finds it there")
    parser.add_argument("--client", default="")
    asked = parser.parse_args()
    asyncio.run(ask(asked.client, asked.asks) if asked.client else serve(asked))


if __name__ == "__main__":
    main()

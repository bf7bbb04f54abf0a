"""How fast 2,000 feeds are polled from a server on loopback, beside other clients in the same run.

    python -m benchmarks.poll [--feeds 2000] [--rounds 3] [--scenario 304]

The server runs in a process of its own, and so does each client, for its processor time and peak memory. Three
scenarios: unchanged (304), unchanged but sent again (200, same bytes), changed (200, one new item of a hundred).
Rounds interleave the clients; the table has medians and the ratio to plain httpx + feedparser. Where the server or
others take a part of the processors, the processor time of a feed says more than the rate: "a core" is one second of it.

`--scenario read` measures no network: a document of a hundred items of which one is new, read again by what remembers
the others, beside feedparser and fastfeedparser, which read it whole; interleaved, medians of processor time.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import importlib.util
import io
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = __file__.rpartition("/benchmarks/")[0] or "."
sys.path.insert(0, ROOT)

CONCURRENCY = 64
#: loopback addresses, each a host of its own: two requests at a time go to each
HOSTS = [f"127.0.1.{i}" for i in range(1, 51)]
ITEMS = 100
USER_AGENT = "Tocsin-benchmark"
SCENARIOS = ("304", "same", "changed", "read")
CLIENTS = ("tocsin", "aiohttp", "httpx", "niquests")
#: feeds of the scenarios in which a client parses: feedparser would take minutes for all
PARSED = 100
Poll = Callable[[str], Awaitable[int]]


def feed(version: int) -> bytes:
    """A news feed of a hundred items, the first of which is new in each version."""
    rng = random.Random(3)
    words = [f"word{i}" for i in range(2000)]

    def item(number: int) -> str:
        text = " ".join(rng.choices(words, k=45))
        return (
            f"<item><title>{' '.join(rng.choices(words, k=10))} {number}</title><link>https://example.org/{number}</link>"
            f"<guid isPermaLink='false'>{number}</guid><description>&lt;p&gt;{text} &lt;a href='/x'&gt;more&lt;/a&gt;&lt;/p&gt;"
            f"</description><pubDate>Mon, 02 Nov 2026 08:{number % 60:02}:00 GMT</pubDate><category>World</category></item>"
        )

    rng.seed(version)
    newest = item(1000 + version)
    rng.seed(3)
    rest = "".join(item(i) for i in range(ITEMS - 1))
    return f"<?xml version='1.0' encoding='utf-8'?><rss version='2.0'><channel><title>Bench</title><link>https://example.org/</link>{newest}{rest}</channel></rss>".encode()


# ---------------------------------------------------------------- server


class Server(asyncio.Protocol):
    """The least HTTP that answers GET: paths begin with the scenario."""

    answers: dict[bytes, list[bytes]]
    count = 0

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.rest = b""

    def data_received(self, data: bytes) -> None:
        self.rest += data
        while b"\r\n\r\n" in self.rest:
            head, _, self.rest = self.rest.partition(b"\r\n\r\n")
            scenario = head.split(b"/", 2)[1]
            if scenario == b"304" and b"none-match" not in head.lower():
                scenario = b"same"
            Server.count += 1
            bodies = self.answers[scenario]
            self.transport.write(bodies[Server.count % len(bodies)])


def answer(status: str, body: bytes) -> bytes:
    head = f'HTTP/1.1 {status}\r\nETag: "one"\r\nContent-Type: application/rss+xml\r\nDate: Mon, 02 Nov 2026 08:00:00 GMT\r\n'
    if status.startswith("304"):
        return f"{head}\r\n".encode()
    return f"{head}Content-Encoding: gzip\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


async def serve() -> None:
    bodies = [gzip.compress(feed(version), mtime=0) for version in range(16)]
    Server.answers = {
        b"304": [answer("304 Not Modified", b"")],
        b"same": [answer("200 OK", bodies[0])],
        b"changed": [answer("200 OK", body) for body in bodies],
    }
    server = await asyncio.get_running_loop().create_server(Server, "0.0.0.0", 0)
    print(server.sockets[0].getsockname()[1], len(bodies[0]), len(feed(0)), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    server.close()


# ---------------------------------------------------------------- clients: each polls one feed, and gives its entries


async def tocsin(scenario: str, warm: str) -> tuple[Poll, Callable[[], Awaitable[None]]]:
    from bot.model import Fetched, ParsedFeed, Validators
    from bot.sources.fetch import HttpFetcher
    from bot.sources.worker import ParserProcess

    fetcher = HttpFetcher(allow_private=["127.0.1.0/24"], user_agent=USER_AGENT)
    parser = ParserProcess(workers=1)
    first = await fetcher.fetch(warm, Validators(), "")
    assert isinstance(first, Fetched)
    if scenario == "changed":
        await parser.parse(first.body, first.content_type, first.url)

    async def poll(url: str) -> int:
        outcome = await fetcher.fetch(url, first.validators, first.body_hash if scenario != "changed" else "")
        if not isinstance(outcome, Fetched):
            return 0
        parsed = await parser.parse(outcome.body, outcome.content_type, outcome.url)
        assert isinstance(parsed, ParsedFeed)
        return len(parsed.entries)

    async def close() -> None:
        await fetcher.close()
        await parser.close()

    return poll, close


async def plain_aiohttp(_scenario: str, _warm: str) -> tuple[Poll, Callable[[], Awaitable[None]]]:
    import aiohttp
    import feedparser

    session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))

    async def poll(url: str) -> int:
        async with session.get(url, headers={"If-None-Match": '"one"'}) as response:
            body = await response.read()
        return len(feedparser.parse(io.BytesIO(body)).entries) if response.status == 200 else 0

    return poll, session.close


async def plain_httpx(_scenario: str, _warm: str) -> tuple[Poll, Callable[[], Awaitable[None]]]:
    import feedparser
    import httpx

    client = httpx.AsyncClient(limits=httpx.Limits(max_connections=None), timeout=30)

    async def poll(url: str) -> int:
        headers = {"If-None-Match": '"one"'}
        try:
            response = await client.get(url, headers=headers)
        except httpx.TransportError:  # a connection that waited behind feedparser for too long
            response = await client.get(url, headers=headers)
        return len(feedparser.parse(io.BytesIO(response.content)).entries) if response.status_code == 200 else 0

    return poll, client.aclose


async def plain_niquests(_scenario: str, _warm: str) -> tuple[Poll, Callable[[], Awaitable[None]]]:
    import feedparser
    import niquests

    session = niquests.AsyncSession(pool_connections=len(HOSTS), pool_maxsize=CONCURRENCY)

    async def poll(url: str) -> int:
        response = await session.get(url, headers={"If-None-Match": '"one"'})
        body = response.content or b""
        return len(feedparser.parse(io.BytesIO(body)).entries) if response.status_code == 200 else 0

    return poll, session.close


MAKERS = {"tocsin": tocsin, "aiohttp": plain_aiohttp, "httpx": plain_httpx, "niquests": plain_niquests}


async def run_client(name: str, scenario: str, port: int, feeds: int) -> None:
    urls = [f"http://{HOSTS[i % len(HOSTS)]}:{port}/{scenario}/{i}" for i in range(feeds)]
    poll, close = await MAKERS[name](scenario, urls[0])
    entries = 0

    async def work(queue: Iterator[str]) -> None:
        nonlocal entries
        for url in queue:
            found = await poll(url)  # not in one line: `entries` would be read before the wait
            entries += found

    async def turn() -> None:
        queue = iter(urls)
        await asyncio.gather(*(work(queue) for _ in range(CONCURRENCY)))

    await turn()  # what is measured is the next poll of feeds polled before, over connections that are there
    before = used()
    start = time.perf_counter()
    await turn()
    wall = time.perf_counter() - start
    cpu, rss = used()[0] - before[0], used()[1]
    await close()
    result = {"wall": wall, "cpu": cpu, "rss": rss, "entries": entries / 2, "feeds": feeds}
    print(json.dumps(result))


def used() -> tuple[float, float]:
    """Processor seconds so far and peak MB, of this process and of the workers that it started."""
    own = resource.getrusage(resource.RUSAGE_SELF)
    cpu, rss = own.ru_utime + own.ru_stime, own.ru_maxrss / 1024
    for children in Path("/proc/self/task").glob("*/children"):
        for pid in children.read_text().split():
            ticks = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
            cpu += sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")
            peak = next(
                line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmHWM")
            )
            rss += int(peak.split()[1]) / 1024
    return cpu, rss


def run(coroutine: Any) -> None:
    try:
        import uvloop
    except ImportError:
        asyncio.run(coroutine)
    else:
        uvloop.run(coroutine)


# ---------------------------------------------------------------- the table


def measure(name: str, scenario: str, port: int, feeds: int) -> dict[str, float]:
    command = [
        sys.executable,
        __file__,
        "--client",
        name,
        "--scenario",
        scenario,
        "--port",
        str(port),
        "--feeds",
        str(feeds),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    if done.returncode:
        raise SystemExit(done.stderr)
    result: dict[str, float] = json.loads(done.stdout)
    return result


def main(feeds: int, rounds: int, scenarios: list[str]) -> None:
    present = [name for name in CLIENTS if name == "tocsin" or importlib.util.find_spec(name)]
    for name in CLIENTS:
        if name not in present:
            print(f"{name} is not installed: pip install {name}")
    server = subprocess.Popen(
        [sys.executable, __file__, "--serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert server.stdin is not None
    assert server.stdout is not None
    try:
        port, packed, unpacked = map(int, server.stdout.readline().split())
        print(
            f"{feeds} feeds, {ITEMS} items, {packed:,} bytes packed, {unpacked:,} unpacked; {len(HOSTS)} hosts, {CONCURRENCY} at a time; medians of {rounds} rounds"
        )
        for scenario in scenarios:
            if scenario == "read":
                reading(rounds)
            else:
                table(present, scenario, port, feeds, rounds)
    finally:
        server.stdin.close()
        server.wait(10)


def reading(rounds: int) -> None:
    """One new item of a hundred, document after document, in this process."""
    import feedparser

    from bot.sources.memory import Memory
    from bot.sources.parse import parse, read_cut
    from bot.sources.quick import Quick

    bodies = [feed(version) for version in range(32)]
    url, kind = "https://bench.example/feed", "application/rss+xml"
    memory, quick = Memory(), Quick()

    def again(body: bytes) -> None:
        plan = memory.plan(body, kind, url)
        assert plan is not None
        part = read_cut(plan.part, url, quick) if plan.part is not None else None
        assert memory.complete(plan, part) is not None

    again(bodies[0])
    ways: dict[str, Callable[[bytes], object]] = {
        "tocsin, 1 new of 100": again,
        "tocsin, first reading": lambda body: parse(body, kind, url, Quick()),
        "feedparser": lambda body: feedparser.parse(io.BytesIO(body)),
    }
    if importlib.util.find_spec("fastfeedparser"):
        import fastfeedparser

        ways["fastfeedparser"] = fastfeedparser.parse
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for body in bodies:
            for name, way in ways.items():
                if name in {"feedparser", "tocsin, first reading"} and body not in bodies[:4]:
                    continue
                start = time.process_time()
                way(body)
                times[name].append(time.process_time() - start)
    print(f"\nread: {len(bodies[0]):,} bytes\n{'reader':24} {'CPU us':>9} {'x ours':>8}")
    ours = statistics.median(times["tocsin, 1 new of 100"])
    for name, found in times.items():
        print(f"{name:24} {statistics.median(found) * 1e6:9,.0f} {statistics.median(found) / ours:8.1f}")


def table(names: list[str], scenario: str, port: int, feeds: int, rounds: int) -> None:
    results: dict[str, list[dict[str, float]]] = {name: [] for name in names}
    for _ in range(rounds):
        for name in names:
            parses = scenario == "changed" or (scenario == "same" and name != "tocsin")
            results[name].append(measure(name, scenario, port, min(feeds, PARSED) if parses else feeds))
    print(
        f"\n{scenario}\n{'client':10} {'feeds/s':>9} {'entries/s':>10} {'CPU us/feed':>12} {'a core':>8} {'peak MB':>8} {'x httpx':>8} {'CPU x httpx':>12}"
    )
    rate = {name: statistics.median(one["feeds"] / one["wall"] for one in many) for name, many in results.items()}
    cpu = {name: statistics.median(one["cpu"] / one["feeds"] for one in many) for name, many in results.items()}
    for name, many in results.items():
        entries = statistics.median(one["entries"] / one["wall"] for one in many)
        rss = max(one["rss"] for one in many)
        ratio = f"{rate[name] / rate['httpx']:.1f}" if "httpx" in rate else "-"
        share = f"{cpu['httpx'] / cpu[name]:.1f}" if "httpx" in cpu else "-"
        print(
            f"{name:10} {rate[name]:9,.0f} {entries:10,.0f} {cpu[name] * 1e6:12,.0f} {1 / cpu[name]:8,.0f} {rss:8.0f} {ratio:>8} {share:>12}"
        )


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--feeds", type=int, default=2000)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--scenario", choices=SCENARIOS, action="append")
    for hidden in ("--client", "--port"):
        options.add_argument(hidden, help=argparse.SUPPRESS)
    options.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.serve:
        run(serve())
    elif given.client:
        run(run_client(given.client, given.scenario[0], int(given.port), given.feeds))
    else:
        main(given.feeds, given.rounds, given.scenario or list(SCENARIOS))

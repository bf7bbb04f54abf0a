import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.model import ParsedFeed, ParseFailed, Selectors
from bot.sources.page import parse_page
from bot.sources.parse import parse
from bot.sources.worker import ParserProcess
from tests.hostile import documents

URL = "https://example.org/feed"
EXCEEDED = ParseFailed("the document needs more time or memory than the parser may take")
#: jams the parser for longer than any limit here
JAM = documents.deep_xml(400_000)


@pytest.fixture
async def parser() -> AsyncIterator[ParserProcess]:
    one = ParserProcess(seconds=3.0)
    yield one
    await one.close()


def pids(parser: ParserProcess) -> set[int]:
    return {worker._process.pid for worker in parser._all}


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


async def test_the_same_as_in_process(parser: ParserProcess) -> None:
    """What comes back over the pipe equals what the parser gave, in every field."""
    for body in (documents.OK, documents.items(300), documents.rss("", "<skipHours><hour>3</hour></skipHours>"), b"no"):
        assert await parser.parse(body, "text/xml", URL) == parse(body, "text/xml", URL)


async def test_pages_are_read_in_the_process_too(parser: ParserProcess) -> None:
    """A page with its selectors is parsed under the same limits as a feed, and feeds go on as before."""
    page = b"<title>T</title>" + b"".join(b"<li><a href=/%d>Headline number %d</a>" % (i, i) for i in range(100))
    selectors = Selectors("li", summary="p")
    expected = parse_page(page, "text/html", URL, selectors)
    assert isinstance(expected, ParsedFeed)
    assert await parser.parse(page, "text/html", URL, selectors) == expected
    assert await parser.parse(page, "text/html", URL, Selectors("ol")) == parse_page(page, "", URL, Selectors("ol"))
    assert await parser.parse(documents.OK, "", URL) == parse(documents.OK, "", URL)
    jam = b"<div>" * 60_000 + b"<a href=/1>x</a>"
    assert await parser.parse(jam, "", URL, Selectors("div", title="div div div", summary="div div")) == EXCEEDED


async def test_processes_start_when_needed_and_stay(parser: ParserProcess) -> None:
    """Nothing runs before the first document; one process serves one document after the other."""
    assert pids(parser) == set()
    await parser.parse(documents.OK, "", URL)
    first = pids(parser)
    await parser.parse(documents.OK, "", URL)
    assert pids(parser) == first
    assert len(first) == 1


async def test_row_6_a_jam_is_killed_and_others_go_on(parser: ParserProcess) -> None:
    """Row 6: what jams the parser is ended at the limit; meanwhile and afterwards others are parsed."""
    await asyncio.gather(*(parser.parse(documents.OK, "", URL) for _ in range(2)))
    before = pids(parser)
    start = time.monotonic()
    jam = asyncio.create_task(parser.parse(JAM, "", URL))
    await asyncio.sleep(0)
    assert isinstance(await parser.parse(documents.OK, "", URL), ParsedFeed)
    assert not jam.done()
    assert await jam == EXCEEDED
    assert time.monotonic() - start < 5.0
    (stuck,) = before - pids(parser)
    assert not alive(stuck)
    assert isinstance(await parser.parse(documents.OK, "", URL), ParsedFeed)


@pytest.mark.parametrize(
    "body",
    [
        documents.comments(200_000), documents.author(64_000), documents.deep_markup(200_000), documents.quadratic(5_000),
        documents.laughs(), documents.items(20_000),
    ],
    ids=["comments", "author", "markup", "quadratic", "laughs", "items"],
)  # fmt: skip
async def test_rows_4_and_6_known_bombs(parser: ParserProcess, body: bytes) -> None:
    """Rows 4, 6: documents known to jam feedparser are read or refused within the limit."""
    start = time.monotonic()
    assert isinstance(await parser.parse(body, "", URL), ParsedFeed | ParseFailed)
    assert time.monotonic() - start < 60  # bounded; how fast is for the benchmarks to say


async def test_row_6_the_event_loop_stays_free(parser: ParserProcess) -> None:
    """Row 6, I7: while hostile feeds are parsed the loop is late by no more than 250 ms."""
    await asyncio.gather(*(parser.parse(documents.OK, "", URL) for _ in range(2)))
    jobs = [asyncio.create_task(parser.parse(body, "", URL)) for body in (JAM, documents.items(20_000))]
    # in the loop's own processor time: what it was kept from by other processes of the machine is not its doing
    worst, last = 0.0, time.thread_time()
    while not all(job.done() for job in jobs):
        await asyncio.sleep(0.005)
        now = time.thread_time()
        worst, last = max(worst, now - last), now
    assert worst < 0.25


async def test_a_process_that_dies_costs_one_document(parser: ParserProcess) -> None:
    """Killed from outside (by the kernel, say), the process is replaced."""
    await parser.parse(documents.OK, "", URL)
    (pid,) = pids(parser)
    os.kill(pid, 9)
    assert await parser.parse(documents.items(2), "", URL) == EXCEEDED
    assert isinstance(await parser.parse(documents.OK, "", URL), ParsedFeed)
    assert pids(parser) != {pid}


async def test_idle_processes_end() -> None:
    """An idle bot is small: a process that nobody needed for a while ends, and the next document starts another."""
    parser = ParserProcess(patience=0.2)
    try:
        feed = b'<rss version="2.0"><channel><title>x</title><item><title>A</title></item></channel></rss>'
        await asyncio.gather(*(parser.parse(feed, "", "http://n.example/") for _ in range(4)))
        assert parser._all
        async with asyncio.timeout(10):
            while parser._all:
                await asyncio.sleep(0.05)
        assert isinstance(await parser.parse(feed, "", "http://n.example/"), ParsedFeed)
    finally:
        await parser.close()


async def test_one_process_is_kept_warm_where_hubs_post() -> None:
    """It is there before the first document, stays when nothing comes, and is replaced when it dies."""
    parser = ParserProcess(patience=0.1)
    await parser.keep_warm()
    assert len(pids(parser)) == 1
    await asyncio.gather(*(parser.parse(documents.OK, "", URL) for _ in range(2)))
    async with asyncio.timeout(30):
        while len(pids(parser)) > 1:
            await asyncio.sleep(0.05)
    (kept,) = pids(parser)
    os.kill(kept, 9)
    assert await parser.parse(documents.items(2), "", URL) == EXCEEDED
    async with asyncio.timeout(30):
        while not pids(parser) - {kept}:
            await asyncio.sleep(0.05)
    await parser.close()
    assert pids(parser) == set()


async def test_cancelled_half_way(parser: ParserProcess) -> None:
    """A cancelled document does not leave its answer to the next one."""
    await parser.parse(documents.OK, "", URL)
    job = asyncio.create_task(parser.parse(documents.items(5_000), "", URL))
    await asyncio.sleep(0.02)
    job.cancel()
    await asyncio.gather(job, return_exceptions=True)
    after = await parser.parse(documents.OK, "", URL)
    assert isinstance(after, ParsedFeed)
    assert len(after.entries) == 3


async def test_an_end_is_finished_though_whoever_asked_for_it_is_cancelled(parser: ParserProcess) -> None:
    """Closed while a process is being ended, the parser waits for that end: no pipe stays open behind the loop."""
    await parser.parse(documents.OK, "", URL)
    (worker,) = parser._all
    job = asyncio.create_task(parser.parse(documents.items(5_000), "", URL))
    await asyncio.sleep(0.02)
    while worker in parser._all:
        job.cancel()
        await asyncio.sleep(0)
    job.cancel()
    await asyncio.gather(job, return_exceptions=True)
    await parser.close()
    assert worker._process.returncode is not None


async def test_close_ends_the_processes() -> None:
    """No process outlives the parser."""
    parser = ParserProcess()
    await asyncio.gather(*(parser.parse(documents.OK, "", URL) for _ in range(4)))
    started = pids(parser)
    assert len(started) == 2
    await parser.close()
    assert not any(alive(pid) for pid in started)


def test_the_worker_ends_with_its_parent() -> None:
    """Killed with -9 the main process leaves no worker behind: the end of its input ends it."""
    program = (
        "import asyncio, os\nfrom bot.sources.worker import ParserProcess\n"
        "async def main():\n parser = ParserProcess()\n await parser.parse(b'<rss/>', '', '')\n"
        " print(next(iter(parser._all))._process.pid, flush=True)\n os.kill(os.getpid(), 9)\nasyncio.run(main())\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=30)
    pid = int(done.stdout)
    until = time.monotonic() + 5
    while alive(pid) and time.monotonic() < until:
        time.sleep(0.02)
    assert not alive(pid)


def test_the_main_process_imports_no_parser() -> None:
    """Idle memory: feedparser, selectolax and numpy stay in the worker."""
    program = (
        "import sys, bot.poll, bot.push, bot.sources.fetch, bot.sources.worker\n"
        "print([name for name in ('feedparser', 'selectolax', 'numpy', 'py3langid') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=30)
    assert done.stdout.strip() == "[]"


async def test_closing_while_it_warms_up_is_quiet() -> None:
    """A bot that is stopped right after its start leaves no process, no half-read pipe and no error behind."""
    for pause in (0.0, 0.05, 0.2):
        parser = ParserProcess()
        warming = asyncio.create_task(parser.keep_warm())
        await asyncio.sleep(pause)
        await parser.close()
        await asyncio.wait_for(asyncio.wait([warming]), 10)
        assert not warming.exception()
        assert not parser._all
        assert parser._warming is None or parser._warming.done()

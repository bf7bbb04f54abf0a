"""Parsing in processes with limits: what jams or blows up the parser costs that one document, and nothing else.

Frames go over the pipes of the process: four bytes of length, then msgpack. The main process imports no parser.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import msgspec

from bot.model import ParsedFeed, ParseFailed, Selectors
from bot.sources.memory import Memory
from bot.sources.slices import Cut  # noqa: TC001  msgspec reads it

if TYPE_CHECKING:
    from collections.abc import Callable

#: seconds for one document, of the clock and of the processor
SECONDS = 5.0
#: bytes of address space of one worker process
MEMORY = 1_500_000_000
WORKERS = 2
#: seconds until a new process must be ready
_START = 30.0
#: documents after which a process is replaced, so that what leaks in it does not stay
_DOCUMENTS = 5_000
#: seconds without work after which one process too many ends: each holds 50 to 120 MB
_IDLE = 60.0
_HEADER = 4
_ROOT = str(Path(__file__).resolve().parents[2])
_PROGRAM = "import sys; sys.path.insert(0, sys.argv[2]); from bot.sources.worker import main; main(float(sys.argv[3]))"
#: without a language, so that reading it loads the model that tells languages
_SAMPLE = b"<rss><channel><item><title>A ferry ran aground off the lighthouse on Monday</title></item></channel></rss>"
_EXCEEDED = ParseFailed("the document needs more time or memory than the parser may take")


class Job(msgspec.Struct, array_like=True):
    """Main process to worker."""

    body: bytes
    content_type: str
    url: str
    #: of a page; None: the document is a feed
    selectors: Selectors | None = None
    #: the document in pieces, which are certainly these, in place of `body`
    cut: Cut | None = None
    #: the document is an article's own page, of which the text is wanted
    article: bool = False


class Answer(msgspec.Struct, array_like=True):
    """Worker to main process: a feed, or a reason for none."""

    feed: ParsedFeed | None
    reason: str = ""
    #: of an article
    text: str = ""


class ParserProcess:
    """Implements `bot.ports.Parser` with up to `workers` processes, started when they are needed.

    A process that exceeds a limit is killed and replaced; documents in the others are not touched.
    """

    def __init__(self, *, workers: int = WORKERS, seconds: float = SECONDS, patience: float = _IDLE) -> None:
        self._seconds = seconds
        self._memory = Memory()
        #: processes that do not end for want of work
        self._keep = 0
        self._warming: asyncio.Task[object] | None = None
        self._patience = patience
        self._watch: asyncio.Task[None] | None = None
        self._slots = asyncio.Semaphore(workers)
        self._idle: list[_Worker] = []
        self._all: set[_Worker] = set()
        #: ends under way: whoever asked for one may be cancelled meanwhile
        self._ending: set[asyncio.Task[None]] = set()
        self._decoder = msgspec.msgpack.Decoder(Answer)

    async def parse(
        self, body: bytes, content_type: str, url: str, selectors: Selectors | None = None
    ) -> ParsedFeed | ParseFailed:
        """See `bot.ports.Parser.parse`; at most `seconds` once a process is free.

        Items that stood in the feed's last document are not parsed again.
        """
        plan = self._memory.plan(body, content_type, url) if selectors is None else None
        if plan is None:
            return await self._ask(Job(body, content_type, url, selectors))
        part = await self._ask(Job(b"", "", url, cut=plan.part)) if plan.part is not None else None
        feed = self._memory.complete(plan, part)
        if feed is not None or (part is not None and part == _EXCEEDED):
            return feed or _EXCEEDED
        return await self._ask(Job(body, content_type, url))

    async def article(self, body: bytes, content_type: str, url: str) -> str:
        """See `bot.ports.ArticleReader.article`."""
        return (await self._answer(Job(body, content_type, url, article=True))).text

    async def _ask(self, job: Job) -> ParsedFeed | ParseFailed:
        answer = await self._answer(job)
        return answer.feed if answer.feed is not None else ParseFailed(answer.reason)

    async def _answer(self, job: Job) -> Answer:
        """What a worker process makes of it."""
        async with self._slots:
            worker = self._idle.pop() if self._idle else None
            try:
                if worker is None:
                    worker = await self._start()
                async with asyncio.timeout(self._seconds):
                    reply = await worker.ask(msgspec.msgpack.encode(job))
                if not reply:  # it loads its language model, once, and answers then
                    async with asyncio.timeout(_START):
                        reply = await worker.read()
                answer = self._decoder.decode(reply)
            except (TimeoutError, EOFError, OSError, msgspec.DecodeError):
                await self._discard(worker)
                return Answer(None, _EXCEEDED.reason)
            except BaseException:  # cancelled half way: the pipe holds half a conversation
                await self._discard(worker)
                raise
            await self._put_back(worker)
        return answer

    async def keep_warm(self) -> None:
        """From now on one process is always there, with its language model: what a hub posts must not wait for a start.

        Returns when the first one is ready.
        """
        self._keep = 1
        self._warm_up()
        if self._warming is not None:
            await asyncio.wait([self._warming])

    def _warm_up(self) -> None:
        if not self._all and (self._warming is None or self._warming.done()):
            self._warming = asyncio.create_task(self._ask(Job(_SAMPLE, "", "")), name="parser warm-up")

    async def _put_back(self, worker: _Worker) -> None:
        """The one used last is used next, so that those not needed for a while are found at the other end."""
        if worker.documents >= _DOCUMENTS:
            await self._discard(worker)
        else:
            worker.idle_since = asyncio.get_running_loop().time()
            self._idle.append(worker)
        if self._watch is None or self._watch.done():
            self._watch = asyncio.create_task(self._end_idle(), name="parser idle watch")

    async def _end_idle(self) -> None:
        """Nothing to parse for a while: a bot whose sources are quiet holds no process for them."""
        loop = asyncio.get_running_loop()
        while self._all:
            oldest = self._idle[0].idle_since if self._idle else loop.time()
            await asyncio.sleep(max(1.0, oldest + self._patience - loop.time()))  # noqa: TID251  processes know no fake clock
            while len(self._idle) > self._keep and loop.time() - self._idle[0].idle_since >= self._patience:
                await self._discard(self._idle.pop(0))
            if len(self._all) <= self._keep:
                return

    async def _start(self) -> _Worker:
        beginning = asyncio.ensure_future(
            asyncio.create_subprocess_exec(
                sys.executable, "-X", "utf8", "-c", _PROGRAM, "bot.sources.worker", _ROOT, str(self._seconds),
                stdin=PIPE, stdout=PIPE, stderr=DEVNULL, limit=2**20,
            )
        )  # fmt: skip
        try:
            process = await asyncio.shield(beginning)
        except asyncio.CancelledError:  # half begun, it would be nobody's
            await self._end(beginning)
            raise
        worker = _Worker(process)
        self._all.add(worker)
        try:
            async with asyncio.timeout(_START):
                await worker.read()
        except BaseException:
            await self._discard(worker)
            raise
        return worker

    async def _discard(self, worker: _Worker | None) -> None:
        if worker in self._all:  # one end for each: close and whoever it cancels come here for the same process
            self._all.remove(worker)
            await self._end(worker)
            if self._keep:
                self._warm_up()

    async def _end(self, one: _Worker | asyncio.Future[Process]) -> None:
        """Ends a process, or one that is about to be; goes on to its end when the caller is cancelled."""

        async def end() -> None:
            await (one if isinstance(one, _Worker) else _Worker(await one)).kill()

        ending = asyncio.create_task(end(), name="parser end")
        self._ending.add(ending)
        ending.add_done_callback(self._ending.discard)
        await asyncio.shield(ending)

    async def close(self) -> None:
        """Ends all processes at once; documents in them fail."""
        self._keep = 0
        helping = [task for task in (self._watch, self._warming) if task is not None]
        for task in helping:
            task.cancel()
        # first: a process that is being read from can't be read to its end by another
        await asyncio.gather(*helping, return_exceptions=True)
        self._idle.clear()
        for worker in list(self._all):
            await self._discard(worker)
        await asyncio.gather(*self._ending, return_exceptions=True)


class _Worker:
    """One process and its pipes."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self.documents = 0
        self.idle_since = 0.0

    async def ask(self, frame: bytes) -> bytes:
        """One question, one answer. EOFError when the process ended instead."""
        writer = self._process.stdin
        assert writer is not None
        writer.write(len(frame).to_bytes(_HEADER, "big"))
        writer.write(frame)
        await writer.drain()
        self.documents += 1
        return await self.read()

    async def read(self) -> bytes:
        reader = self._process.stdout
        assert reader is not None
        header = await reader.readexactly(_HEADER)
        return await reader.readexactly(int.from_bytes(header, "big"))

    async def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        # draining the pipes lets asyncio close them with the process; else they stay open until collected
        await self._process.communicate()


def main(seconds: float) -> None:
    """The worker process: answers jobs on standard input until it ends, as it does when the parent dies."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C and stop signals of a whole group are the parent's business
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints does not get between the frames
    limit = _limits(seconds)
    # only here: the main process stays small
    from bot.sources import language  # noqa: PLC0415
    from bot.sources.article import extract  # noqa: PLC0415
    from bot.sources.page import parse_page  # noqa: PLC0415
    from bot.sources.parse import parse, read_cut  # noqa: PLC0415
    from bot.sources.quick import Quick  # noqa: PLC0415

    language.before_loading = functools.partial(_write, out, b"")
    _write(out, b"")
    quick = Quick()
    decoder = msgspec.msgpack.Decoder(Job)
    while (frame := _read(sys.stdin.buffer)) is not None:
        limit()
        job = decoder.decode(frame)
        try:
            if job.article:
                _write(out, msgspec.msgpack.encode(Answer(None, "", extract(job.body, job.content_type, job.url))))
                continue
            if job.selectors is not None:
                result = parse_page(job.body, job.content_type, job.url, job.selectors)
            elif job.cut is not None:
                result = read_cut(job.cut, job.url, quick) or parse(job.cut.join(), "", job.url)
            else:
                result = parse(job.body, job.content_type, job.url, quick)
        except MemoryError:
            return
        answer = Answer(result) if isinstance(result, ParsedFeed) else Answer(None, result.reason)
        _write(out, msgspec.msgpack.encode(answer))


def _limits(seconds: float) -> Callable[[], None]:
    """Bounds the memory now, and gives what bounds the processor time of the next document."""
    try:
        import resource  # noqa: PLC0415  not on Windows, where the clock alone bounds a document
    except ImportError:
        return lambda: None
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    def next_document() -> None:
        usage = resource.getrusage(resource.RUSAGE_SELF)
        _, hard = resource.getrlimit(resource.RLIMIT_CPU)
        resource.setrlimit(resource.RLIMIT_CPU, (int(usage.ru_utime + usage.ru_stime + seconds) + 2, hard))

    return next_document


def _read(stream: BinaryIO) -> bytes | None:
    header = stream.read(_HEADER)
    if len(header) < _HEADER:
        return None
    size = int.from_bytes(header, "big")
    frame = stream.read(size)
    return frame if len(frame) == size else None


def _write(stream: BinaryIO, frame: bytes) -> None:
    stream.write(len(frame).to_bytes(_HEADER, "big"))
    stream.write(frame)
    stream.flush()

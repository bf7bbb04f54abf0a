"""A web server on loopback that does to a poller what the open web does, and notes every request.

Paths name the shapes of the threat table (rows 1-23, 64-66). It runs in a thread with a loop of its own, so that a
test's loop can be watched; it ends with the `with` block.
"""

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import parse_qs, urlsplit

from tests.hostile import documents


@dataclass(frozen=True, slots=True)
class Hit:
    """One request as it came in."""

    path: str
    at: float
    headers: dict[str, str]


@dataclass(slots=True)
class Answer:
    """What to send: a plain response, or what `stream` writes."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


class HostileServer:
    """`with HostileServer() as server: server.url("/gzipbomb")`."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        self.host = host
        self.port = 0
        self.hits: list[Hit] = []
        #: connections taken, whether or not a request came over them: a canary must stay at 0
        self.connections = 0
        #: most requests answered at once
        self.peak = 0
        #: paths answered with what a test puts here
        self.pages: dict[str, Answer | Callable[[Hit], Answer]] = {}
        self._busy = 0
        self._times: Counter[str] = Counter()
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="hostile", daemon=True)

    def url(self, path: str) -> str:
        return f"http://{self.host}:{self.port}{path}"

    def hits_of(self, path: str) -> list[Hit]:
        return [hit for hit in self.hits if urlsplit(hit.path).path == path]

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self) -> None:
        self._stop = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        server = await asyncio.start_server(self._accept, self.host, 0)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            while await self._one(reader, writer):
                pass
        except (OSError, EOFError, asyncio.CancelledError, ValueError):
            pass
        finally:
            self._tasks.discard(task)
            with suppress(OSError):
                writer.transport.abort()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        request = (await reader.readline()).decode("latin-1")
        if not request:
            return False
        headers: dict[str, str] = {}
        while line := (await reader.readline()).decode("latin-1").strip():
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        hit = Hit(request.split(" ")[1], time.monotonic(), headers)
        self.hits.append(hit)
        self._busy += 1
        self.peak = max(self.peak, self._busy)
        try:
            return await self._answer(hit, writer)
        finally:
            self._busy -= 1

    async def _answer(self, hit: Hit, writer: asyncio.StreamWriter) -> bool:
        parts = urlsplit(hit.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        page = self.pages.get(parts.path)
        if page is not None:
            return await self._send(writer, page(hit) if callable(page) else page)
        streamed = getattr(self, f"_stream_{parts.path[1:]}", None)
        if streamed is not None:
            await streamed(writer)
            return False
        shape = getattr(self, f"_page_{parts.path[1:]}", None)
        if shape is None:
            return await self._send(writer, Answer(b"no such page", 404))
        self._times[parts.path] += 1
        return await self._send(writer, await asyncio.to_thread(shape, query, hit))

    async def _send(self, writer: asyncio.StreamWriter, answer: Answer) -> bool:
        headers = {"Content-Type": "application/rss+xml", "Content-Length": str(len(answer.body))} | answer.headers
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items() if value)
        writer.write(f"HTTP/1.1 {answer.status} X\r\n{head}\r\n".encode("latin-1") + answer.body)
        await writer.drain()
        return headers.get("Connection") != "close"

    # ---- shapes that are a response

    def _page_ok(self, query: dict[str, str], hit: Hit) -> Answer:
        return Answer(documents.OK)

    def _page_slowok(self, query: dict[str, str], hit: Hit) -> Answer:
        time.sleep(float(query.get("s", "0.2")))
        return Answer(documents.OK)

    def _page_slowhop(self, query: dict[str, str], hit: Hit) -> Answer:
        time.sleep(0.3)
        return Answer(b"", 302, {"Location": "/slowhop"})

    def _page_304(self, query: dict[str, str], hit: Hit) -> Answer:
        if hit.headers.get("if-none-match") == '"one"':
            return Answer(b"", 304, {"ETag": '"one"', "Content-Length": ""})
        return Answer(documents.OK, 200, {"ETag": '"one"', "Last-Modified": "Mon, 02 Nov 2026 08:00:00 GMT"})

    def _page_always304(self, query: dict[str, str], hit: Hit) -> Answer:
        return Answer(b"", 304, {"Content-Length": ""})

    def _page_newetag(self, query: dict[str, str], hit: Hit) -> Answer:
        """Row 65: the ETag differs each time, the body does not."""
        return Answer(documents.gzipped(documents.OK), 200, {"ETag": f'"{len(self.hits)}"', "Content-Encoding": "gzip"})

    def _page_oddheaders(self, query: dict[str, str], hit: Hit) -> Answer:
        """Validators and a content type with control characters, or with bytes that are no UTF-8."""
        odd = {"control": '"\x01\x7f"', "bytes": '"\xff\xfe"'}[query["shape"]]
        kind = f"text/xml; charset={odd}"
        return Answer(documents.OK, headers={"ETag": odd, "Last-Modified": odd, "Content-Type": kind})

    def _page_gzip(self, query: dict[str, str], hit: Hit) -> Answer:
        return Answer(documents.gzipped(documents.OK), 200, {"Content-Encoding": "gzip"})

    def _page_gzipbomb(self, query: dict[str, str], hit: Hit) -> Answer:
        return Answer(documents.gzip_bomb(), 200, {"Content-Encoding": "gzip"})

    def _page_deflatebomb(self, query: dict[str, str], hit: Hit) -> Answer:
        import zlib

        return Answer(zlib.compress(b" " * 100_000_000, 9), 200, {"Content-Encoding": "deflate"})

    def _page_doublegzip(self, query: dict[str, str], hit: Hit) -> Answer:
        inner = documents.gzipped(documents.OK)
        return Answer(documents.gzipped(inner), 200, {"Content-Encoding": "gzip, gzip"})

    def _page_gziplie(self, query: dict[str, str], hit: Hit) -> Answer:
        return Answer(documents.OK, 200, {"Content-Encoding": "gzip"})

    def _page_gzipcut(self, query: dict[str, str], hit: Hit) -> Answer:
        return Answer(documents.gzipped(documents.OK)[:-20], 200, {"Content-Encoding": "gzip"})

    def _page_brotli(self, query: dict[str, str], hit: Hit) -> Answer:
        return Answer(b"\x0b\x02\x80ok\x03", 200, {"Content-Encoding": "br"})

    def _page_saidhuge(self, query: dict[str, str], hit: Hit) -> Answer:
        return Answer(b"x", 200, {"Content-Length": "100000000000", "Connection": "close"})

    def _page_status(self, query: dict[str, str], hit: Hit) -> Answer:
        headers = {"Retry-After": query.get("after", ""), "Date": query.get("date", "")}
        return Answer(b"" if query["code"] == "204" else b"<html>no</html>", int(query["code"]), headers)

    def _page_redir(self, query: dict[str, str], hit: Hit) -> Answer:
        return Answer(b"", int(query.get("code", "302")), {"Location": query.get("to", "")})

    def _page_loop(self, query: dict[str, str], hit: Hit) -> Answer:
        return Answer(b"", 302, {"Location": "/loop"})

    def _page_chain(self, query: dict[str, str], hit: Hit) -> Answer:
        left = int(query["n"])
        to = f"/chain?n={left - 1}&code={query.get('code', '302')}" if left else "/ok"
        return Answer(b"", int(query.get("code", "302")), {"Location": to})

    def _page_fresh(self, query: dict[str, str], hit: Hit) -> Answer:
        names = {"control": "Cache-Control", "expires": "Expires", "date": "Date", "age": "Age"}
        return Answer(documents.OK, 200, {names[name]: value for name, value in query.items()})

    # ---- shapes below HTTP

    async def _stream_huge(self, writer: asyncio.StreamWriter) -> None:
        """Row 2: never ends."""
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n\r\n<rss>")
        while True:
            writer.write(b"x" * 65536)
            await writer.drain()

    async def _stream_drip(self, writer: asyncio.StreamWriter) -> None:
        """Row 3: a byte every tenth of a second, for ever."""
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: 1000000\r\n\r\n")
        await self._drip(writer, b"x")

    async def _stream_slowheaders(self, writer: asyncio.StreamWriter) -> None:
        """Row 3: headers that never end."""
        writer.write(b"HTTP/1.1 200 OK\r\n")
        await self._drip(writer, b"X-A: b\r\n")

    async def _stream_hang(self, writer: asyncio.StreamWriter) -> None:
        """Row 3: silence."""
        await self._stop.wait()

    async def _stream_manyheaders(self, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n")
        for i in range(100_000):
            writer.write(b"X-%d: %b\r\n" % (i, b"y" * 1000))
            await writer.drain()

    async def _stream_interim(self, writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(b"HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n" * 1000)
            await writer.drain()

    async def _stream_garbage(self, writer: asyncio.StreamWriter) -> None:
        writer.write(b"\x00\x01SSH-2.0-OpenSSH_9.2\r\n\r\n")
        await writer.drain()

    async def _stream_cut(self, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n<rss>")
        await writer.drain()

    async def _drip(self, writer: asyncio.StreamWriter, piece: bytes) -> None:
        while True:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.1)

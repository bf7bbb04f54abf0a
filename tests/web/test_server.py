"""The HTTP side against hostile clients, over real sockets."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Mapping

import aiohttp
import pytest

from bot.web.server import BODY, CONNECTIONS, WebServer


class Hook:
    def __init__(self) -> None:
        self.bodies: list[bytes] = []

    async def __call__(self, headers: Mapping[str, str], body: bytes) -> tuple[int, str, bytes]:
        if headers.get("x-secret") != "right":
            return 401, "text/plain", b"no"
        self.bodies.append(body)
        if body == b"bug":
            raise RuntimeError("inside")
        return 200, "application/json", b"{}"


@contextlib.asynccontextmanager
async def serving(trouble: str = "") -> AsyncIterator[tuple[str, Hook]]:
    async def ready() -> str:
        return trouble

    hook = Hook()
    server = WebServer("127.0.0.1", 0, ready=ready, webhooks={"/webhooks/test": hook})
    await server.start()
    try:
        yield f"http://127.0.0.1:{server.port}", hook
    finally:
        await server.close()


async def get(url: str, **more: object) -> tuple[int, str, Mapping[str, str]]:
    async with aiohttp.ClientSession() as session, session.get(url, **more) as answer:  # type: ignore[arg-type]
        return answer.status, await answer.text(), answer.headers


async def test_health_and_readiness() -> None:
    """Alive is not ready: a balancer asks for one, a supervisor for the other."""
    async with serving() as (url, _):
        assert (await get(f"{url}/healthz"))[:2] == (200, "ok\n")
        assert (await get(f"{url}/readyz"))[:2] == (200, "ready\n")
    async with serving("the store is locked") as (url, _):
        assert (await get(f"{url}/healthz"))[0] == 200
        assert (await get(f"{url}/readyz"))[:2] == (503, "not ready: the store is locked\n")


async def test_webhooks_get_headers_and_raw_body() -> None:
    """Signatures are over the bytes as they came, and header names have no case."""
    async with serving() as (url, hook), aiohttp.ClientSession() as session:
        async with session.post(f"{url}/webhooks/test", data=b'{"a": 1}', headers={"X-SECRET": "right"}) as answer:
            assert (answer.status, await answer.read(), answer.content_type) == (200, b"{}", "application/json")
        async with session.post(f"{url}/webhooks/test", data=b"x") as answer:
            assert answer.status == 401
        assert hook.bodies == [b'{"a": 1}']


@pytest.mark.parametrize(
    "path", ["/static/%2e%2e/%2e%2e/etc/passwd", "/../etc/passwd", "/<script>alert(1)</script>", "/"]
)
async def test_rows_43_44_unknown_paths_echo_nothing(path: str) -> None:
    """No file is served, nothing of the request comes back, and browsers may run nothing."""
    async with serving() as (url, _):
        status, body, headers = await get(
            url + path, headers={"X-Forwarded-For": "127.0.0.1", "X-Forwarded-Host": "evil"}
        )
    assert (status, body) == (404, "not found\n")
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert headers["Server"] == "tocsin"


async def test_row_42_a_huge_body_is_refused_and_health_stays() -> None:
    """100 MB never get into memory: 413 after the limit, with or without a stated length."""

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(1600):
            yield b"x" * 65536

    async with serving() as (url, hook), aiohttp.ClientSession() as session:
        for data in (endless(), b"x" * (BODY + 1)):
            with contextlib.suppress(aiohttp.ClientError):
                async with session.post(f"{url}/webhooks/test", data=data, headers={"X-Secret": "right"}) as answer:
                    assert answer.status == 413
            assert (await get(f"{url}/healthz"))[0] == 200
        assert hook.bodies == []


async def test_row_42_a_crowd_of_silent_connections_does_not_shut_the_door() -> None:
    """Connections that send nothing give way; a new request is served at once."""
    async with serving() as (url, _):
        port = int(url.rpartition(":")[2])
        crowd = [await asyncio.open_connection("127.0.0.1", port) for _ in range(CONNECTIONS + 40)]
        for _, writer in crowd[::2]:
            writer.write(b"POST /webhooks/test HTTP/1.1\r\nContent-Length: 99\r\n\r\nx")
        async with asyncio.timeout(3):
            assert (await get(f"{url}/healthz"))[0] == 200
            for reader, _ in crowd[:40]:
                with contextlib.suppress(ConnectionError):
                    assert await reader.read() == b"", "the longest open ones are closed"
        for _, writer in crowd:
            writer.transport.abort()


async def test_row_68_nothing_of_a_request_reaches_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """Garbage, line feeds and long fields from outside leave no trace above DEBUG; an inner failure is one record."""
    caplog.set_level(logging.INFO)
    async with serving() as (url, _):
        port = int(url.rpartition(":")[2])
        for raw in (
            b"\r\n\r\nINJECTED level=critical\r\n\r\n",
            b"GET /INJECTED HTTP/9\r\n\r\n",
            b"GET / HTTP/1.1\r\nA:" + b"INJECTED" * 9000,
        ):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(raw)
            with contextlib.suppress(TimeoutError, ConnectionError):
                async with asyncio.timeout(0.3):
                    await reader.read()
            writer.close()
        async with aiohttp.ClientSession() as session:
            async with session.post(f"{url}/webhooks/test", data=b"INJECTED\n" * 100) as answer:
                assert answer.status == 401
            async with session.post(f"{url}/webhooks/test", data=b"bug", headers={"X-Secret": "right"}) as answer:
                assert (answer.status, await answer.text()) == (500, "internal error\n")
    assert "INJECTED" not in caplog.text
    assert len(caplog.records) == 1

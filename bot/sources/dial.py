"""How the fetcher reaches a host: when it is its turn, by which addresses, and over what kind of connection."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import socket
import threading
from collections import deque
from typing import TYPE_CHECKING, Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.client_proto import ResponseHandler

from bot.sources.guard import AddressRefused

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bot.sources.guard import Guard

#: interim answers (1xx) to one request
_INTERIM = 20


class Connector(aiohttp.TCPConnector):
    """Connections that end when a server sends interim answers (1xx) without end: aiohttp reads them all, in one go."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._factory = functools.partial(_Protocol, loop=self._loop)  # type: ignore[assignment]  # partials are invariant


class _Protocol(ResponseHandler):
    """One connection."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self._interim = 0

    def feed_data(self, data: Any, size: int = 0) -> None:
        """Takes one answer's head and body."""
        if data[0].code >= 200:
            self._interim = 0
        elif self._interim < _INTERIM:
            self._interim += 1
        else:
            if self.transport is not None and not self.transport.is_closing():
                self.set_exception(aiohttp.http.HttpProcessingError(message="too many interim answers"))
                self.transport.abort()
            return
        super().feed_data(data, size)


class HostSlots:
    """At most N at a time per host; hosts without a request take no memory."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._busy: dict[str, int] = {}
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}

    @contextlib.asynccontextmanager
    async def turn(self, host: str) -> AsyncIterator[None]:
        """`take` and `leave`."""
        await self.take(host)
        try:
            yield
        finally:
            self.leave(host)

    async def take(self, host: str) -> None:
        """Waits for its turn, first come first served."""
        if self._busy.get(host, 0) < self._limit:
            self._busy[host] = self._busy.get(host, 0) + 1
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(host, deque()).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():  # it was handed over in the same moment: hand it on
                self.leave(host)
            raise

    def leave(self, host: str) -> None:
        """Hands the slot to who waits longest, else frees it."""
        queue = self._waiting.get(host)
        while queue:
            turn = queue.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._waiting.pop(host, None)
        self._busy[host] -= 1
        if not self._busy[host]:
            del self._busy[host]


class GuardedResolver(AbstractResolver):
    """Leaves only addresses that may be dialled, so that a mixed answer is used as far as it is public."""

    def __init__(self, inner: AbstractResolver, guard: Guard) -> None:
        self._inner = inner
        self._guard = guard

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        results = []
        for result in await self._inner.resolve(host, port, family):
            try:
                self._guard.check(result["host"])
            except AddressRefused:
                continue
            results.append(result)
        if not results:
            raise AddressRefused
        return results

    async def close(self) -> None:
        await self._inner.close()


class ThreadResolver(AbstractResolver):
    """getaddrinfo in a thread of its own: a name server that hangs holds up neither other names nor the exit."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[list[Any]] = loop.create_future()

        def tell(infos: list[Any], error: Exception | None) -> None:
            if not answer.done():
                answer.set_exception(error) if error else answer.set_result(infos)

        def ask() -> None:
            infos: list[Any] = []
            failure: Exception | None = None
            try:
                infos = socket.getaddrinfo(host, port, family=family, type=socket.SOCK_STREAM)
            except (OSError, UnicodeError) as error:
                failure = error if isinstance(error, OSError) else socket.gaierror(socket.EAI_NONAME, "not a host name")
            try:
                loop.call_soon_threadsafe(tell, infos, failure)
            except RuntimeError:  # the loop closed meanwhile: nobody waits
                return

        threading.Thread(target=ask, name="resolve", daemon=True).start()
        return [
            ResolveResult(
                hostname=host,
                host=str(address[0]),
                port=port,
                family=kind,
                proto=protocol,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for kind, _, protocol, _, address in await answer
        ]

    async def close(self) -> None:
        """Threads end by themselves."""

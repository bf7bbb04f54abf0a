"""The address that WebSub hubs call: GET to confirm, POST to bring what is new. Who knows the key in it is the hub."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Protocol

    class Subscriber(Protocol):
        """What the routes hand on to (`bot.push.Push`)."""

        async def confirm(self, key: str, query: Mapping[str, str]) -> tuple[int, str]: ...

        async def receive(self, key: str, content_type: str, signature: str, body: bytes) -> int: ...


#: below it each lease has its own path
PATH = "/websub"
#: seconds in which a post must arrive
_PATIENCE = 30.0


def routes(subscriber: Subscriber, cap: int) -> list[web.RouteDef]:
    """The two routes. Bodies are read up to `cap` bytes, unpacked or not."""

    async def confirm(request: web.Request) -> web.Response:
        status, challenge = await subscriber.confirm(request.match_info["key"], request.query)
        # a challenge is repeated as it came, and must never be a page
        return web.Response(status=status, text=challenge, content_type="text/plain")

    async def receive(request: web.Request) -> web.Response:
        try:
            async with asyncio.timeout(_PATIENCE):
                body = await _read(request, cap)
        except web.RequestPayloadError:  # cut short, or not packed as it says
            raise web.HTTPBadRequest from None
        kind, signature = request.headers.get("Content-Type", "")[:200], request.headers.get("X-Hub-Signature", "")
        return web.Response(status=await subscriber.receive(request.match_info["key"], kind, signature, body))

    path = f"{PATH}/{{key}}"
    return [web.get(path, confirm, allow_head=False), web.post(path, receive)]


async def _read(request: web.Request, cap: int) -> bytes:
    """The body; 413 above the cap, before more of it is read."""
    if (request.content_length or 0) > cap:
        raise web.HTTPRequestEntityTooLarge(cap, request.content_length or 0)
    parts: list[bytes] = []
    size = 0
    async for part in request.content.iter_any():
        size += len(part)
        if size > cap:
            raise web.HTTPRequestEntityTooLarge(cap, size)
        parts.append(part)
    return b"".join(parts)

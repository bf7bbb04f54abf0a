"""A WebSub hub on loopback: takes subscriptions, asks back, posts signed bodies. It ends with the `async with` block."""

import asyncio
import hashlib
import hmac
from typing import Self

import aiohttp
from aiohttp import web


class Hub:
    """`async with Hub() as hub: feed names hub.url; await hub.publish(topic, body)`."""

    def __init__(self) -> None:
        #: what was asked, in order
        self.asked: list[dict[str, str]] = []
        #: topic → what is subscribed, confirmed
        self.subscribed: dict[str, dict[str, str]] = {}
        #: answers to our questions: (mode, status, text)
        self.answers: list[tuple[str, int, str]] = []
        self.lease_seconds: int | None = 864_000
        #: status of the answer to a request
        self.status = 202
        #: "confirm", "deny", or "ignore"
        self.mood = "confirm"
        #: ask back before the request is answered, as PubSubHubbub's sync mode did
        self.synchronous = False
        self.url = ""
        self._tasks: set[asyncio.Task[tuple[int, str]]] = set()

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_post("/hub", self._subscribe)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}/hub"
        self._session = aiohttp.ClientSession()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.settled()
        await self._session.close()
        await self._runner.cleanup()

    async def settled(self) -> None:
        """Every question that was begun has its answer."""
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _subscribe(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        self.asked.append(form)
        if self.status < 300 and self.mood != "ignore":
            if self.synchronous:
                await self.ask_back(form)
            else:
                task = asyncio.create_task(self.ask_back(form))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
        return web.Response(status=self.status)

    async def ask_back(self, form: dict[str, str], **other: str) -> tuple[int, str]:
        mode = "denied" if self.mood == "deny" else form["hub.mode"]
        query = {"hub.mode": mode, "hub.topic": form["hub.topic"]}
        if mode == "denied":
            query["hub.reason"] = "we <b>do not</b> like you\n"
        else:
            query["hub.challenge"] = "a challenge & <script>"
            if self.lease_seconds is not None and mode == "subscribe":
                query["hub.lease_seconds"] = str(self.lease_seconds)
        query |= other
        async with self._session.get(form["hub.callback"], params=query) as answer:
            text = await answer.text()
            self.answers.append((mode, answer.status, text))
            if answer.status == 200 and text == query.get("hub.challenge"):
                if mode == "subscribe":
                    self.subscribed[form["hub.topic"]] = form
                else:
                    self.subscribed.pop(form["hub.topic"], None)
            return answer.status, text

    async def publish(
        self, topic: str, body: bytes, *, method: str = "sha256", signature: str | None = None
    ) -> tuple[int, str]:
        """Posts a body as the hub does; `signature` instead of the right one."""
        if signature is None:
            digest = hmac.new(self.subscribed[topic]["hub.secret"].encode(), body, getattr(hashlib, method)).hexdigest()
            signature = f"{method}={digest}"
        return await self.publish_to(self.subscribed[topic], body, signature)

    async def publish_to(self, form: dict[str, str], body: bytes, signature: str = "") -> tuple[int, str]:
        headers = {"Content-Type": "application/rss+xml", "X-Hub-Signature": signature}
        async with self._session.post(form["hub.callback"], data=body, headers=headers) as answer:
            return answer.status, await answer.text()

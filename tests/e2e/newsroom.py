"""Outlets that go on publishing invented stories, one new document for each that was proved to be taken in.

A document is replaced only when a request's If-None-Match shows that its entries are stored, so nothing that was
published can be missed through the fault of anybody but the bot, however often that is killed. Every story names one
keyword, and otherwise words of its own, so that no two are taken for one event.
"""

import asyncio
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from random import Random

from aiohttp import web

KEYWORDS = ("lighthouse", "quarry", "aqueduct", "observatory", "vineyard", "shipyard")
_VERBS = ("opens beside", "closes", "rebuilds", "surveys", "inherits", "repaints", "auctions", "maps")
_SYLLABLES = ("bra", "cel", "dun", "fer", "gol", "hav", "jor", "kul", "lim", "mor", "nab", "pel", "qua", "rus", "tev", "vol")  # fmt: skip
_SHOWN = 12
_HANGING = "hanging"


_HEADLINE = re.compile(rf"[A-Z][a-z]+ (?:{'|'.join(_VERBS)}) [A-Z][a-z]+ (?:{'|'.join(KEYWORDS)})")


def headlines(text: str) -> list[str]:
    """The headlines that a message shows, in order; a digest shows several. Takes time with the text alone, however
    much was published.
    """
    return _HEADLINE.findall(text)


def invented(rng: Random, borne: set[str]) -> str:
    """A name that nobody bears, and from now on somebody does. A name that came twice would make one event of two."""
    while (name := "".join(rng.choice(_SYLLABLES) for _ in range(4)).capitalize()) in borne:
        pass
    borne.add(name)
    return name


class Newsroom:
    """The outlets, as a server on loopback. `story` says which keyword a headline has."""

    def __init__(self, outlets: int, rng: Random, *, secret: str = "") -> None:
        self._rng = rng
        self._secret = secret
        self._borne: set[str] = set()
        self._at = dict.fromkeys((f"outlet{n}" for n in range(outlets)), 0)
        #: by outlet, in order of publication; the first document is the baseline, and rings nobody
        self.published: dict[str, list[str]] = {outlet: [] for outlet in self._at}
        #: headline → keyword
        self.keyword: dict[str, str] = {}
        #: nothing new is written any more
        self.closed = False
        #: outlets whose last document was proved to be taken in since `closed`
        self.finished: set[str] = set()
        self.requests = 0
        #: when each outlet was asked, by time.monotonic()
        self.asked: dict[str, list[float]] = {outlet: [] for outlet in self._at}
        #: headline → when the document that brought it was sent: again and again until a request proves it was taken in
        self.sent: dict[str, list[float]] = {}
        #: when a document that was proved to be taken in had been sent, and when it was proved
        self.taken: list[tuple[float, float]] = []
        #: by outlet, what its last document brought
        self._new: dict[str, list[str]] = {outlet: [] for outlet in self._at}
        #: one source more, which brings nothing, answers nobody any more
        self.hanging = False
        #: told of every document that is about to be sent
        self.on_serve: Callable[[], None] = lambda: None
        self._runner: web.AppRunner | None = None
        self.port = 0

    async def start(self) -> "Newsroom":
        app = web.Application()
        app.router.add_get(f"/{_HANGING}.xml", self._hang)
        app.router.add_get("/{outlet}.xml", self._serve)
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.2)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.port = self._runner.addresses[0][1]
        return self

    async def stop(self) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    def sources(self) -> str:
        """As a part of the bot's configuration; a secret stands in the query, as private feeds have it."""
        key = f"?token={self._secret}" if self._secret else ""
        return "\n".join(
            f'[[source]]\nurl = "http://127.0.0.1:{self.port}/{outlet}.xml{key}"\nname = "{outlet}"\n'
            for outlet in (_HANGING, *self._at)
        )

    def expected(self, keywords: set[str]) -> dict[str, list[str]]:
        """What a chat with these keywords must have been told: headlines by outlet, in order."""
        return {
            outlet: [title for title in titles if self.keyword[title] in keywords]
            for outlet, titles in self.published.items()
        }

    def taken_in_since(self, moment: float) -> float:
        """When it was first proved that a document was taken in which was sent after this moment; 0.0 when it was not."""
        return next((proved for sent, proved in self.taken if sent > moment), 0.0)

    def write(self, outlet: str) -> None:
        """A new document, with two to four headlines more."""
        self._new[outlet] = []
        for _ in range(self._rng.randint(2, 4)):
            keyword = self._rng.choice(KEYWORDS)
            one, other = invented(self._rng, self._borne), invented(self._rng, self._borne)
            title = f"{one} {self._rng.choice(_VERBS)} {other} {keyword}"
            self.keyword[title] = keyword
            self.published[outlet].append(title)
            self._new[outlet].append(title)
        self._at[outlet] += 1

    async def _serve(self, request: web.Request) -> web.Response:
        self.requests += 1
        outlet = request.match_info["outlet"]
        self.asked[outlet].append(time.monotonic())
        if request.headers.get("If-None-Match", "") == f'"{self._at[outlet]}"':
            if len(self.asked[outlet]) > 1:
                self.taken.append((self.asked[outlet][-2], self.asked[outlet][-1]))
            if self.closed:
                self.finished.add(outlet)
                return web.Response(status=304)
            self.write(outlet)
        for title in self._new[outlet]:
            self.sent.setdefault(title, []).append(self.asked[outlet][-1])
        self.on_serve()
        etag = {"ETag": f'"{self._at[outlet]}"'}
        return web.Response(text=self._document(outlet), content_type="application/rss+xml", headers=etag)

    async def _hang(self, _: web.Request) -> web.Response:
        if self.hanging:
            await asyncio.Event().wait()
        return web.Response(text=self._document(_HANGING), content_type="application/rss+xml")

    def _document(self, outlet: str) -> str:
        titles = self.published.get(outlet, [])
        first = max(0, len(titles) - _SHOWN)
        start = datetime(2026, 3, 2, tzinfo=UTC)
        items = "".join(
            f"<item><title>{title}</title><link>http://{outlet}.example/{number}</link><guid>{outlet}-{number}</guid>"
            f"<pubDate>{format_datetime(start + timedelta(minutes=number))}</pubDate></item>"
            for number, title in enumerate(titles[first:], first)
        )
        return f'<rss version="2.0"><channel><title>{outlet}</title>{items}</channel></rss>'

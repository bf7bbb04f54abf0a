"""The page: what is going on, for who runs the bot. Read only, but for pausing a source or a chat and trying again what
was given up, which need the token.

Sections are shown whole, and again as the part that changes (`part=1`) to a page that asks every few seconds; both have
an ETag, so that nothing is sent twice.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from datetime import UTC, datetime
from importlib.resources import files
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import structlog
import xxhash
from aiohttp import web

from bot import __version__
from bot.alerts.outbox import revived
from bot.i18n import _, nearest, speaking
from bot.model import DeliveryState
from bot.sources.urls import mask_url
from bot.web.door import COOKIE, STAYS, is_encrypted
from bot.web.server import PATIENCE
from bot.web.show import environment, key_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from bot.model import Reply
    from bot.ports import Clock, Store
    from bot.web.board import Board
    from bot.web.door import Door

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

log = structlog.get_logger()

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_PAGE_HEADERS = {"Content-Security-Policy": CSP, "Cache-Control": "private, no-cache", "X-Frame-Options": "DENY"}
_STATIC = {"page.css": "text/css", "htmx.min.js": "text/javascript", "bell.svg": "image/svg+xml"}
#: rows of a section on its own page, and on the first one
PER_PAGE = {"stories": 30, "alerts": 30, "sources": 50, "subscriptions": 50, "outbox": 30}
FEW = {"stories": 12, "alerts": 6, "sources": 8, "subscriptions": 8, "outbox": 5}
_MOST_PAGES = 1000
#: characters of a query that is tried, and seconds it may take
LONGEST_QUERY = 1000
_TRIAL = 15.0
#: rows that were given up among which a form finds its own
_REVIVABLE = 1000

WAITING = frozenset({DeliveryState.DUE, DeliveryState.WAITING})
DEAD = frozenset({DeliveryState.DEAD})


class Pages:
    """The routes of the page."""

    def __init__(
        self,
        *,
        board: Board,
        door: Door,
        store: Store,
        clock: Clock,
        ready: Callable[[], Awaitable[str]],
        trial: Callable[[str], Awaitable[Reply]],
        wake: Callable[[], None],
    ) -> None:
        """`ready` says what keeps the bot from working; `trial` answers what a query would have sent; `wake` is called
        when something may be due again.
        """
        self._board, self._door, self._store, self._clock = board, door, store, clock
        self._ready, self._trial, self._wake = ready, trial, wake
        self._templates = environment()
        self._trying = asyncio.Lock()
        static = files("bot.web") / "static"
        self._static = {name: (static / name).read_bytes() for name in _STATIC}
        #: stands in the addresses of what never changes, so that a new version is fetched
        self._mark = xxhash.xxh3_64_hexdigest(b"".join(self._static.values()))[:8]

    def routes(self) -> list[web.RouteDef]:
        """Everything but health checks, metrics and webhooks."""
        shown = {"/": "overview", **{f"/{name}": name for name in PER_PAGE}}
        return [
            *(web.get(path, self._guarded(self._section(name))) for path, name in shown.items()),
            web.get("/stories/{story}", self._guarded(self._story)),
            web.get("/try", self._guarded(self._try)),
            web.get("/login", self._login_form),
            web.post("/login", self._login),
            web.post("/logout", self._acting(self._logout)),
            web.post("/sources/pause", self._acting(self._pause_source)),
            web.post("/chats/pause", self._acting(self._pause_chat)),
            web.post("/outbox/retry", self._acting(self._retry)),
            *(web.get(f"/static/{name}", self._file(name)) for name in _STATIC),
        ]

    # ------------------------------------------------------------ who may

    def _guarded(self, handler: Handler) -> Handler:
        async def guarded(request: web.Request) -> web.StreamResponse:
            if self._door.shut(request.host):
                raise web.HTTPForbidden(text=_shut())
            if not self._door.knows(request.headers, request.cookies.get(COOKIE, "")):
                if "part" in request.query:
                    raise web.HTTPUnauthorized
                return _go_to("/login")
            with speaking(_language(request)):
                return await handler(request)

        return guarded

    def _acting(self, handler: Callable[[Mapping[str, Any]], Awaitable[str]]) -> Handler:
        """A form of ours: does what it says, and goes back to the section that `handler` names."""

        async def acting(request: web.Request) -> web.StreamResponse:
            cookie = request.cookies.get(COOKIE, "")
            form = await _form(request)
            if not self._door.may_act(request.headers, cookie, str(form.get("word", ""))):
                raise web.HTTPForbidden
            back = await handler(form)
            self._board.forget()
            response = _go_to(back)
            if back == "/login":
                response.del_cookie(COOKIE)
            return response

        return acting

    # ------------------------------------------------------------ what is shown

    def _section(self, name: str) -> Handler:
        async def show(request: web.Request) -> web.StreamResponse:
            page = _page(request)
            only = request.query.get("only", "") if name in ("sources", "outbox") else ""
            data = await (self._overview() if name == "overview" else self._rows(name, page, only))
            query = {key: value for key, value in (("only", only), ("page", page if page > 1 else "")) if value}
            return await self._answer(request, name, query, {**data, "page": page, "only": only})

        return show

    async def _overview(self) -> dict[str, Any]:
        board = self._board
        sources, count = await board.sources(0, FEW["sources"])
        waiting = await board.outbox(WAITING, 0, FEW["outbox"])
        dead = await board.outbox(DEAD, 0, FEW["outbox"])
        return {
            "stories": await board.stories(0, FEW["stories"]),
            "alerts": await board.alerts(0, FEW["alerts"]),
            "sources": sources,
            "source_count": count,
            "chats": await board.subscriptions(0, FEW["subscriptions"]),
            "waiting": waiting,
            "dead": dead,
            "titles": await board.titles([*waiting, *dead]),
            "more": False,
        }

    async def _rows(self, name: str, page: int, only: str) -> dict[str, Any]:
        board, size = self._board, PER_PAGE[name]
        start, ask = (page - 1) * size, size + 1
        if name == "stories":
            stories = await board.stories(start, ask)
            return {"stories": stories[:size], "more": len(stories) > size}
        if name == "alerts":
            alerts = await board.alerts(start, ask)
            return {"alerts": alerts[:size], "more": len(alerts) > size}
        if name == "sources":
            sources, count = await board.sources(start, size, only_failing=only == "failing")
            return {"sources": sources, "source_count": count, "more": start + size < count}
        if name == "subscriptions":
            chats = await board.subscriptions(start, size)
            return {"chats": chats, "more": sum(len(chat.subscriptions) for chat in chats) == size}
        waiting = await board.outbox(WAITING, start, ask) if only != "failed" else []
        dead = await board.outbox(DEAD, start, ask) if only != "held" else []
        more = max(len(waiting), len(dead)) > size
        titles = await board.titles([*waiting, *dead])
        return {"waiting": waiting[:size], "dead": dead[:size], "titles": titles, "more": more}

    async def _story(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["story"]
        found = await self._board.story(name)
        if found is None:
            raise web.HTTPNotFound
        story, entries, alerts = found
        data = {"story": story, "entries": entries, "alerts": alerts, "more": False, "page": 1, "only": ""}
        return await self._answer(request, "story", {}, data, path=f"/stories/{story.id}")

    async def _try(self, request: web.Request) -> web.StreamResponse:
        text = request.query.get("q", "").strip()
        reply, problem = None, ""
        if len(text) > LONGEST_QUERY:
            problem = _("This query is too long to be tried here.")
        elif text:
            try:
                # one at a time: each looks at a week of entries
                async with asyncio.timeout(_TRIAL), self._trying:
                    reply = await self._trial(text)
            except TimeoutError:
                problem = _("This took too long. Try again in a moment, or with fewer words.")
        data = {"query": text[:LONGEST_QUERY], "reply": reply, "problem": problem}
        if request.headers.get("HX-Request"):
            html = self._templates.get_template("answer.html").render(**data)
            headers = {**_PAGE_HEADERS, "Cache-Control": "no-store"}
            return web.Response(text=html, content_type="text/html", headers=headers)
        return await self._answer(request, "try", {"q": text} if text else {}, {**data, "page": 1, "only": ""})

    async def _answer(
        self, request: web.Request, name: str, query: dict[str, Any], data: dict[str, Any], path: str = ""
    ) -> web.StreamResponse:
        """The section as HTML, or nothing when the visitor has it already."""
        cookie = request.cookies.get(COOKIE, "")
        path = path or ("/" if name == "overview" else f"/{name}")
        part = "part" in request.query
        html = self._templates.get_template("live.html" if part else "page.html").render(
            section=name,
            path=path,
            here=f"{path}?{urlencode({**query, 'part': 1})}",
            whole=await self._board.whole(),
            trouble=await self._ready(),
            now=self._clock.now(),
            word=self._door.word_for(cookie),
            door=self._door,
            mark=self._mark,
            version=__version__,
            states=DeliveryState,
            forever=_FOREVER,
            **{"query": "", "reply": None, "problem": "", **data},
        )
        tag = f'"{xxhash.xxh3_64_hexdigest(html.encode())}"'
        headers = {**_PAGE_HEADERS, "ETag": tag, "Vary": "Accept-Language, Cookie"}
        if tag in request.headers.get("If-None-Match", ""):
            return web.Response(status=304, headers=headers)
        return web.Response(text=html, content_type="text/html", headers=headers)

    def _file(self, name: str) -> Handler:
        """One of a few files read at the start: no path of a request ever reaches the disk."""
        body = self._static[name]

        async def send(_request: web.Request) -> web.StreamResponse:
            headers = {"Cache-Control": "public, max-age=31536000, immutable"}
            return web.Response(body=body, content_type=_STATIC[name], charset="utf-8", headers=headers)

        return send

    # ------------------------------------------------------------ coming and going

    async def _login_form(self, request: web.Request) -> web.StreamResponse:
        return self._login_page(request, wrong=False)

    def _login_page(self, request: web.Request, *, wrong: bool) -> web.Response:
        if not self._door.has_token:
            if self._door.shut(request.host):
                raise web.HTTPForbidden(text=_shut())
            return _go_to("/")
        with speaking(_language(request)):
            html = self._templates.get_template("login.html").render(wrong=wrong, mark=self._mark)
        headers = {**_PAGE_HEADERS, "Cache-Control": "no-store"}
        return web.Response(text=html, content_type="text/html", headers=headers, status=401 if wrong else 200)

    async def _login(self, request: web.Request) -> web.StreamResponse:
        form = await _form(request)
        cookie = await self._door.login(str(form.get("token", "")).strip())
        if not cookie:
            return self._login_page(request, wrong=True)
        response = _go_to("/")
        secure = is_encrypted(request.headers)
        response.set_cookie(COOKIE, cookie, max_age=STAYS, httponly=True, samesite="Strict", secure=secure)
        return response

    async def _logout(self, _form: Mapping[str, Any]) -> str:
        return "/login"

    # ------------------------------------------------------------ what may be done

    async def _pause_source(self, form: Mapping[str, Any]) -> str:
        paused = form.get("paused") == "yes"
        for feed, _state in await self._store.feeds():
            if key_of(feed.id) == form.get("source"):
                await self._store.pause_feed(feed.id, paused=paused)
                log.info("source paused" if paused else "source resumed", feed=mask_url(feed.id))
                return "/sources"
        raise web.HTTPNotFound

    async def _pause_chat(self, form: Mapping[str, Any]) -> str:
        until = _FOREVER if form.get("paused") == "yes" else None
        for chat in await self._store.chats():
            if key_of(chat.id) == form.get("chat"):
                await self._store.put_chat(replace(chat, paused_until=until))
                log.info("chat paused" if until else "chat resumed", chat=key_of(chat.id)[:4])
                return "/subscriptions"
        raise web.HTTPNotFound

    async def _retry(self, form: Mapping[str, Any]) -> str:
        for row in await self._store.outbox(DEAD, 0, _REVIVABLE):
            if key_of(row.id) == form.get("row"):
                await self._store.revive(revived(row, self._clock.now()))
                self._wake()
                return "/outbox"
        raise web.HTTPNotFound


_FOREVER = datetime.max.replace(tzinfo=UTC)


async def _form(request: web.Request) -> Mapping[str, Any]:
    """What was sent, within the time that a body has."""
    async with asyncio.timeout(PATIENCE):
        return await request.post()


def _go_to(path: str) -> web.Response:
    return web.Response(status=303, headers={"Location": path})


def _shut() -> str:
    return (
        "this page is off: it has no [web] token, and is not asked for on this machine alone.\n"
        "Set token in [web] (any long secret), or open it at http://127.0.0.1 without [web] public_url.\n"
    )


def _page(request: web.Request) -> int:
    with contextlib.suppress(ValueError):
        return min(max(1, int(request.query.get("page", "1")[:6])), _MOST_PAGES)
    return 1


def _language(request: web.Request) -> str:
    """The first wanted language that there is (RFC 9110 section 12.5.4, without weights: browsers send them in order)."""
    for wanted in request.headers.get("Accept-Language", "")[:200].split(",")[:8]:
        tag = wanted.partition(";")[0].strip()
        if tag.lower().startswith("en") or nearest(tag).tag != "en":
            return tag
    return "en"

"""The sample wire: feeds of five invented outlets, served on loopback inside the process.

It gives a newcomer with no network and no token something that rings, grows and develops within seconds. A feed's
first fetch carries old news only, so that what comes later is news to the bot however slowly the machine starts.
"""

from __future__ import annotations

import json
from datetime import timedelta
from email.utils import format_datetime
from hashlib import blake2b
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from aiohttp import web

from bot.model import Feed, FeedId
from bot.sample.news import EDITIONS, OUTLETS, Outlet, Report

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from bot.ports import Clock

#: seconds between polls
INTERVAL = 2.0


class SampleWire:
    """Publishes one edition of invented news, from its start on."""

    def __init__(self, clock: Clock, edition: int | None = None) -> None:
        self._clock = clock
        self._edition = edition
        self._began = clock.now()
        self._sites: dict[str, str] = {}
        self._fetched: set[str] = set()
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Listens on free ports of the loopback; the edition begins now."""
        self._began = self._clock.now()
        if self._edition is None:
            # starts that follow one another bring different news: what rang yesterday would not ring again
            self._edition = int(self._began.timestamp()) // 60
        app = web.Application()
        app.router.add_get("/{outlet}/feed", self._feed)
        app.router.add_get("/{outlet}/{slug}", self._article)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        for number, outlet in enumerate(OUTLETS, 1):
            # a host each, as outlets have: the poller goes easy on one host, and would poll them in turn
            try:
                await web.TCPSite(self._runner, f"127.0.0.{number}", 0).start()
            except OSError:  # systems on which 127.0.0.1 is all of the loopback
                await web.TCPSite(self._runner, "127.0.0.1", 0).start()
            host, port = self._runner.addresses[-1][:2]
            self._sites[outlet.slug] = f"http://{host}:{port}/{outlet.slug}"

    async def close(self) -> None:
        """Stops listening."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def feeds(self) -> tuple[Feed, ...]:
        """What to poll, after `start`."""
        return tuple(
            Feed(
                id=FeedId(f"{self._sites[outlet.slug]}/feed"),
                name=outlet.name,
                language="en",
                tags=("sample",),
                interval=INTERVAL,
                origin="sample",
            )
            for outlet in OUTLETS
        )

    def _reports(self) -> Sequence[Report]:
        return EDITIONS[(self._edition or 0) % len(EDITIONS)]

    def _published(self, outlet: Outlet, seconds: float) -> list[Report]:
        """What the outlet has published so far, newest first."""
        return sorted(
            (report for report in self._reports() if report.outlet == outlet.slug and report.at <= seconds),
            key=lambda report: -report.at,
        )

    async def _feed(self, request: web.Request) -> web.Response:
        outlet = next((o for o in OUTLETS if o.slug == request.match_info["outlet"]), None)
        if outlet is None:
            raise web.HTTPNotFound
        seconds = (self._clock.now() - self._began).total_seconds() if outlet.slug in self._fetched else 0.0
        self._fetched.add(outlet.slug)
        render, content_type = _FORMATS[outlet.format]
        body = render(outlet, self._sites[outlet.slug], self._published(outlet, seconds), self._began, seconds).encode()
        etag = f'"{blake2b(body, digest_size=8).hexdigest()}"'
        if request.headers.get("If-None-Match") == etag:
            return web.Response(status=304, headers={"ETag": etag})
        return web.Response(body=body, headers={"ETag": etag, "Content-Type": content_type})

    async def _article(self, request: web.Request) -> web.Response:
        for report in self._reports():
            if (report.outlet, report.slug) == (request.match_info["outlet"], request.match_info["slug"]):
                text = f"{report.title}\n\n{report.text}\n\n(Invented news of Tocsin's sample wire.)\n"
                return web.Response(text=text)
        raise web.HTTPNotFound


def _when(began: datetime, report: Report) -> datetime:
    return began + timedelta(seconds=report.at)


def _rss(outlet: Outlet, site: str, reports: Sequence[Report], began: datetime, seconds: float) -> str:
    items = []
    for report in reports:
        caption = (
            f'<media:content url="{site}/{report.slug}.jpg" medium="image">'
            f"<media:description>{escape(report.caption)}</media:description></media:content>"
            if report.caption
            else ""
        )
        items.append(
            f"<item><title>{escape(report.headline(seconds))}</title><link>{site}/{report.slug}</link>"
            f'<guid isPermaLink="false">{outlet.slug}:{report.slug}</guid>'
            f"<pubDate>{format_datetime(_when(began, report))}</pubDate>"
            # publishers put HTML and a push to their site here, so the sample does too
            f"<description>{escape(f'<p>{report.text}</p><p>Read more at {outlet.name}</p>')}</description>"
            f"{caption}</item>"
        )
    return (
        '<?xml version="1.0" encoding="utf-8"?><rss version="2.0" xmlns:media="http://search.yahoo.com/mrss/"><channel>'
        f"<title>{outlet.name}</title><link>{site}</link><description>Invented news</description>"
        f"<language>en</language>{''.join(items)}</channel></rss>"
    )


def _atom(outlet: Outlet, site: str, reports: Sequence[Report], began: datetime, seconds: float) -> str:
    newest = _when(began, reports[0]) if reports else began
    entries = "".join(
        f"<entry><id>urn:tocsin:{outlet.slug}:{report.slug}</id><title>{escape(report.headline(seconds))}</title>"
        f'<link href="{site}/{report.slug}"/><updated>{_when(began, report).isoformat()}</updated>'
        f"<published>{_when(began, report).isoformat()}</published><summary>{escape(report.text)}</summary></entry>"
        for report in reports
    )
    return (
        '<?xml version="1.0" encoding="utf-8"?><feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en">'
        f"<id>urn:tocsin:{outlet.slug}</id><title>{outlet.name}</title><updated>{newest.isoformat()}</updated>"
        f"{entries}</feed>"
    )


def _json(outlet: Outlet, site: str, reports: Sequence[Report], began: datetime, seconds: float) -> str:
    items = [
        {
            "id": f"{outlet.slug}:{report.slug}",
            "url": f"{site}/{report.slug}",
            "title": report.headline(seconds),
            "content_text": report.text,
            "date_published": _when(began, report).isoformat(),
        }
        for report in reports
    ]
    return json.dumps(
        {"version": "https://jsonfeed.org/version/1.1", "title": outlet.name, "language": "en", "items": items}
    )


_FORMATS: dict[str, tuple[Callable[[Outlet, str, Sequence[Report], datetime, float], str], str]] = {
    "rss": (_rss, "application/rss+xml; charset=utf-8"),
    "atom": (_atom, "application/atom+xml; charset=utf-8"),
    "json": (_json, "application/feed+json; charset=utf-8"),
}

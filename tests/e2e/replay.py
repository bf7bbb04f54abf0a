"""Recorded polls of real outlets, served again from loopback.

`Publisher` serves one recorded body per outlet, with an ETag. In `paced` mode it moves an outlet on only when a
request proves by its If-None-Match that the body before was taken in and remembered; so nothing that the outlet
published can be missed through the fault of anybody but the bot, however often that is killed.
"""

import io
import tarfile
from collections import defaultdict
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path

from aiohttp import web

from tests.data_dir import shared_data


def document(titles: tuple[str, ...]) -> bytes:
    """A feed of these headlines, oldest first."""
    items = "".join(
        f"<item><title>{t}</title><link>http://news.example/{n}</link><guid>{n}</guid>"
        f"<pubDate>{format_datetime(datetime(2026, 3, 2, 12, n, tzinfo=UTC))}</pubDate></item>"
        for n, t in enumerate(titles)
    )
    return f'<rss version="2.0"><channel><title>North Wire</title>{items}</channel></rss>'.encode()


def recordings() -> dict[str, list[tuple[datetime, bytes]]] | None:
    """Outlet → its bodies in time order; None where the data folder is absent."""
    data = shared_data()
    archive = data / "replay" / "polls.tar.xz" if data else None
    if archive is None or not archive.is_file():
        return None
    found: dict[str, list[tuple[datetime, bytes]]] = defaultdict(list)
    with tarfile.open(fileobj=io.BytesIO(archive.read_bytes()), mode="r:xz") as tar:
        for member in sorted(tar.getmembers(), key=lambda m: m.name):
            body = tar.extractfile(member) if member.isfile() else None
            if body is not None:
                stamp, name = Path(member.name).parts[-2:]
                at = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
                found[name.removesuffix(".xml")].append((at, body.read()))
    return dict(found)


class Publisher:
    """The outlets, as a server on loopback."""

    def __init__(self, bodies: dict[str, list[bytes]], *, paced: bool = False) -> None:
        self.bodies = bodies
        self.at = dict.fromkeys(bodies, 0)
        self.paced = paced
        #: outlets whose last body was taken in
        self.finished: set[str] = set()
        self.requests = 0
        self._runner: web.AppRunner | None = None
        self.host, self.port = "127.0.0.1", 0

    async def start(self, host: str = "127.0.0.1") -> "Publisher":
        app = web.Application()
        app.router.add_get("/{outlet}.xml", self._serve)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, 0)
        await site.start()
        self.host, self.port = self._runner.addresses[0][:2]
        return self

    async def stop(self) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    def url(self, outlet: str) -> str:
        return f"http://{self.host}:{self.port}/{outlet}.xml"

    async def _serve(self, request: web.Request) -> web.Response:
        self.requests += 1
        outlet = request.match_info["outlet"]
        known = request.headers.get("If-None-Match", "")
        if known == f'"{self.at[outlet]}"':
            if not self.paced or self.at[outlet] + 1 >= len(self.bodies[outlet]):
                self.finished.add(outlet)
                return web.Response(status=304)
            self.at[outlet] += 1
        etag = f'"{self.at[outlet]}"'
        body = self.bodies[outlet][self.at[outlet]]
        return web.Response(body=body, content_type="application/rss+xml", headers={"ETag": etag})

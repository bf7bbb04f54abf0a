"""The way to the sample wire: it listens on loopback, where no other source may be fetched from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot import __version__
from bot.sources.fetch import HttpFetcher

if TYPE_CHECKING:
    from bot.model import FetchOutcome, Validators
    from bot.ports import Fetcher
    from bot.sample.wire import SampleWire


class SampleFetcher:
    """Fetches the sample wire past the address guard, and nothing else past it."""

    def __init__(self, wire: SampleWire, public: Fetcher) -> None:
        self._own = {feed.id for feed in wire.feeds()}
        self._public = public
        self._local = HttpFetcher(allow_private=("127.0.0.0/8",), user_agent=f"Tocsin/{__version__}")

    async def fetch(self, url: str, validators: Validators, body_hash: str) -> FetchOutcome:
        fetcher = self._local if url in self._own else self._public
        return await fetcher.fetch(url, validators, body_hash)

    async def close(self) -> None:
        """Closes both ways."""
        await self._local.close()
        await self._public.close()

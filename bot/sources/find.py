"""From a site's address to its feeds: the address itself, forms of well-known sites, what the page names, common paths."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.errors import SourceError
from bot.model import Fetched, FetchFailed, FetchOutcome, ParsedFeed, ParseFailed, Validators
from bot.sources.urls import host_of, mask_url, normalise_url

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable
    from datetime import datetime

#: candidates that are tried
_MOST = 12


@dataclass(frozen=True, slots=True)
class Found:
    """A feed that answered and could be read."""

    #: after permanent redirects
    url: str
    title: str
    entries: int
    #: of its entries; None when they have no dates
    newest: datetime | None


async def find_feeds(
    text: str,
    *,
    fetch: Callable[[str, Validators, str], Awaitable[FetchOutcome]],
    parse: Callable[[bytes, str, str], Awaitable[ParsedFeed | ParseFailed]],
) -> list[Found]:
    """The feeds behind what a person pasted, the most promising first; one when it is a feed's own address.

    `fetch` and `parse` are those of the ports, with their limits and guard. Raises SourceError when there is none,
    with the reason.
    """
    # the HTML parser loads here only: a bot that finds no feeds does without
    from bot.sources import discover  # noqa: PLC0415

    async def check(url: str) -> Found | str:
        outcome = await fetch(url, Validators(), "")
        if not isinstance(outcome, Fetched):
            return outcome.reason if isinstance(outcome, FetchFailed) else "410 Gone"
        return _found(await parse(outcome.body, outcome.content_type, outcome.url), outcome, url)

    async def check_all(urls: Iterable[str]) -> list[Found]:
        tried = list(dict.fromkeys(urls))[:_MOST]
        results = await asyncio.gather(*(check(url) for url in tried))
        return list({one.url: one for one in results if isinstance(one, Found)}.values())

    url = normalise_url(text)
    found = await check_all(discover.known_forms(url))
    if found:
        return found
    outcome = await fetch(url, Validators(), "")
    if not isinstance(outcome, Fetched):
        reason = outcome.reason if isinstance(outcome, FetchFailed) else "410 Gone"
        raise SourceError(f"{mask_url(url)}: {reason}")
    itself = _found(await parse(outcome.body, outcome.content_type, outcome.url), outcome, url)
    if isinstance(itself, Found):
        return [itself]
    named = [one.url for one in await asyncio.to_thread(discover.discover, outcome.body, outcome.url)]
    if host_of(outcome.url).endswith("youtube.com"):
        named.insert(0, discover.channel_of(outcome.body))
    found = await check_all(filter(None, named)) or await check_all(discover.common_paths(outcome.url))
    if not found:
        raise SourceError(f"{mask_url(url)}: {itself}, and no feed was found there")
    return found


def _found(parsed: ParsedFeed | ParseFailed, outcome: Fetched, url: str) -> Found | str:
    if isinstance(parsed, ParseFailed):
        return parsed.reason
    dates = [entry.published for entry in parsed.entries if entry.published]
    return Found(outcome.permanent_url or url, parsed.title, len(parsed.entries), max(dates, default=None))

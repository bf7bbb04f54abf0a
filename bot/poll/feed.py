"""One poll: a claimed feed in, its new state and entries committed, or the next try planned."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

import structlog

from bot.errors import LeaseLost
from bot.model import Fetched, FetchFailed, FetchOutcome, LeasedFeed, ParsedFeed, ParseFailed
from bot.sources.schedule import PollPolicy, after_poll
from bot.sources.trouble import age, to_tell
from bot.sources.urls import mask_url

if TYPE_CHECKING:
    import random
    from datetime import datetime

    from bot.model import FeedId, FeedState
    from bot.ports import Clock, FeedStore, Fetcher, Parser

log = structlog.get_logger(__name__)

#: commits the entries, the state given and the end of the lease at once; gives the number of new entries
Ingest = Callable[[LeasedFeed, "FeedState", ParsedFeed], Awaitable[int]]

#: adds to entries what their feed does not say (`bot.fulltext.FullText`)
Enrich = Callable[[LeasedFeed, ParsedFeed], Awaitable[ParsedFeed]]


class Hubs(Protocol):
    """Who is told of the hubs that feeds name, and knows which feeds these post (`bot.push.Push`)."""

    async def noticed(self, feed: FeedId, hub: str, topic: str) -> None: ...

    async def is_pushed(self, feed: FeedId, silence: float) -> bool: ...

    async def missed(self, feed: FeedId) -> None: ...


async def poll_feed(
    leased: LeasedFeed,
    *,
    fetcher: Fetcher,
    parser: Parser,
    ingest: Ingest,
    store: FeedStore,
    clock: Clock,
    rng: random.Random,
    policy: PollPolicy,
    hubs: Hubs | None = None,
    enrich: Enrich | None = None,
) -> FetchOutcome:
    """One poll, from the claimed feed to its committed state. Gives what the web answered.

    Nothing that a server sends raises. A lease taken over meanwhile drops the poll: its new holder does the work.
    Raises StoreError when the store refuses; the lease then runs out, and the feed is polled again.
    """
    old = leased.state
    outcome = await fetcher.fetch(old.url or leased.feed.id, old.validators, old.body_hash)
    parsed: ParsedFeed | ParseFailed | None = None
    if isinstance(outcome, Fetched):
        parsed = await parser.parse(outcome.body, outcome.content_type, outcome.url, leased.feed.selectors)
        if enrich is not None and isinstance(parsed, ParsedFeed):
            parsed = await enrich(leased, parsed)
    now = clock.now()
    pushed = hubs is not None and await hubs.is_pushed(leased.feed.id, policy.bounds(leased.feed)[2])
    state = after_poll(old, outcome, parsed, now=now, rng=rng, policy=policy, feed=leased.feed, pushed=pushed)
    if to_tell(state, now):
        state = replace(state, told=now)
    try:
        if isinstance(parsed, ParsedFeed):
            new = await ingest(leased, state, parsed)
            if hubs is not None and isinstance(outcome, Fetched):
                if pushed and new:
                    await hubs.missed(leased.feed.id)
                # RFC 8288 links come before those of the document (WebSub, section 4)
                hub = outcome.hub or parsed.hub
                await hubs.noticed(leased.feed.id, hub, hub and (outcome.topic or parsed.topic or outcome.url))
        else:
            await store.save_feed(state, leased.epoch)
    except LeaseLost:
        log.info("lease lost", feed=mask_url(leased.feed.id))
    else:
        _log(leased.feed.id, old, state, now)
    return FetchFailed(parsed.reason, status=200) if isinstance(parsed, ParseFailed) else outcome


def _log(feed: FeedId, old: FeedState, new: FeedState, now: datetime) -> None:
    """A warning now and then for what lasts, and when that is over; the rest is for who asks for more."""
    lasted = age(now - (new.failing_since or old.failing_since or now))
    if new.gone:
        log.warning("source is gone for good and not polled any more", feed=mask_url(feed), reason=new.error)
    elif new.told != old.told and new.told:
        log.warning("source fails", feed=mask_url(feed), lasting=lasted, reason=new.error)
    elif old.told and not new.error:
        log.warning("source is well again", feed=mask_url(feed), after=lasted)
    elif new.error and not old.error:
        log.info("source fails", feed=mask_url(feed), reason=new.error)
    elif old.error and not new.error:
        log.info("source is well again", feed=mask_url(feed))

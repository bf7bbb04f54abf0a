"""What hubs post, in; entries out: WebSub, so that a source need not be asked to be heard at once.

noticed (a poll saw a hub) → tick asks it → confirm (it asks back) → receive (it posts) → parse → ingest
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import structlog

from bot.errors import LeaseLost, StoreError
from bot.model import HubLease, HubState, ParsedFeed
from bot.sources import websub
from bot.sources.urls import mask_url

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Mapping

    from bot.model import FeedId
    from bot.poll.feed import Enrich, Ingest
    from bot.ports import Clock, FeedStore, HubClient, Parser

#: bytes of one post
BODY = 10_000_000
#: seconds for which a feed is ours while what was posted is taken in
_LEASE = 150.0
#: hubs asked at once
_ASKS = 8
#: posts being taken in at once; the next ones wait
_POSTS = 4

log = structlog.get_logger(__name__)


class Push:
    """Keeps leases at the hubs that feeds name, and takes in what these post."""

    def __init__(
        self,
        *,
        store: FeedStore,
        hubs: HubClient,
        parser: Parser,
        ingest: Ingest,
        clock: Clock,
        rng: random.Random,
        token: Callable[[], str],
        callback: str,
        enrich: Enrich | None = None,
    ) -> None:
        """`token` gives texts that nobody can guess; `callback` is the public address below which hubs call us."""
        self._store = store
        self._hubs = hubs
        self._parser = parser
        self._ingest = ingest
        self._clock = clock
        self._rng = rng
        self._token = token
        self._callback = callback
        self._enrich = enrich
        self._asks = asyncio.Semaphore(_ASKS)
        self._posts = asyncio.Semaphore(_POSTS)
        #: a post claims its feed, which must not end the lease of the one before
        self._turn = asyncio.Lock()

    async def noticed(self, feed: FeedId, hub: str, topic: str) -> None:
        """A document of the feed names this hub and topic ("" none): keeps the lease there, and no other."""
        for lease in await self._store.hub_leases(feed=feed):
            if lease.state is HubState.LEAVING:
                continue
            if (lease.hub, lease.topic) == (hub, topic):
                return
            leaving = replace(lease, state=HubState.LEAVING, due=self._clock.now(), failures=0)
            await self._store.put_hub_lease(leaving)
        if hub:
            lease = HubLease(self._token(), feed, hub, topic, self._token(), self._clock.now())
            await self._store.put_hub_lease(lease)

    async def is_pushed(self, feed: FeedId, silence: float) -> bool:
        """Whether a hub posted this feed's news within the last `silence` seconds, and still may."""
        leases = await self._store.hub_leases(feed=feed)
        return any(websub.pushes(lease, self._clock.now(), silence) for lease in leases)

    async def missed(self, feed: FeedId) -> None:
        """A poll found what the hub should have posted: it is not relied on until it posts again."""
        for lease in await self._store.hub_leases(feed=feed):
            if lease.last_push is not None:
                log.info("hub is silent", feed=mask_url(feed), hub=mask_url(lease.hub))
                await self._store.put_hub_lease(replace(lease, last_push=None))

    async def tick(self) -> None:
        """Asks the hubs that are due: for a lease, again, to renew or to end one. Raises StoreError."""
        due = await self._store.hub_leases(due=self._clock.now())
        await asyncio.gather(*map(self._ask, due))

    async def _ask(self, lease: HubLease) -> None:
        async with self._asks:
            listed = await self._store.feed(lease.feed)
            if (listed is None or listed[1].gone) and lease.state is not HubState.LEAVING:
                lease = replace(lease, state=HubState.LEAVING, failures=0)
            asked = websub.asking(lease, self._clock.now(), self._rng)
            if asked is None or (lease.state is HubState.LEAVING and not _was_given(lease)):
                await self._store.drop_hub_lease(lease.key)
                return
            await self._store.put_hub_lease(asked)
            failed = await self._hubs.post(asked.hub, websub.request(asked, self._callback))
            if failed is None:
                return
            log.info("hub refused", feed=mask_url(lease.feed), hub=mask_url(lease.hub), reason=failed.reason)
            now = await self._store.hub_lease(lease.key)
            if now is not None and now.failures:  # it may have been confirmed all the same
                await self._store.put_hub_lease(replace(now, reason=failed.reason))

    async def confirm(self, key: str, query: Mapping[str, str]) -> tuple[int, str]:
        """A hub asks whether we mean it, or says no: the status and the text to answer. Raises StoreError."""
        lease = await self._store.hub_lease(key)
        answer = websub.intent(lease, query, self._clock.now()) if lease is not None else None
        if lease is None or answer is None:
            return 404, ""
        after, challenge = answer
        if after is None:
            await self._store.drop_hub_lease(key)
        else:
            await self._store.put_hub_lease(after)
            reason = {"reason": after.reason} if after.reason else {}
            log.info("hub answered", feed=mask_url(after.feed), hub=mask_url(after.hub), state=after.state, **reason)
        return 200, challenge

    async def receive(self, key: str, content_type: str, signature: str, body: bytes) -> int:
        """A hub's post: the status to answer. What is not signed by the hub is dropped with a 2xx, so that nobody learns
        by trying (section 7.1); a hub whose lease we do not know hears 410, and 503 means "again later".
        """
        lease = await self._store.hub_lease(key)
        if lease is None or lease.state is HubState.LEAVING:
            return 410
        if lease.state is not HubState.ACTIVE or not websub.is_signed(signature, lease.secret, body):
            log.warning("post of a hub dropped", feed=mask_url(lease.feed), reason="not signed with our secret")
            return 202
        async with self._posts:
            # its own name for the parser's memory: a post has the news alone, not the whole document
            parsed = await self._parser.parse(body, content_type, f"{lease.topic}#posted")
            if not isinstance(parsed, ParsedFeed):
                log.info("post of a hub can't be read", feed=mask_url(lease.feed), reason=parsed.reason)
                return 202
            try:
                async with self._turn:
                    return await self._take(lease, parsed)
            except (LeaseLost, StoreError) as error:
                log.warning("post of a hub not stored", feed=mask_url(lease.feed), reason=str(error))
                return 503

    async def _take(self, lease: HubLease, parsed: ParsedFeed) -> int:
        now = self._clock.now()
        leased = await self._store.claim_feed(lease.feed, now, _LEASE)
        if leased is None:  # nobody wants it any more, or not for now
            return 410 if await self._store.feed(lease.feed) is None else 202
        if leased.state.last_parsed is None:  # the baseline is the whole document, not what is new in it
            await self._store.save_feed(leased.state, leased.epoch)
            return 202
        if self._enrich is not None:
            parsed = await self._enrich(leased, parsed)
        # the state stays that of the last poll: its validators and its hash are of the whole document
        new = await self._ingest(leased, leased.state, parsed)
        current = await self._store.hub_lease(lease.key)
        if current is not None:
            await self._store.put_hub_lease(replace(current, last_push=now))
        log.debug("hub posted", feed=mask_url(lease.feed), new=new)
        return 202


def _was_given(lease: HubLease) -> bool:
    """Whether the hub may know of it: one that was never asked for needs no goodbye."""
    return lease.until is not None or lease.failures > 0

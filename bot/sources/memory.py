"""What is remembered of the last polls, so that only unseen items are parsed. Pure; lives in the main process.

feedparser stays the reference: the unseen items are parsed in their own document with the others left out, and
whenever that could differ from parsing the whole, the whole is parsed.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from xxhash import xxh3_128_digest

from bot.model import ParsedFeed
from bot.sources import slices
from bot.sources.charset import certain

if TYPE_CHECKING:
    from bot.model import ParsedEntry, ParseFailed
    from bot.sources.slices import Block, Cut

#: rough bytes that remembered entries may take
BUDGET = 48_000_000
#: bytes of a document that is looked at in the main process: ten times as much, if it is made for it, holds the event
#: loop for more than a second
LARGEST = 1_000_000
#: of an entry beside its texts
_OVERHEAD = 1_000
#: entries of earlier documents are dropped when there are so many times as many as the feed has
_SPARE = 1.25


@dataclass(slots=True)
class _Known:
    """One feed's last document."""

    context: bytes
    #: what the feed says of itself; its entries are those that were unseen
    feed: ParsedFeed
    #: by the digests of their items; some may be of documents before
    entries: dict[bytes, ParsedEntry]
    closing: bytes
    blocks: list[Block]
    #: rough bytes
    size: int


@dataclass(slots=True)
class Plan:
    """How to parse one document: parse `part`, and hand the result to `Memory.complete`."""

    #: the document with the unseen items alone; None: nothing in it is unseen
    part: Cut | None
    url: str
    context: bytes
    closing: bytes
    #: of all items, in their order
    blocks: list[Block]
    #: digests of the items in `part`
    unseen: list[bytes]
    known: _Known | None
    size: int


class Memory:
    """Entries of items by their exact text, per feed; the feeds polled longest ago are forgotten first."""

    def __init__(self, budget: int = BUDGET) -> None:
        self._budget = budget
        self._size = 0
        self._feeds: OrderedDict[str, _Known] = OrderedDict()

    def plan(self, body: bytes, content_type: str, url: str) -> Plan | None:
        """What of the document is to be parsed; None: the whole, of which nothing is remembered."""
        known = self._forget(url)
        if len(body) > LARGEST:
            return None
        text = certain(body, content_type)
        if text is None:
            return None
        if known is not None and (plan := _followed(text, url, known)) is not None:
            return plan if plan.part is None or plan.part.whole(around=False) else None
        document = slices.cut(text)
        if document is None or len(document.items) > slices.MAX_ENTRIES:
            return None
        digests = [*map(xxh3_128_digest, document.items)]
        unseen = dict(zip(digests, document.items, strict=True))
        part = document.only([*unseen.values()])
        if not part.whole():
            return None
        blocks = slices.blocks_of(document, digests)
        return Plan(part, url, document.context(), document.closing, blocks, [*unseen], None, len(body))

    def complete(self, plan: Plan, parsed: ParsedFeed | ParseFailed | None) -> ParsedFeed | None:
        """The whole feed from what parsing the plan's part gave; None: the whole document is to be parsed."""
        found = plan.known.entries if plan.known is not None else {}
        if plan.part is None:
            assert plan.known is not None
            parsed = plan.known.feed
        elif not isinstance(parsed, ParsedFeed) or parsed.warning or len(parsed.entries) != len(plan.unseen):
            return None
        else:
            found.update(zip(plan.unseen, parsed.entries, strict=True))
        entries = tuple([found[digest] for block in plan.blocks for digest in block.digests])
        if len(found) > len(entries) * _SPARE:
            found = {digest: found[digest] for block in plan.blocks for digest in block.digests}
        size = _OVERHEAD * len(found) + plan.size
        self._remember(plan.url, _Known(plan.context, parsed, found, plan.closing, plan.blocks, size))
        return replace(parsed, entries=entries)

    def _forget(self, url: str) -> _Known | None:
        known = self._feeds.pop(url, None)
        if known is not None:
            self._size -= known.size
        return known

    def _remember(self, url: str, known: _Known) -> None:
        self._feeds[url] = known
        self._size += known.size
        while self._size > self._budget:
            self._size -= self._feeds.popitem(last=False)[1].size


def _followed(text: bytes, url: str, known: _Known) -> Plan | None:
    """The plan for a document that has the same around its items as the last one; None: another, so that all is unseen."""
    followed = slices.follow(text, known.blocks, known.closing)
    if followed is None:
        return None
    document, digests, blocks = followed
    context = document.context()
    if context != known.context or sum([len(block.digests) for block in blocks]) > slices.MAX_ENTRIES:
        return None
    unseen = {d: item for d, item in zip(digests, document.items, strict=True) if d not in known.entries}
    part = document.only([*unseen.values()]) if unseen else None
    return Plan(part, url, context, known.closing, blocks, [*unseen], known, len(text))

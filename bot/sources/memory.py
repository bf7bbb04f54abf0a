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
    from bot.sources.slices import Cut

#: rough bytes that remembered entries may take
BUDGET = 48_000_000
#: of an entry beside its texts
_OVERHEAD = 1_000


@dataclass(slots=True)
class _Known:
    """One feed's last document."""

    context: bytes
    #: what the feed says of itself, without entries
    feed: ParsedFeed
    entries: dict[bytes, ParsedEntry]
    #: rough bytes
    size: int


@dataclass(slots=True)
class Plan:
    """How to parse one document: parse `part`, and hand the result to `Memory.complete`."""

    #: the document with the unseen items alone; None: nothing in it is unseen
    part: Cut | None
    url: str
    context: bytes
    #: of the items, in their order
    digests: list[bytes]
    #: digests of those in `part`
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
        text = certain(body, content_type)
        document = slices.cut(text) if text is not None else None
        if document is None or len(document.items) > slices.MAX_ENTRIES:
            return None
        context = document.context()
        digests = [*map(xxh3_128_digest, document.items)]
        if known is not None and known.context == context:
            entries = known.entries
            new = [
                (digest, item) for digest, item in zip(digests, document.items, strict=True) if digest not in entries
            ]
        else:
            known, new = None, [*zip(digests, document.items, strict=True)]
        unseen = dict(new)
        part = document.only([*unseen.values()]) if unseen or known is None else None
        if part is not None and not part.whole():
            return None
        return Plan(part, url, context, digests, [*unseen], known, len(body))

    def complete(self, plan: Plan, parsed: ParsedFeed | ParseFailed | None) -> ParsedFeed | None:
        """The whole feed from what parsing the plan's part gave; None: the whole document is to be parsed."""
        if plan.part is None:
            assert plan.known is not None
            parsed = plan.known.feed
        if not isinstance(parsed, ParsedFeed) or parsed.warning or len(parsed.entries) != len(plan.unseen):
            return None
        found = dict(zip(plan.unseen, parsed.entries, strict=True))
        if plan.known is not None:
            found = plan.known.entries | found
        entries = tuple([found[digest] for digest in plan.digests])
        feed = replace(parsed, entries=())
        self._remember(
            plan.url,
            _Known(
                plan.context,
                feed,
                dict(zip(plan.digests, entries, strict=True)),
                _OVERHEAD * len(entries) + plan.size,
            ),
        )
        return replace(feed, entries=entries)

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

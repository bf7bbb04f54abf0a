"""What the parser remembers of the last polls, so that only unseen items are parsed (runs in the worker process).

feedparser stays the reference: the unseen items are parsed by it in their own document with the others left out, and
whenever that could differ from parsing the whole, the whole is parsed.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from xxhash import xxh3_128_digest

from bot.model import ParsedFeed, ParseFailed
from bot.sources import slices
from bot.sources.entries import MAX_ENTRIES

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.model import ParsedEntry

#: rough bytes that remembered entries may take in one worker process
BUDGET = 48_000_000
#: of an entry beside its texts
_OVERHEAD = 1_000


@dataclass(slots=True)
class _Known:
    """One feed's items at its last poll."""

    context: int
    entries: dict[bytes, ParsedEntry]
    #: rough bytes
    size: int


class Memory:
    """Entries of items by their exact text, per feed; the feeds polled longest ago are forgotten first."""

    def __init__(self, budget: int = BUDGET) -> None:
        self._budget = budget
        self._size = 0
        self._feeds: OrderedDict[str, _Known] = OrderedDict()

    def parse(
        self, text: str, url: str, whole: Callable[[str, str], ParsedFeed | ParseFailed]
    ) -> ParsedFeed | ParseFailed:
        """What `whole(text, url)` gives, from fewer items where some are known."""
        known = self._forget(url)
        document = slices.cut(text)
        if document is None or len(document.items) > MAX_ENTRIES:
            return whole(text, url)
        context = document.context()
        seen = known.entries if known is not None and known.context == context else {}
        digests = [xxh3_128_digest(item.encode("utf-8", "replace")) for item in document.items]
        unseen = {digest: item for digest, item in zip(digests, document.items, strict=True) if digest not in seen}
        parsed = whole(document.only(list(unseen.values())), url)
        if isinstance(parsed, ParseFailed) or parsed.warning or len(parsed.entries) != len(unseen):
            return whole(text, url)
        fresh = dict(zip(unseen, parsed.entries, strict=True))
        entries = [fresh[digest] if digest in fresh else seen[digest] for digest in digests]
        self._remember(
            url, _Known(context, dict(zip(digests, entries, strict=True)), _OVERHEAD * len(entries) + len(text))
        )
        return replace(parsed, entries=tuple(entries))

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

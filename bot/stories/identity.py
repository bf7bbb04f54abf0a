"""Same entry or not: what survives changed guids, edited titles and re-dated items.

In: the items of one feed document and the fingerprints the store has of that feed. Out: which are new.
Feeds break every single key they offer (one guid for all items, a new guid at every fetch, one link for the whole
feed), so two of guid, link and title must agree, and a key that several items of one document share is no key.
RFC 4287 section 4.2.6 and RSS 2.0 `guid` say what the keys should have been.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING

from bot.model import EntryId

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.model import FeedId, Fingerprint, ParsedEntry


@dataclass(frozen=True, slots=True)
class Digests:
    """The keys of one item as short digests; "" where the item lacks the part or shares it with others."""

    guid: str
    link: str
    title: str


def _digest(text: str) -> str:
    return blake2b(text.strip().encode("utf-8", "surrogatepass"), digest_size=9).hexdigest() if text.strip() else ""


def entry_id(feed: FeedId, item: ParsedEntry) -> EntryId:
    """The same item of the same feed gets the same id on every machine and at every attempt."""
    parts = "\x00".join((feed, item.guid, item.link, item.title, "" if item.title else item.summary[:200]))
    return EntryId(blake2b(parts.encode("utf-8", "surrogatepass"), digest_size=9).hexdigest())


def digests(items: Sequence[ParsedEntry]) -> list[Digests]:
    """The keys of each item of one document.

    A guid or link under which the document carries different titles tells nothing apart and counts as absent.
    """
    titles_of_guid = Counter(guid for guid, _ in {(i.guid, i.title) for i in items if i.guid})
    titles_of_link = Counter(link for link, _ in {(i.link, i.title) for i in items if i.link})
    return [
        Digests(
            guid=_digest(item.guid) if titles_of_guid[item.guid] == 1 else "",
            link=_digest(item.link) if titles_of_link[item.link] == 1 else "",
            title=_digest(item.title or item.summary[:200]),
        )
        for item in items
    ]


def find_same(item: Digests, known: Sequence[Fingerprint]) -> Fingerprint | None:
    """The fingerprint of the entry that this item is a copy or an edit of; None when it is new."""
    best: tuple[int, Fingerprint] | None = None
    for fingerprint in known:
        strength = _agreement(item, fingerprint)
        if strength and (best is None or (strength, fingerprint.last_seen) > (best[0], best[1].last_seen)):
            best = (strength, fingerprint)
    return best[1] if best else None


def _agreement(item: Digests, known: Fingerprint) -> int:
    """0 for another entry, else the more the surer."""
    guid, link, title = (
        bool(mine) and mine == theirs
        for mine, theirs in ((item.guid, known.guid), (item.link, known.link), (item.title, known.title))
    )
    agreeing = guid + link + title
    if agreeing >= 2:
        return agreeing
    if link and item.link:
        return 1  # a new guid and a new headline on the same page: an edit
    if guid and (not item.link or not known.link):
        return 1  # nothing but the guid to go by
    if title and not (item.link and known.link) and not (item.guid and known.guid):
        return 1  # nothing but the title to go by
    if title and not item.link and not known.link:
        return 1  # no links at all, and guids that flap
    return 0

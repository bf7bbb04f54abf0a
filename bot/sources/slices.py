"""Feed documents cut at their items, on the bytes, before anything expensive looks at them.

A poll of a busy feed brings one new item among a hundred known ones. Cut out, hashed and compared, the known ones need
not be parsed again (`Memory`); and of a document with far too many only the ends are kept (`trim`, threat row 7).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from xxhash import xxh3_128_digest

_ITEM = re.compile(r"<(?:item|entry)(?=[\s>])")
_OPENING = re.compile(rb"<(item|entry)(?=[\s>])")
#: dates of the feed itself, which differ in each document and which nobody reads
_DATES = re.compile(rb"<(lastBuildDate|pubDate|updated|atom:updated|dc:date)>[^<>]*</\1\s*>")
#: newest entries kept of one document
MAX_ENTRIES = 1_000
#: items of one document; with more it is not cut
MOST = 2_000
#: items of one block
_LARGEST = 32


def trim(text: str, limit: int) -> str:
    """The document with its first and last `limit` items alone, when it has many more.

    Feeds are written newest first or oldest first, so the newest ones are among these.
    """
    if text.count("<item") + text.count("<entry") <= 2 * limit:
        return text
    starts = [match.start() for match in _ITEM.finditer(text)]
    if len(starts) <= 2 * limit:
        return text
    return text[: starts[limit]] + text[starts[-limit] :]


@dataclass(frozen=True, slots=True)
class Cut:
    """A document in pieces, which are raw: `whole` says whether they are to be trusted."""

    head: bytes
    #: each with the white space before it, and without its end tag
    items: list[bytes]
    #: the end tag that all of them have
    closing: bytes
    tail: bytes

    def context(self) -> bytes:
        """Digest of all that stands around the items, less the feed's own dates: what items inherit, and the feed's values."""
        return xxh3_128_digest(_DATES.sub(b"", self.head) + b"\0" + self.tail)

    def only(self, items: list[bytes]) -> Cut:
        """The document with these items alone."""
        return Cut(self.head, items, self.closing, self.tail)

    def join(self) -> bytes:
        """The document."""
        return self.head + b"".join([item + self.closing for item in self.items]) + self.tail

    def whole(self, *, around: bool = True) -> bool:
        """Whether every cut is certainly between two elements.

        `around` is False where what stands around the items is that of a document that was whole.

        Each piece must begin with an item's start tag, have no other in it, and close all comments and CDATA sections
        that it opens. Of pieces known to be good from another cut with the same head and tail nothing need be asked.
        """
        if around:
            if any(map(_openings, (self.head, self.tail))) or not all(map(_is_balanced, (self.head, self.tail))):
                return False
            if (
                b"<!DOCTYPE" in self.head or b"<!ENTITY" in self.head
            ):  # feedparser looks for them before the first element
                return False
        return all(_OPENING.match(item.lstrip()) and _openings(item) == 1 and _is_balanced(item) for item in self.items)


def cut(body: bytes) -> Cut | None:
    """A document in UTF-8, cut behind each end tag of an item; None when there is none, or too many."""
    first = _OPENING.search(body)
    if first is None:
        return None
    closing = b"</" + first[1] + b">"
    head = body[: first.start()].rstrip()  # so that the first item has the white space that it will have as the second
    pieces = body[len(head) :].split(closing, MOST + 1)
    tail = pieces.pop()
    if not pieces or len(pieces) > MOST:
        return None
    return Cut(head, pieces, closing, tail)


@dataclass(frozen=True, slots=True)
class Block:
    """A few items that stood together in a document, known by one digest of all their bytes."""

    digests: tuple[bytes, ...]
    #: with all end tags
    length: int
    digest: bytes


def blocks_of(document: Cut, digests: list[bytes]) -> list[Block]:
    """The items in blocks that end behind items of certain digests, so that they are the same wherever they stand."""
    found: list[Block] = []
    begin = 0
    for end, digest in enumerate(digests, 1):
        if _ends(digest) or end == len(digests) or end - begin == _LARGEST:
            text = b"".join([item + document.closing for item in document.items[begin:end]])
            found.append(Block((*digests[begin:end],), len(text), xxh3_128_digest(text)))
            begin = end
    return found


def follow(body: bytes, known: list[Block], closing: bytes) -> tuple[Cut, list[bytes], list[Block]] | None:
    """As `cut`, for a document much of which stood in another: only what lies between its known blocks is cut.

    Gives the document with the items that were cut, their digests, and the blocks of all. None: use `cut`.
    """
    first = _OPENING.search(body)
    if first is None or closing != b"</" + first[1] + b">":
        return None
    head = body[: first.start()].rstrip()
    view, at = memoryview(body), len(head)
    places = {block.digests[0]: place for place, block in enumerate(known)}
    expected = len(known)
    blocks: list[Block] = []
    items: list[bytes] = []
    digests: list[bytes] = []
    #: where the block under way begins, and how many items were cut before it
    begin, before = at, 0
    while True:
        if len(items) == before and expected < len(known):
            block = known[expected]
            if xxh3_128_digest(view[at : at + block.length]) == block.digest:
                blocks.append(block)
                at = begin = at + block.length
                expected += 1
                continue
        end = body.find(closing, at)
        if end < 0 or len(items) > MOST:
            break
        item = body[at:end]
        digest = xxh3_128_digest(item)
        if len(items) == before:
            place = places.get(digest, len(known))
            if place != expected:
                expected = place
                if place < len(known):
                    continue
        items.append(item)
        digests.append(digest)
        at = end + len(closing)
        if _ends(digest) or len(items) - before == _LARGEST:
            blocks.append(Block((*digests[before:],), at - begin, xxh3_128_digest(view[begin:at])))
            begin, before, expected = at, len(items), len(known)
    if len(items) > before:
        blocks.append(Block((*digests[before:],), at - begin, xxh3_128_digest(view[begin:at])))
    return (Cut(head, items, closing, body[at:]), digests, blocks) if blocks else None


def _ends(digest: bytes) -> bool:
    """Whether a block ends behind the item: one of eight, by chance."""
    return digest[0] < 32


def _openings(piece: bytes) -> int:
    """Start tags of items, and what may be one; RDF lists its items in one <items>."""
    return piece.count(b"<item") + piece.count(b"<entry") - piece.count(b"<items>")


def _is_balanced(piece: bytes) -> bool:
    """Whether no comment and no CDATA section reaches over the end of the piece."""
    if b"<!" not in piece and b"]]>" not in piece:
        return True
    return piece.count(b"<![CDATA[") == piece.count(b"]]>") and piece.count(b"<!--") == piece.count(b"-->")

"""Feed documents cut at their items, on the text, before anything expensive looks at it.

A poll of a busy feed brings one new item among a hundred known ones. Cut out, hashed and compared, the known ones need
not be parsed again (`Memory`); and of a document with far too many only the ends are kept (`trim`, threat row 7).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from xxhash import xxh3_64_intdigest

_ITEM = re.compile(r"<(?:item|entry)(?=[\s>])")
#: start tags whose namespaces, base and language the items inherit
_CONTEXT = re.compile(r"<(?:rss|channel|feed|rdf:RDF|language|dc:language)(?=[\s>])[^>]*>(?:[^<]*(?=</))?")


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
    """A document in pieces: `head + "".join(items) + tail` is the document, less white space between the items."""

    head: str
    items: tuple[str, ...]
    tail: str

    def context(self) -> int:
        """Digest of what items inherit from around them; items cut from documents that differ in it are not equal."""
        return xxh3_64_intdigest("".join(_CONTEXT.findall(self.head)).encode("utf-8", "replace"))

    def only(self, items: list[str]) -> str:
        """The document with these items alone."""
        return self.head + "".join(items) + self.tail


def cut(text: str) -> Cut | None:
    """The document cut at its items; None unless every cut is certainly between two elements.

    Items must follow one another with white space alone between, each with all comments and CDATA sections that it
    opens closed in it, in a document without entities of its own.
    """
    name = "entry" if "<entry" in text else "item"
    opening, closing = f"<{name}", f"</{name}>"
    first = text.find(opening)
    if first < 0 or "<!DOCTYPE" in text or "<!ENTITY" in text:
        return None
    items: list[str] = []
    start = end = first
    while start >= 0 and (start == end or text[end:start].isspace()):
        end = text.find(closing, start) + len(closing)
        if end < len(closing):
            return None
        items.append(text[start:end])
        start = text.find(opening, end)
    # an item inside another one, in its text, or left over behind the last is more than cutting can tell apart
    if start >= 0 or len(items) != sum(map(text.count, (opening, "<item" if name == "entry" else "<entry"))):
        return None
    head = text[:first]
    if ("<!" in text or "]]>" in text) and not all(map(_is_whole, (head, *items))):
        return None
    return Cut(head, tuple(items), text[end:])


def _is_whole(piece: str) -> bool:
    """Whether no comment and no CDATA section reaches over the end of the piece."""
    return piece.count("<![CDATA[") == piece.count("]]>") and piece.count("<!--") == piece.count("-->")

"""Lists of feeds, as readers exchange them (OPML 2.0, opml.org/spec2.opml). Bytes in, feeds out, and back. Pure.

A list may come from anybody: document types are refused, so that no entity is ever expanded or fetched.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit
from xml.parsers.expat import ExpatError, ParserCreate
from xml.sax.saxutils import quoteattr, unescape

from bot.errors import SourceError
from bot.model import Feed, FeedId
from bot.sources.plain import clean
from bot.sources.urls import normalise_url

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

#: bytes of a list, levels of its outlines, characters of a name or tag
LARGEST = 10_000_000
DEEPEST = 50
LONGEST = 200
_ADDRESS = re.compile(rb"""\sxmlUrl\s*=\s*["']([^"'<>]{1,8000})["']""", re.IGNORECASE)
_BARE = re.compile(rb"&(?!(?:#[0-9]{1,7}|#x[0-9A-Fa-f]{1,6}|amp|lt|gt|quot|apos);)")


def read(body: bytes) -> list[Feed]:
    """The feeds that a list names, each once, in its order; folders and categories become tags.

    Outlines without a usable address are left out. Raises SourceError for what is no list.
    """
    if len(body) > LARGEST:
        raise SourceError(f"the list is larger than {LARGEST // 1_000_000} MB")
    try:
        reader = _walk(body)
    except (ExpatError, ValueError, LookupError):  # the latter two: encodings that do not exist
        reader = _mended(body)
    if not reader.is_opml:
        raise SourceError("this is XML, but no list of feeds (OPML)")
    return list(reader.feeds.values())


def _walk(body: bytes) -> _Reader:
    reader = _Reader()
    parser = ParserCreate()
    parser.StartDoctypeDeclHandler = reader.doctype
    parser.StartElementHandler = reader.begin
    parser.EndElementHandler = reader.end
    parser.Parse(body, True)
    return reader


def _mended(body: bytes) -> _Reader:
    """Lists found in the wild forget to escape ampersands; some put bare quotes into texts: those give addresses only."""
    try:
        return _walk(_BARE.sub(b"&amp;", body))
    except (ExpatError, ValueError, LookupError) as broken:
        reader = _Reader()
        reader.is_opml = True
        for address in _ADDRESS.findall(body):
            reader.outline({"xmlUrl": unescape(address.decode("utf-8", "replace"))})
        if not reader.feeds:
            raise SourceError(f"this is no list of feeds that can be read ({broken})") from None
        return reader


class _Reader:
    """Gathers outlines while expat walks through the document."""

    def __init__(self) -> None:
        self.feeds: dict[FeedId, Feed] = {}
        self.is_opml = False
        self._path: list[str] = []
        self._level = 0

    def doctype(self, *_: object) -> None:
        """Nobody's list needs one; entity bombs and reads of local files do."""
        raise SourceError("a list of feeds with a document type is not read")

    def begin(self, tag: str, attributes: dict[str, str]) -> None:
        """An element opens."""
        self._level += 1
        if self._level > DEEPEST:
            raise SourceError(f"the list is nested deeper than {DEEPEST} levels")
        if self._level == 1:
            self.is_opml = tag.casefold() == "opml"
        if tag.casefold() == "outline":
            self.outline(attributes)

    def outline(self, attributes: dict[str, str]) -> None:
        """A folder or a feed."""
        given = {name.casefold(): clean(value, lines=False)[:LONGEST] for name, value in attributes.items()}
        name = given.get("title") or given.get("text", "")
        address = next((value for key, value in attributes.items() if key.casefold() == "xmlurl"), "")
        if address:
            self._take(address, name, given)
        self._path.append("" if address else name)

    def end(self, tag: str) -> None:
        """An element closes."""
        self._level -= 1
        if tag.casefold() == "outline":
            self._path.pop()

    def _take(self, address: str, name: str, given: dict[str, str]) -> None:
        try:
            url = FeedId(normalise_url(address))
        except SourceError:
            return
        categories = given.get("category", "").replace("/", ",").split(",")
        tags = dict.fromkeys(tag.strip() for tag in (*self._path, *categories) if tag.strip())
        language = given.get("language", "")[:2].lower()
        known = self.feeds.get(url)
        if known is not None:
            tags = dict.fromkeys((*known.tags, *tags))
            name = known.name or name
            language = known.language or language
        self.feeds[url] = Feed(url, name, language if language.isalpha() else "", tuple(tags), origin="added")


def write(feeds: Sequence[Feed]) -> str:
    """The list as OPML 2.0; user names and passwords in addresses are left out."""
    return "\n".join(
        (
            '<?xml version="1.0" encoding="UTF-8"?>',
            '<opml version="2.0">',
            "  <head><title>Sources of Tocsin</title></head>",
            "  <body>",
            *(f"    <outline {_attributes(feed)}/>" for feed in feeds),
            "  </body>",
            "</opml>\n",
        )
    )


def _attributes(feed: Feed) -> str:
    parts = urlsplit(feed.id)
    address = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    pairs: Iterable[tuple[str, str]] = (
        ("type", "rss"),
        ("text", feed.name or parts.hostname or address),
        ("title", feed.name),
        ("xmlUrl", address),
        ("language", feed.language),
        ("category", ",".join(feed.tags)),
    )
    return " ".join(f"{name}={quoteattr(clean(value, lines=False))}" for name, value in pairs if value)

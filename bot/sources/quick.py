"""Items in the plain forms that most feeds are written in, read without an XML parser; pure, runs in the worker process.

feedparser stays the reference. What is read here is read as feedparser reads it, by its own functions where it has
some, and whatever is not of these forms is left to it: an attribute that means something, an element with elements in
it, an entity, a doubt. tests/sources/test_quick.py compares both on every real feed there is.
"""

from __future__ import annotations

import contextlib
import functools
import re
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from feedparser.datetimes import _parse_date
from feedparser.mixin import _cp1252, _FeedParserMixin
from feedparser.urls import _urljoin, make_safe_absolute_uri

from bot.sources import feedxml
from bot.sources.urls import is_plain

if TYPE_CHECKING:
    from bot.model import ParsedFeed
    from bot.sources.slices import Cut

#: around a probe: RSS without attributes that items inherit
_HEAD = re.compile(
    r"""\s*(?:<\?xml[^>]*\?>\s*)?(?:<\?[^>]*\?>\s*|<!--.*?-->\s*)*<rss((?:\s+[\w:.\-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*>\s*<channel>""",
    re.DOTALL,
)
_ATTRIBUTE = re.compile(r"""\s+([\w:.\-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_BINDING = re.compile(r"xmlns:?([\w.\-]*)\s*=")
_SPACES = {uri.lower(): prefix for uri, prefix in _FeedParserMixin.namespaces.items()}
_NAME = r"[A-Za-z][A-Za-z0-9_\-]*(?::[A-Za-z][A-Za-z0-9_\-]*)?"
#: an element with text, one CDATA section, or nothing
_ELEMENT = re.compile(
    rf"""\s*+<({_NAME})((?:\s+[\w:.\-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*"""
    r"""(?:/>|>(?:\s*+<!\[CDATA\[((?:[^\]]++|\](?!\]>))*+)\]\]>\s*+|([^<]*+))</\1\s*>)""",
    re.ASCII,
)
#: the same without attributes and sections, which most elements are
_PLAIN = re.compile(rf"\s*+<({_NAME})>([^<]*+)</\1>", re.ASCII)
#: around others, and of no meaning itself
_BOX = re.compile(
    r"""\s*+<(?:(/media:(?:content|group))|(media:(?:content|group))((?:\s+[\w:.\-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*))\s*>""",
    re.ASCII,
)
_START = re.compile(r"<item\s*>")
_REFERENCE = re.compile(r"&(?:(?:lt|gt|amp|quot|apos)|#(?:[0-9]{2,5}|x[0-9A-Fa-f]{2,4}));")
#: not in XML, or not what it seems: controls, noncharacters, what references could make of them
_ODD = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
_PERMALINK = {"": 1, ' isPermaLink="true"': 1, ' isPermaLink="false"': 0, " isPermaLink='false'": 0}
#: elements that feedparser knows and nobody here asks for
_IGNORED = frozenset({"comments", "media:thumbnail", "media:credit", "media:content"})
_CAPTIONS = {"media:title": "title", "media:description": "description", "media:text": "text"}
_TYPES = frozenset({"", ' type="plain"', ' type="html"', " type='plain'", " type='html'"})
#: of which an item has one at most
_ONCE = frozenset({"title", "link", "guid", "description", "content:encoded"})

_ENTITIES = {"lt": "<", "gt": ">", "amp": "&", "quot": '"', "apos": "'"}

Fields = dict[str, Any]


class Head:
    """What stands around the items: the feed's own values, and whether items between it can be read here."""

    def __init__(self, document: Cut, url: str) -> None:
        head, tail = document.head.decode(), document.tail.decode()
        probe = "<item><title>probe</title></item>"
        self.feed, entries, self.version, self.flaw = feedxml.read(head + probe + tail, url)
        self.base = make_safe_absolute_uri(url) or ""
        #: the feed without entries, once somebody has made it of `feed`
        self.made: ParsedFeed | None = None
        self.prefixes: set[str] = set()
        match = _HEAD.match(head)
        detail = {"type": "text/plain", "language": None, "base": self.base, "value": "probe"}
        self.plain = (
            match is not None
            and not self.flaw
            and entries == [{"title": "probe", "title_detail": detail}]
            and self.version.startswith("rss")
            and self._bind(match[1], head)
        )

    def _bind(self, attributes: str, head: str) -> bool:
        """Notes the prefixes that feedparser takes as they stand; False when something else could be in their way."""
        outer = [(name, double or single) for name, double, single in _ATTRIBUTE.findall(attributes)]
        if any(name != "version" and not name.startswith("xmlns:") for name, _ in outer):
            return False
        for name, uri in outer:
            prefix = name[6:]
            if name != "version" and prefix.islower() and _SPACES.get(uri.lower(), prefix) == prefix:
                self.prefixes.add(prefix)
        inner = _BINDING.findall(head)
        return len(inner) == sum(name != "version" for name, _ in outer) or not self._rebound(inner)

    def _rebound(self, names: list[str]) -> bool:
        """Feedparser keeps what an element within the head binds, also behind it."""
        return any(names.count(prefix) > 1 for prefix in self.prefixes)


@functools.lru_cache(256)
def _known(name: str) -> bool:
    """Whether feedparser does something of its own with this element."""
    method = name.replace(":", "_").lower()
    return hasattr(feedxml.Strict, f"_start_{method}") or hasattr(feedxml.Strict, f"_end_{method}")


def read(item: bytes, head: Head) -> Fields | None:
    """The values of an item as feedparser gives them, as far as anybody here asks for them; None: ask feedparser."""
    text = item.decode().lstrip()
    if "\r" in text:  # XML 1.0, section 2.11
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    start = _START.match(text)
    if start is None or "<!--" in text or "xmlns" in text or _is_odd(text):
        return None
    fields: Fields = {}
    at = start.end()
    boxes: list[str] = []
    seen: set[str] = set()
    while True:
        element = _PLAIN.match(text, at)
        if element is not None:
            (name, plain), attributes, data = element.groups(), "", None
        elif (element := _ELEMENT.match(text, at)) is not None:
            name, attributes, data, plain = element.groups()
        else:
            box = _BOX.match(text, at)
            if box is None:
                break
            at = box.end()
            if box[1]:
                if not boxes or boxes.pop() != box[1][1:]:
                    return None
            elif "media" in head.prefixes and _fine(box[3]):
                boxes.append(box[2])
            else:
                return None
            continue
        at = element.end()
        if name in _ONCE:
            if name in seen or boxes:
                return None
            seen.add(name)
        value = data if data is not None else _text(plain or "")
        if value is None or not _take(fields, name, attributes, value.strip(), head):
            return None
    return fields if not boxes and not text[at:].strip() else None


def _is_odd(text: str) -> bool:
    """Whether there is one of `_ODD` in it; none of these is printable, and most items are."""
    return not text.isprintable() and _ODD.search(text) is not None


def _text(plain: str) -> str | None:
    """Character data without references; None where an XML parser could see more in it."""
    if "&" in plain:
        if plain.count("&") != len(_REFERENCE.findall(plain)):
            return None
        plain = _REFERENCE.sub(_referred, plain)
        if _is_odd(plain):
            return None
    return None if "]]>" in plain else plain


def _referred(reference: re.Match[str]) -> str:
    name = reference[0][1:-1]
    if name[0] != "#":
        return _ENTITIES[name]
    return chr(int(f"0{name[1:]}", 0) if name[1] == "x" else int(name[1:]))


def _fine(attributes: str) -> bool:
    """Whether an XML parser takes them: each once, and no reference that it does not know."""
    if not attributes:
        return True
    names = [name for name, _, _ in _ATTRIBUTE.findall(attributes)]
    if len(set(names)) != len(names) or any(":" in name for name in names):
        return False
    return "&" not in attributes or attributes.count("&") == len(_REFERENCE.findall(attributes))


def _take(fields: Fields, name: str, attributes: str, value: str, head: Head) -> bool:
    """Adds one element's value; False: not of a plain form."""
    prefix, colon, _ = name.partition(":")
    if colon and prefix not in head.prefixes:
        return False
    match name:
        case "title" | "description" | "content:encoded":
            return not attributes and _markup(fields, name, value)
        case "link":
            return not attributes and _link(fields, value, head.base)
        case "guid":
            return attributes in _PERMALINK and _guid(fields, _repaired(value), _PERMALINK[attributes])
        case "pubDate" | "dc:date":
            fields["published_parsed" if name == "pubDate" else "updated_parsed"] = _parse_date(_repaired(value))
            return not attributes
        case "category" | "dc:subject":
            fields.setdefault("tags", []).append({"term": _repaired(value)} if value else {})
            return not attributes or re.fullmatch(r"\s+domain=(?:\"[^\"&]*\"|'[^'&]*')", attributes) is not None
        case "author" | "dc:creator":
            return not attributes and _author(fields, _repaired(value))
        case "enclosure":
            return not value and _fine(attributes) and "title" not in attributes and "rel" not in attributes
        case _ if name in _CAPTIONS:
            if value:
                fields.setdefault("tocsin_captions", []).append((_CAPTIONS[name], _repaired(value)))
            return attributes in _TYPES
        case _:
            return _fine(attributes) and (name in _IGNORED or (bool(colon) and not _known(name)))


def _repaired(value: str) -> str:
    """As `pop` of feedparser: UTF-8 that was read as Latin-1 and written again, and Windows-1252 in C1's place."""
    if value.isascii():
        return value
    with contextlib.suppress(UnicodeError):
        value = value.encode("iso-8859-1").decode("utf-8")
    return value.translate(_cp1252)


def _markup(fields: Fields, name: str, value: str) -> bool:
    if name == "title":
        kind = "text/html" if _FeedParserMixin.looks_like_html(value) else "text/plain"
        fields["title"], fields["title_detail"] = _repaired(value), {"type": kind, "language": None}
        return True
    value = _repaired(value)
    if name == "description":
        fields["summary"], fields["summary_detail"] = value, {"type": "text/html", "value": value}
    else:
        fields["content"] = [{"type": "text/html", "value": value}]
        fields.setdefault("summary", value)
    return True


def _link(fields: Fields, value: str, base: str) -> bool:
    if is_plain(value):
        fields["link"] = value
        return True
    link = _repaired(_urljoin(base, value)) if value else ""
    fields["link"] = re.sub("&([A-Za-z0-9_]+);", r"&\g<1>", link.replace("&amp;", "&"))
    return True


def _guid(fields: Fields, value: str, is_link: int) -> bool:
    fields["id"] = value
    if is_link:
        fields.setdefault("link", value)
    return True


class _Author:
    """What feedparser's reading of an author needs of a parser."""

    def __init__(self, fields: Fields) -> None:
        self._get_context = lambda: fields


def _author(fields: Fields, value: str) -> bool:
    fields["author"] = value
    fields.setdefault("authors", []).append({})
    if len(value) <= feedxml.LONGEST_AUTHOR:
        _FeedParserMixin._sync_author_detail(_Author(fields))  # noqa: SLF001  the reference itself
    return True


class Quick:
    """The heads of the feeds read last, so that a new item costs no more than itself."""

    def __init__(self, most: int = 500) -> None:
        self._most = most
        self._heads: OrderedDict[tuple[bytes, str], Head] = OrderedDict()

    def read(self, document: Cut, url: str) -> tuple[Head, list[Fields]] | None:
        """What stands around the items, and the values of each; None: ask feedparser for all of it."""
        key = (document.context(), url)
        head = self._heads.pop(key, None) or Head(document, url)
        self._heads[key] = head
        if len(self._heads) > self._most:
            self._heads.popitem(last=False)
        if not head.plain:
            return None
        items: list[Fields] = []
        for item in document.items:
            fields = read(item, head)
            if fields is None:
                return None
            items.append(fields)
        return head, items

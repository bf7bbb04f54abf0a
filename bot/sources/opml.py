"""Lists of feeds in OPML 1.0 and 2.0 (opml.org/spec2.opml), in and out, under the limits of feeds (threat row 70)."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING
from xml.sax.saxutils import quoteattr

from bot.errors import SourceError
from bot.model import Feed, FeedId
from bot.sources.charset import to_text
from bot.sources.urls import mask_url, normalise_url

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

#: bytes of a list
MAX_SIZE = 5_000_000
#: feeds in a list
MAX_FEEDS = 10_000
_MAX_DEPTH = 50
_MAX_NAME = 200
_MAX_TAGS = 20

_OUTLINE = re.compile(r"<(/?)outline\b", re.IGNORECASE)
_INSIDE = re.compile(r"""((?:[^"'<>]|"[^"]*"|'[^']*')*+)>""")
_ATTRIBUTE = re.compile(r"""(?<![\w:])([\w:]++)\s*+=\s*+(?:"([^"]*)"|'([^']*)')""")
#: characters of one tag (three times the longest address, escaped), and how many tags may be broken before the whole is no list
_LONGEST_TAG = 130_000
_MOST_BROKEN = 100
_ROOT = re.compile(r"<opml[\s>]", re.IGNORECASE)
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")


def read_opml(data: bytes, refused: list[str] | None = None) -> list[Feed]:
    """The feeds of a list, each address once, in its order; folders and categories become tags.

    What is listed without a pollable address is left out; `refused` gets what each was, with the reason, masked. Raises
    SourceError when this is no OPML or beyond a limit.
    """
    if len(data) > MAX_SIZE:
        raise SourceError(f"the list is larger than {MAX_SIZE // 1_000_000} MB")
    text = _CONTROL.sub("", to_text(data, "")[0])
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise SourceError("the list declares entities, which a list of feeds has no need of")
    if not _ROOT.search(text[:5000]):
        raise SourceError("this is not an OPML list")
    feeds: dict[str, Feed] = {}
    for attributes, folders in _outlines(_without_comments(text)):
        address = attributes.get("xmlurl", "")
        try:
            url = normalise_url(address) if address.strip() else ""
        except SourceError as error:
            if refused is not None:
                refused.append(f"{_CONTROL.sub('', mask_url(address.strip()))[:_MAX_NAME]} ({error})")
            continue
        if not url or url in feeds:
            continue
        if len(feeds) == MAX_FEEDS:
            raise SourceError(f"the list has more than {MAX_FEEDS:,} feeds")
        name = _name(attributes.get("title", "")) or _name(attributes.get("text", ""))
        tags = _unique((*folders, *_categories(attributes.get("category", ""))))
        feeds[url] = Feed(FeedId(url), "" if name == address else name, _language(attributes), tags, origin="added")
    return list(feeds.values())


def write_opml(feeds: Iterable[Feed], title: str = "Tocsin") -> str:
    """An OPML 2.0 document of these feeds, in a folder of their first tag. Secrets of addresses are masked."""
    folders: dict[str, list[str]] = {}
    for feed in feeds:
        url = mask_url(feed.id)
        name = feed.name or url
        parts = {"type": "rss", "text": name, "title": name, "xmlUrl": url, "category": ",".join(feed.tags)}
        parts["language"] = feed.language
        attributes = " ".join(f"{key}={quoteattr(_CONTROL.sub('', value))}" for key, value in parts.items() if value)
        folders.setdefault(feed.tags[0] if feed.tags else "", []).append(f"<outline {attributes}/>")
    lines = [f"    {line}" for line in folders.pop("", ())]
    for folder, outlines in folders.items():
        lines.append(f"    <outline text={quoteattr(_CONTROL.sub('', folder))}>")
        lines += [f"      {line}" for line in outlines]
        lines.append("    </outline>")
    escaped = quoteattr(title)[1:-1]
    head = f'<?xml version="1.0" encoding="UTF-8"?>\n<opml version="2.0">\n  <head><title>{escaped}</title></head>\n  <body>\n'
    return head + "".join(f"{line}\n" for line in lines) + "  </body>\n</opml>\n"


def _outlines(text: str) -> Iterator[tuple[dict[str, str], tuple[str, ...]]]:
    """Every outline with the names of the folders around it, in the document's order.

    Read tag by tag: lists are written by hand and by many programs, most of one well-known collection are not
    well-formed XML, and with no XML parser there are no entities to expand or to fetch (docs/decisions/0006).
    """
    folders: list[str] = []
    broken = 0
    for begin in _OUTLINE.finditer(text):
        tag = _INSIDE.match(text, begin.end(), begin.end() + _LONGEST_TAG)
        if tag is None:
            broken += 1
            if broken > _MOST_BROKEN:
                raise SourceError("the list is damaged")
            continue
        inside = tag[1]
        if begin[1]:
            if folders:
                folders.pop()
            continue
        attributes = {
            name.lower(): html.unescape(double or single) for name, double, single in _ATTRIBUTE.findall(inside)
        }
        yield attributes, tuple(folder for folder in folders if folder)
        if not inside.endswith("/"):
            if len(folders) == _MAX_DEPTH:
                raise SourceError(f"the list is nested more than {_MAX_DEPTH} folders deep")
            is_feed = bool(attributes.get("xmlurl"))
            folders.append("" if is_feed else _name(attributes.get("text", "") or attributes.get("title", "")))


def _without_comments(text: str) -> str:
    parts = []
    position = 0
    while (begin := text.find("<!--", position)) >= 0:
        parts.append(text[position:begin])
        end = text.find("-->", begin)
        if end < 0:
            return "".join(parts)
        position = end + 3
    return "".join(parts) + text[position:]


def _categories(text: str) -> list[str]:
    """Comma-separated; a slash begins or parts the levels of one (OPML 2.0, category)."""
    return [_name(level) for part in text.split(",") for level in part.split("/") if level.strip()]


def _name(text: str) -> str:
    """One line; character references may have brought back what was dropped from the list itself."""
    return " ".join(_CONTROL.sub("", text).split())[:_MAX_NAME].rstrip()


def _language(attributes: dict[str, str]) -> str:
    code = attributes.get("language", "").strip().lower()[:2]
    return code if len(code) == 2 and code.isascii() and code.isalpha() else ""


def _unique(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for name in names if name))[:_MAX_TAGS]

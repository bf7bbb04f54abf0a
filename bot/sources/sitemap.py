"""News sitemaps (sitemaps.org with the news extension): what outlets without a feed publish for search engines."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET
from xml.parsers.expat import ExpatError

from bot.model import ParsedFeed, ParseFailed
from bot.sources.entries import MAX_LABEL, finish, language_code, newest
from bot.sources.plain import clean
from bot.sources.urls import resolve_link

if TYPE_CHECKING:
    from bot.model import ParsedEntry

_ROOT = re.compile(r"^(?:<\?[^>]*\?>\s*|<!--.*?-->\s*)*<urlset\b", re.DOTALL)
_SITEMAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
_NEWS = "{http://www.google.com/schemas/sitemap-news/0.9}"
_IMAGE = "{http://www.google.com/schemas/sitemap-image/1.1}"
_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")


def looks_like_one(start: str) -> bool:
    """Whether the document's root is a sitemap's."""
    return _ROOT.match(start) is not None


def read(text: str) -> ParsedFeed | ParseFailed:
    """The articles of a news sitemap, or why it is none. Documents with a DOCTYPE are refused: they need none."""
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        return ParseFailed("a sitemap must not declare entities")
    try:
        root = ET.fromstring(_DECLARATION.sub("", text, count=1))  # noqa: S314  no DTD gets here, and the worker has limits
    except (ET.ParseError, ExpatError, ValueError) as error:
        return ParseFailed(f"the sitemap is not well-formed ({error})")
    entries = [
        _entry(node, news) for node in root.iter(f"{_SITEMAP}url") if (news := node.find(f"{_NEWS}news")) is not None
    ]
    if not entries:
        return ParseFailed("this is a sitemap without news")
    names = [clean(name, lines=False) for name in (_text(one, f".//{_NEWS}name") for one in [root]) if name]
    return ParsedFeed(
        title=names[0][:MAX_LABEL] if names else "",
        entries=newest(entries),
        language=entries[0].language,
    )


def _entry(node: ET.Element, news: ET.Element) -> ParsedEntry:
    link = resolve_link("", _text(node, f"{_SITEMAP}loc"))
    captions = [
        _text(image, f"{_IMAGE}{part}") for image in node.iter(f"{_IMAGE}image") for part in ("title", "caption")
    ]
    return finish(
        title=_text(news, f"{_NEWS}title"),
        link=link,
        guid=link,
        summary="",
        content="",
        captions=captions,
        categories=_text(news, f"{_NEWS}keywords").split(","),
        authors=(),
        published=_date(_text(news, f"{_NEWS}publication_date")),
        updated=_date(_text(node, f"{_SITEMAP}lastmod")),
        language=language_code(_text(news, f"{_NEWS}publication/{_NEWS}language")),
    )


def _text(node: ET.Element, path: str) -> str:
    return (node.findtext(path) or "").strip()


def _date(text: str) -> datetime | None:
    """W3C date and time; a time without a zone is UTC."""
    try:
        date = datetime.fromisoformat(text)
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None

"""Pages without a feed: CSS selectors say where their items stand. Pure; runs in the worker process."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from selectolax.lexbor import LexborHTMLParser, SelectolaxError

from bot.model import ParsedEntry, ParsedFeed, ParseFailed
from bot.sources.charset import to_text
from bot.sources.entries import MAX_LABEL, MAX_PARTS, finish, language_code, newest
from bot.sources.language import with_languages
from bot.sources.plain import clean, from_html
from bot.sources.urls import resolve_link

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode

    from bot.model import Selectors

_LONGEST = 5_000_000
#: items that are looked at
_MOST = 2_000


def is_selector(text: str) -> bool:
    """Whether this is CSS that pages can be searched with."""
    try:
        LexborHTMLParser("<p>").css(text)
    except (SelectolaxError, ValueError):
        return False
    return True


def parse_page(body: bytes, content_type: str, url: str, selectors: Selectors) -> ParsedFeed | ParseFailed:
    """The items that the selectors catch, as a feed. A page that gives none is a failure: that is what its operator
    must hear of. Never raises for what the bytes or the selectors are.
    """
    try:
        return _read(body, content_type, url, selectors)
    except (MemoryError, RecursionError):
        return ParseFailed("the page is nested too deeply or too large")
    except (SelectolaxError, ValueError):
        return ParseFailed("one of the page's selectors is not valid CSS")


def _read(body: bytes, content_type: str, url: str, selectors: Selectors) -> ParsedFeed | ParseFailed:
    text = to_text(body, content_type)[0][:_LONGEST].replace("\x00", "")
    tree = LexborHTMLParser(text)
    nodes = tree.css(selectors.item)[:_MOST]
    if not nodes:
        return ParseFailed(f"nothing on the page matches {selectors.item!r}: it may have a new layout")
    root = tree.css_first("html[lang]")
    language = language_code(root.attributes.get("lang") or "") if root is not None else ""
    base_node = tree.css_first("base[href]")
    base = resolve_link(url, base_node.attributes.get("href") or "") if base_node is not None else ""
    entries = [one for node in nodes if (one := _entry(node, base or url, selectors, language)) is not None]
    if not entries:
        return ParseFailed(
            f"{len(nodes)} places on the page match {selectors.item!r}, but none has a title and a link: "
            "it may have a new layout"
        )
    title = tree.css_first("title")
    parsed = ParsedFeed(
        title=clean(title.text(), lines=False)[:MAX_LABEL] if title is not None else "",
        entries=newest(entries),
        link=url,
        language=language,
    )
    return with_languages(parsed)


def _entry(node: LexborNode, url: str, selectors: Selectors, language: str) -> ParsedEntry | None:
    anchor = _first(node, selectors.link or "a[href]")
    if anchor is None and node.tag == "a":
        anchor = node
    heading = _first(node, selectors.title or "h1, h2, h3, h4, h5, h6") or (anchor if not selectors.title else None)
    title = clean(heading.text(), lines=False) if heading is not None else ""
    link = resolve_link(url, (anchor.attributes.get("href") or "") if anchor is not None else "")
    if not title or not link:
        return None
    summary = _first(node, selectors.summary) if selectors.summary else None
    captions: list[str] = []
    for picture in node.css(selectors.caption or "img[alt]")[:MAX_PARTS]:
        values = picture.attributes
        captions += [values.get("alt") or "", values.get("title") or "", picture.text() if picture.tag != "img" else ""]
    return finish(
        title=title,
        link=link,
        guid=link,
        summary=from_html(summary.html or "")[0] if summary is not None else "",
        content="",
        captions=captions,
        categories=(),
        authors=(),
        published=_date(_first(node, selectors.date or "time")),
        updated=None,
        language=language,
    )


def _first(node: LexborNode, selector: str) -> LexborNode | None:
    return node.css_first(selector)


def _date(node: LexborNode | None) -> datetime | None:
    if node is None:
        return None
    for text in (node.attributes.get("datetime") or "", node.text()):
        try:
            date = datetime.fromisoformat(text.strip())
            return (date if date.tzinfo else date.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, OverflowError):
            continue
    return None

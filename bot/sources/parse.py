"""Feed documents to entries: RSS 0.9-2.0, Atom, RDF, JSON Feed, news sitemaps. Pure; runs in the worker process.

Everything that leaves here is plain text within limits; links are absolute http or https or "".
"""

from __future__ import annotations

import calendar
import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from bot.model import ParsedFeed, ParseFailed
from bot.sources import charset, feedxml, jsonfeed, sitemap, slices
from bot.sources.entries import MAX_LABEL, MAX_TITLE, finish, language_code, newest
from bot.sources.language import settled, with_languages
from bot.sources.plain import clean, from_html, paragraphs, shorten, unescape
from bot.sources.urls import resolve_link

if TYPE_CHECKING:
    from time import struct_time

    from bot.model import ParsedEntry
    from bot.sources.quick import Quick
    from bot.sources.slices import Cut

_HTML = frozenset({"text/html", "application/xhtml+xml"})
_PAGE = re.compile(r"^\s*(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html)\b", re.IGNORECASE | re.DOTALL)
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_PERIODS = {"daily": 86_400, "weekly": 604_800, "monthly": 2_592_000, "yearly": 31_536_000}


def parse(body: bytes, content_type: str, url: str, quick: Quick | None = None) -> ParsedFeed | ParseFailed:
    """The document as a feed, or why it is none. Never raises for what the bytes are.

    `url` is where the document came from: relative links count from there. With `quick` documents in plain forms are
    read without feedparser; the result is the same.
    """
    try:
        return _read(body, content_type, url, quick)
    except (MemoryError, RecursionError):
        return ParseFailed("the document is nested too deeply or too large")
    except Exception as error:  # noqa: BLE001  feedparser and expat raise many kinds; whatever it is, this is no feed
        return ParseFailed(f"the document can't be read ({type(error).__name__})")


def _read(body: bytes, content_type: str, url: str, quick: Quick | None) -> ParsedFeed | ParseFailed:
    if quick is not None and (found := _read_quick(body, content_type, url, quick)) is not None:
        return found
    text, note = charset.to_text(body, content_type)
    start = text[:2000].lstrip("\ufeff \r\n\t")
    if start.startswith(("{", "[")):
        parsed = _languages(jsonfeed.read(text, url))
    elif sitemap.looks_like_one(start):
        parsed = _languages(sitemap.read(text))
    else:
        parsed = _read_xml(text, url)
    if note and isinstance(parsed, ParsedFeed):
        return replace(parsed, warning="; ".join(part for part in (note, parsed.warning) if part))
    return parsed


def _read_quick(body: bytes, content_type: str, url: str, quick: Quick) -> ParsedFeed | None:
    text = charset.certain(body, content_type)
    document = slices.cut(text) if text is not None else None
    if document is None or len(document.items) > slices.MAX_ENTRIES or not document.whole():
        return None
    return read_cut(document, url, quick)


def read_cut(document: Cut, url: str, quick: Quick) -> ParsedFeed | None:
    """A document that is cut for certain, without feedparser; None where it is not in plain forms."""
    try:
        found = quick.read(document, url)
    except Exception:  # noqa: BLE001  feedparser is asked, and its answer counts
        return None
    if found is None:
        return None
    head, items = found
    if head.made is None:
        head.made = _feed(head.feed, [], url, "")
    language = head.made.language
    return replace(head.made, entries=newest([settled(entry(item, url, language)) for item in items]))


def _read_xml(text: str, url: str) -> ParsedFeed | ParseFailed:
    feed, entries, version, flaw = feedxml.read(slices.trim(text, slices.MAX_ENTRIES), url)
    if not entries and not version:
        return ParseFailed(_what_it_is(text[:2000].lstrip("\ufeff \r\n\t")))
    return _languages(_feed(feed, entries, url, flaw))


def _languages(parsed: ParsedFeed | ParseFailed) -> ParsedFeed | ParseFailed:
    return with_languages(parsed) if isinstance(parsed, ParsedFeed) else parsed


def _what_it_is(start: str) -> str:
    if not start:
        return "the document is empty"
    return "this is a web page, not a feed" if _PAGE.match(start) else "this is not a feed"


def _feed(feed: dict[str, Any], entries: list[dict[str, Any]], url: str, warning: str) -> ParsedFeed:
    language = language_code(_text(feed.get("language")))
    skipped = [text.strip().lower() for text in feed.get("tocsin_skip", ())]
    links = [(link.get("rel", ""), resolve_link(url, str(link.get("href") or ""))) for link in feed.get("links", ())]
    return ParsedFeed(
        title=_line(feed, "title", MAX_LABEL),
        entries=newest([entry(item, url, language) for item in entries]),
        link=resolve_link(url, _text(feed.get("link"))),
        language=language,
        ttl=_ttl(feed),
        skip_hours=frozenset(int(text) % 24 for text in skipped if text.isascii() and text.isdigit() and len(text) < 3),
        skip_days=frozenset(_DAYS.index(text) for text in skipped if text in _DAYS),
        hub=next((href for rel, href in links if rel == "hub"), ""),
        topic=next((href for rel, href in links if rel == "self"), ""),
        warning=clean(warning, lines=False)[:300],
    )


def entry(item: dict[str, Any], url: str, feed_language: str) -> ParsedEntry:
    """One entry of feedparser's as ours."""
    summary, pictures = _markup(item.get("summary_detail") or {"value": item.get("summary")})
    content = ""
    for part in item.get("content", ()):
        text, more = _markup(part)
        pictures += more
        content = max(content, text, key=len)
    if content == summary:
        content = ""
    media: list[tuple[str, str]] = [(kind, from_html(text)[0]) for kind, text in item.get("tocsin_captions", ())]
    media += [
        ("title", clean(_text(link.get("title")))) for link in item.get("links", ()) if link.get("rel") == "enclosure"
    ]
    title = _line(item, "title", MAX_TITLE) or next((text for kind, text in media if kind == "title" and text), "")
    if not summary and not content:  # video feeds carry the text there alone
        summary = max((text for kind, text in media if kind == "description"), key=len, default="")
    captions = [text for text in (*(text for _, text in media), *pictures) if text not in {title, summary}]
    link = resolve_link(url, _text(item.get("link")))
    detail = item.get("title_detail") or {}
    return finish(
        title=title,
        link=link,
        guid=_text(item.get("id")),
        summary=summary,
        content=content,
        captions=captions,
        categories=[_text(tag.get("label")) or _text(tag.get("term")) for tag in item.get("tags", ()) if tag],
        authors=[_text(author.get("name")) or _text(author.get("email")) for author in item.get("authors", ())],
        published=_date(item, "published_parsed") or _date(item, "updated_parsed") or _date(item, "created_parsed"),
        updated=_date(item, "updated_parsed"),
        language=language_code(_text(detail.get("language"))) or feed_language,
    )


def _markup(detail: Any) -> tuple[str, tuple[str, ...]]:
    """Text and picture captions of a summary or content; what is declared plain text is taken as it stands."""
    if not isinstance(detail, dict):
        return "", ()
    value = _text(detail.get("value"))
    kind = detail.get("type") or "text/html"
    if kind in _HTML or ("</" in value and "<" in value):
        return from_html(value)
    return paragraphs(unescape(value)), ()


def _line(values: dict[str, Any], key: str, longest: int) -> str:
    """A title: one line of text."""
    value = _text(values.get(key))
    kind = (values.get(f"{key}_detail") or {}).get("type")
    text = from_html(value)[0] if kind in _HTML else unescape(value)
    return shorten(clean(text, lines=False), longest)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _date(item: dict[str, Any], key: str) -> datetime | None:
    """Feedparser's time tuple in UTC; keys are looked up without its fallbacks from one date to another."""
    value: struct_time | None = dict.get(item, key)
    if value is None:
        return None
    try:
        return datetime.fromtimestamp(calendar.timegm(value), UTC)
    except (ValueError, OverflowError, OSError, TypeError):
        return None


def _ttl(feed: dict[str, Any]) -> float:
    """Seconds between polls that the feed asks for: RSS ttl (minutes), else the syndication module's period."""
    ttl = _text(feed.get("ttl")).strip()
    if ttl.isascii() and ttl.isdigit():
        return min(float(ttl[:9]) * 60, 31_536_000.0)
    # "hourly, once" is what publishing software writes into every feed: it tells nothing of this one
    period = _PERIODS.get(_text(feed.get("sy_updateperiod")).strip().lower(), 0)
    frequency = _text(feed.get("sy_updatefrequency")).strip()
    return period / max(1, int(frequency[:6]) if frequency.isascii() and frequency.isdigit() else 1)

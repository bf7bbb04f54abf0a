"""JSON Feed 1.0 and 1.1 (jsonfeed.org/version/1.1), by hand."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from bot.model import ParsedFeed, ParseFailed
from bot.sources.entries import MAX_LABEL, finish, language_code, newest
from bot.sources.plain import clean, from_html
from bot.sources.urls import resolve_link

if TYPE_CHECKING:
    from bot.model import ParsedEntry


def read(text: str, url: str) -> ParsedFeed | ParseFailed:
    """The feed, or why it is none."""
    try:
        data = json.loads(text.lstrip("\ufeff"))
    except ValueError:
        return ParseFailed("this is not valid JSON")
    items = data.get("items") if isinstance(data, dict) else None
    if not isinstance(items, list) or "jsonfeed.org" not in str(data.get("version", "")):
        return ParseFailed("this is JSON, but not a JSON Feed")
    language = language_code(_text(data, "language"))
    hubs = [resolve_link(url, _text(hub, "url")) for hub in _dicts(data.get("hubs"))]
    return ParsedFeed(
        title=clean(_text(data, "title"), lines=False)[:MAX_LABEL],
        entries=newest([_entry(item, url, language) for item in _dicts(items)]),
        link=resolve_link(url, _text(data, "home_page_url")),
        language=language,
        hub=next((hub for hub in hubs if hub), ""),
        topic=resolve_link(url, _text(data, "feed_url")),
    )


def _entry(item: dict[str, Any], url: str, language: str) -> ParsedEntry:
    content, pictures = from_html(_text(item, "content_html"))
    content = content or clean(_text(item, "content_text"))
    summary = clean(_text(item, "summary"))
    if not summary:
        summary, content = content, ""
    authors = [*_dicts(item.get("authors")), *_dicts([item.get("author")])]
    tags = item.get("tags")
    identifier = item.get("id")
    return finish(
        title=_text(item, "title"),
        link=resolve_link(url, _text(item, "url") or _text(item, "external_url")),
        guid=str(identifier) if isinstance(identifier, (str, int, float)) else "",
        summary=summary,
        content=content,
        captions=[*pictures, *(_text(attachment, "title") for attachment in _dicts(item.get("attachments")))],
        categories=[tag for tag in tags if isinstance(tag, str)] if isinstance(tags, list) else [],
        authors=[_text(author, "name") for author in authors],
        published=_date(item, "date_published") or _date(item, "date_modified"),
        updated=_date(item, "date_modified"),
        language=language_code(_text(item, "language")) or language,
    )


def _dicts(value: object) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _text(values: dict[str, Any], key: str) -> str:
    value = values.get(key)
    return value if isinstance(value, str) else ""


def _date(item: dict[str, Any], key: str) -> datetime | None:
    """RFC 3339; a time without a zone is UTC."""
    try:
        date = datetime.fromisoformat(_text(item, key).strip())
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None

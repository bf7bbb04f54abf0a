"""Entries within limits, whatever kind of document they came from."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from xxhash import xxh3_64_hexdigest

from bot.model import ParsedEntry
from bot.sources.plain import clean, shorten, unique
from bot.sources.slices import MAX_ENTRIES

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

#: characters kept
MAX_TITLE = 1_000
MAX_SUMMARY = 10_000
MAX_CONTENT = 50_000
MAX_CAPTION = 1_000
MAX_LABEL = 200
#: of captions, categories and authors of one entry
MAX_PARTS = 50
_UNTITLED = 120

_LANGUAGE = re.compile(r"([a-z]{2,3})(?:[-_].*)?$")
#: ISO 639-2 codes that feeds use, as ISO 639-1; Norwegian is one language here
_THREE = {
    "eng": "en", "ara": "ar", "tur": "tr", "rus": "ru", "fra": "fr", "fre": "fr", "deu": "de", "ger": "de",
    "spa": "es", "ukr": "uk", "por": "pt", "ita": "it", "zho": "zh", "chi": "zh", "fas": "fa", "per": "fa",
}  # fmt: skip


def newest(entries: list[ParsedEntry]) -> tuple[ParsedEntry, ...]:
    """At most MAX_ENTRIES, in the document's order: the newest by date where all have one, else the first."""
    if len(entries) <= MAX_ENTRIES:
        return tuple(entries)
    if all(one.published for one in entries):
        dates = sorted((one.published for one in entries if one.published), reverse=True)
        bound = dates[MAX_ENTRIES - 1]
        entries = [one for one in entries if one.published and one.published >= bound]
    return tuple(entries[:MAX_ENTRIES])


def finish(
    *,
    title: str,
    link: str,
    guid: str,
    summary: str,
    content: str,
    captions: Iterable[str],
    categories: Iterable[str],
    authors: Iterable[str],
    published: datetime | None,
    updated: datetime | None,
    language: str,
) -> ParsedEntry:
    """An entry within all limits, with a title even where the feed gives none."""
    title = clean(title, lines=False) or (summary or content).partition("\n")[0][: _UNTITLED * 2]
    return ParsedEntry(
        title=shorten(title, MAX_TITLE if title else _UNTITLED) or link,
        link=link,
        guid=_identifier(guid),
        summary=shorten(summary, MAX_SUMMARY),
        content=shorten(content, MAX_CONTENT),
        captions=_labels(captions, MAX_CAPTION),
        categories=_labels(categories, MAX_LABEL),
        authors=_labels(authors, MAX_LABEL),
        published=published,
        updated=updated,
        language=language,
    )


def language_code(text: str) -> str:
    """ISO 639-1 of a declared language tag; "" when it is none."""
    match = _LANGUAGE.match(text.strip().lower())
    if not match:
        return ""
    code = match[1]
    return code if len(code) == 2 else _THREE.get(code, "")


def _labels(texts: Iterable[str], longest: int) -> tuple[str, ...]:
    return unique([shorten(clean(text, lines=False), longest) for text in texts])[:MAX_PARTS] if texts else ()


def _identifier(guid: str) -> str:
    """Guids are compared, never shown: an overlong one keeps its identity in a digest."""
    guid = clean(guid, lines=False)
    return guid if len(guid) <= MAX_TITLE else f"{guid[: MAX_TITLE - 17]}#{xxh3_64_hexdigest(guid.encode())}"

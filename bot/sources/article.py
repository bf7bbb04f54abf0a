"""The running text of an article's own page, by trafilatura (the extra `tocsin[fulltext]`). Runs in the worker process."""

from __future__ import annotations

from bot.sources.charset import to_text
from bot.sources.entries import MAX_CONTENT
from bot.sources.plain import clean, shorten

#: characters of a page that are looked at
_LONGEST = 3_000_000


def extract(body: bytes, content_type: str, url: str) -> str:
    """Plain text, a line a paragraph, within the limits of an entry's content; "" where no article is found.

    Never raises for what the bytes are.
    """
    try:
        from trafilatura import extract as running_text  # noqa: PLC0415  optional, and large

        text = to_text(body, content_type)[0][:_LONGEST].replace("\x00", "")
        found = running_text(text, url=url, include_comments=False, include_tables=False, deduplicate=False)
    except Exception:  # noqa: BLE001  lxml and trafilatura raise many kinds; whatever it is, there is no article
        return ""
    return shorten(clean(found or ""), MAX_CONTENT)

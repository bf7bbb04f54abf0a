"""What every chat adapter does to text before its own markup: cleaning, measuring, cutting, isolating.

Feeds and people write anything; a chat shows one direction of reading order, counts UTF-16 units and knows no
grapheme. Pure functions over spans; the markup is each adapter's own.
"""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bot.model import Message, Span

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

ELLIPSIS = "…"
#: first strong isolate and its end (UAX #9): text inside has its own direction and does not reorder its neighbours
FSI, PDI = "\u2068", "\u2069"
#: right-to-left mark: a letter that nobody sees
RLM = "\u200f"
#: embeddings, overrides and isolates that a text brings itself, and characters that nobody sees
_HIDDEN = dict.fromkeys(
    [*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200B, 0x2060, 0xFEFF, 0x00AD, 0x180E, *range(0xFFF9, 0xFFFC)]
)
_CONTROLS = dict.fromkeys([*(c for c in range(0x20) if c != 0x0A), *range(0x7F, 0xA0), *range(0xD800, 0xE000)])
_ZWJ = "\u200d"
#: a cluster longer than this is an attack, not a letter; it may be cut inside
_LONGEST_CLUSTER = 64


def clean(text: str) -> str:
    """The text without control characters (line feeds stay), unpaired surrogates, hidden and reordering ones."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")
    return text.replace("\u2028", "\n").replace("\u2029", "\n").translate(_CONTROLS).translate(_HIDDEN)


def clean_spans(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Spans with clean texts and safe links; those left without text are dropped."""
    cleaned = (replace(span, text=clean(span.text), link=safe_link(span.link)) for span in spans)
    return tuple(span for span in cleaned if span.text)


def spelt_out(message: Message) -> Message:
    """The message with the text that stands in for its attachment, where that can't be sent."""
    if message.attachment is None:
        return message
    instead = Span(f"\n{message.attachment.text}", code=True)
    return replace(message, spans=(*message.spans, instead), attachment=None)


def safe_link(link: str) -> str:
    """The link when it is an absolute http or https address of sane length without blanks, else ""."""
    if not link or len(link) > 2000 or any(ch.isspace() or not ch.isprintable() for ch in link):
        return ""
    try:
        parts = urlsplit(link)
    except ValueError:
        return ""
    return link if parts.scheme.lower() in {"http", "https"} and parts.hostname else ""


def utf16(text: str) -> int:
    """Length in UTF-16 code units, as platforms count."""
    return len(text) + sum(ch > "\uffff" for ch in text)


def cut(text: str, units: int) -> str:
    """The longest beginning within that many UTF-16 units that does not end inside a grapheme."""
    if utf16(text) <= units:
        return text
    end, used = 0, 0
    for ch in text:
        used += 2 if ch > "\uffff" else 1
        if used > units:
            break
        end += 1
    start = end
    while start > 0 and end - start < _LONGEST_CLUSTER and _joined(text, start):
        start -= 1
    return text[:start] if start > 0 and not _joined(text, start) else text[:end]


def _joined(text: str, at: int) -> bool:
    """Whether the characters on both sides of `at` belong to one grapheme (UAX #29, without Hangul jamo)."""
    before, after = text[at - 1], text[at]
    if unicodedata.category(after)[0] == "M" or _ZWJ in (before, after):
        return True
    if "\U0001f3fb" <= after <= "\U0001f3ff" or "\U000e0020" <= after <= "\U000e007f":
        return True
    if _flag(before) and _flag(after):
        run = 0
        while at - 1 - run >= 0 and _flag(text[at - 1 - run]):
            run += 1
        return run % 2 == 1
    return before == "\r" and after == "\n"


def _flag(ch: str) -> bool:
    return "\U0001f1e6" <= ch <= "\U0001f1ff"


def cut_spans(spans: Sequence[Span], units: int) -> tuple[Span, ...]:
    """The spans cut to that many UTF-16 units in all, the last one ending in an ellipsis when something fell off."""
    if sum(utf16(span.text) for span in spans) <= units:
        return tuple(spans)
    kept: list[Span] = []
    left = units - len(ELLIPSIS)
    for span in spans:
        text = cut(span.text, left)
        if text != span.text:
            kept.append(replace(span, text=text.rstrip() + ELLIPSIS))
            break
        kept.append(span)
        left -= utf16(text)
    return tuple(kept)


# ---------------------------------------------------------------- reading direction


def _directions(text: str) -> set[str]:
    """The strong directions in a text: "L", "R" or both."""
    found = {unicodedata.bidirectional(ch) for ch in text if ch > "@"}
    return {"L" for _ in found & {"L"}} | {"R" for _ in found & {"R", "AL"}}


def isolate(spans: Sequence[Span], *, right_to_left: bool = False) -> tuple[tuple[Span, str, str], ...]:
    """Pieces of the spans, line by line, with what to write before and after each, so that none reorders another.

    Line feeds are pieces of their own. On a line that mixes directions every part with letters is isolated. Neighbours
    that differ in weight alone are one part: a matched word inside a headline. Such a line begins on the right for who
    reads so.
    """
    pieces: list[tuple[Span, str, str]] = []
    line: list[Span] = []
    for span in spans:
        first, *more = span.text.split("\n")
        line += [replace(span, text=first)] if first else []
        for text in more:
            pieces += _isolate_line(line, right_to_left)
            pieces.append((Span("\n"), "", ""))
            line = [replace(span, text=text)] if text else []
    return (*pieces, *_isolate_line(line, right_to_left))


def _isolate_line(line: list[Span], right_to_left: bool) -> list[tuple[Span, str, str]]:
    if len(_directions("".join(span.text for span in line))) < 2:
        return [(span, "", "") for span in line]
    parts: list[list[Span]] = [line[:1]]
    for before, span in pairwise(line):
        weight_alone = (before.link, before.code) == (span.link, span.code) and (
            (before.bold, before.italic, before.strike) != (span.bold, span.italic, span.strike)
        )
        if weight_alone:
            parts[-1].append(span)
        else:
            parts.append([span])
    pieces: list[tuple[Span, str, str]] = []
    for part in parts:
        alone = len(parts) == 1 or not _directions("".join(span.text for span in part))
        last = len(part) - 1
        pieces += [
            (span, "" if alone or at else FSI, "" if alone or at != last else PDI) for at, span in enumerate(part)
        ]
    if right_to_left and len(parts) > 1:
        head, opens, closes = pieces[0]
        pieces[0] = (head, RLM + opens, closes)  # isolated letters tell nothing of the line's own direction
    return pieces

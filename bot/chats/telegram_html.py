"""Spans to Telegram's HTML. Only `render` makes TelegramHtml, and it escapes everything: the type is the proof.

Telegram counts 1-4096 UTF-16 units after it has parsed entities (core.telegram.org/bots/api#sendmessage), so texts are
cut before markup exists and no cut can fall inside a tag or an escape.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, NewType

from bot.chats.plain import clean_spans, cut_spans, isolate, utf16

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.model import Span

#: markup that is safe to send with parse_mode HTML
TelegramHtml = NewType("TelegramHtml", str)
#: UTF-16 units of one message after entity parsing
LENGTH = 4096
#: of the text under a picture or document
CAPTION = 1024


def render(spans: Sequence[Span], length: int = LENGTH, *, right_to_left: bool = False) -> TelegramHtml:
    """HTML of the spans, within `length`; "" when nothing is left to show."""
    return TelegramHtml("".join(_piece(*piece) for piece in _fitted(spans, length, right_to_left)))


def plain(spans: Sequence[Span], length: int = LENGTH, *, right_to_left: bool = False) -> str:
    """The same text without looks, for the second try after Telegram refused the markup."""
    return "".join(f"{before}{span.text}{after}" for span, before, after in _fitted(spans, length, right_to_left))


def _fitted(spans: Sequence[Span], length: int, right_to_left: bool) -> tuple[tuple[Span, str, str], ...]:
    cleaned = cut_spans(clean_spans(spans), length)
    pieces = isolate(cleaned, right_to_left=right_to_left)
    marks = sum(len(before) + len(after) for _, before, after in pieces)
    over = sum(utf16(piece.text) for piece, _, _ in pieces) + marks - length
    return isolate(cut_spans(cleaned, length - marks), right_to_left=right_to_left) if over > 0 else pieces


def _piece(span: Span, before: str, after: str) -> str:
    text = escape(span.text, quote=False)
    if not span.text.strip():
        return before + text + after
    if span.code:  # Telegram takes no other entity together with code
        return f"{before}<code>{text}</code>{after}"
    for wanted, tag in ((span.bold, "b"), (span.italic, "i"), (span.strike, "s")):
        if wanted:
            text = f"<{tag}>{text}</{tag}>"
    if span.link:
        text = f'<a href="{escape(span.link)}">{text}</a>'
    return before + text + after

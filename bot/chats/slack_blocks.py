"""Spans to Slack's mrkdwn and Block Kit. Only `escape` makes SlackText, and all text goes through it.

docs.slack.dev/messaging/formatting-message-text: exactly `& < >` are escaped; then `<!channel>`, `<@U…>` and links in a
feed are inert, in blocks and in the `text` that notifications and screen readers use. Limits: a section 3000, a
message 50 blocks and, undocumented, about 13,200 characters of blocks in all (faults.md section 2).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NewType

from bot.chats.plain import ELLIPSIS, clean, clean_spans, cut, cut_spans, isolate, utf16
from bot.chats.slack_events import typed_here

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.model import Button, Message, Span

#: text in which Slack finds no markup but ours
SlackText = NewType("SlackText", str)
Block = dict[str, Any]

#: what one message may hold, in UTF-16 units of plain text: Slack takes longer ones, but may refuse to edit them
LENGTH = 3000
SECTION, TOTAL, BLOCKS = 3000, 12_000, 50
#: chat.update takes no more `text` than 4000 characters, escapes counted
FALLBACK = 3900
_LABEL, _PER_ROW, _ACTION = 75, 25, 255
#: between a letter and a mark, so that Slack reads the mark: it wants no letter beside it
_GAP = "\u200b"


def escape(text: str) -> SlackText:
    """The three characters that Slack reads as markup, made harmless."""
    return SlackText(text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"))


def fallback(message: Message) -> SlackText:
    """The message without looks, for notifications, screen readers and the second try after refused blocks."""
    spans = cut_spans(_spans(message), LENGTH)
    text = "".join(span.text for span in spans).strip()
    while (size := utf16(escape(text))) > FALLBACK:
        text = cut(text, utf16(text) * (FALLBACK - 10) // size) + ELLIPSIS
    return escape(text)


def blocks(message: Message) -> list[Block]:
    """Sections and rows of buttons, within Slack's limits; [] when nothing is left to show."""
    rows = [block for row in message.buttons if (block := _actions(row))]
    sections = _sections(cut_spans(_spans(message), LENGTH), right_to_left=message.right_to_left)
    shown: list[Block] = [
        {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}
        for text in sections[: BLOCKS - len(rows)]
    ]
    return shown + rows if shown else []


def _spans(message: Message) -> list[Span]:
    """What is shown, with commands as people can type them here."""
    cleaned = clean_spans(message.spans)
    return [replace(span, text=typed_here(span.text)) if span.code else span for span in cleaned]


def label(text: str, length: int = _LABEL) -> Block:
    """A plain_text object for buttons, headings, and the titles of modals, which hold less."""
    bare = clean(text).replace("\n", " ").strip()
    shown = escape(cut(bare, length))
    while utf16(shown) > length:
        shown = escape(cut(bare, length - (utf16(shown) - length)))
    return {"type": "plain_text", "text": shown, "emoji": False}


def _actions(row: Sequence[Button]) -> Block | None:
    keys = {
        button.action: {
            "type": "button",
            "text": label(button.label),
            "action_id": button.action,
            "value": button.action,
        }
        for button in row
        if clean(button.label).strip() and 0 < len(button.action) <= _ACTION
    }
    return {"type": "actions", "elements": list(keys.values())[:_PER_ROW]} if keys else None


def _sections(spans: Sequence[Span], *, right_to_left: bool) -> list[SlackText]:
    """Markup in pieces that fit a section each, broken at line ends where there are any, within TOTAL."""
    done: list[str] = []
    current = ""
    left = TOTAL - 10
    pieces = [
        (replace(span, text=part), before if at == 0 else "", after if at == last else "")
        for span, before, after in isolate(spans, right_to_left=right_to_left)
        for last, parts in [_split(span)]
        for at, part in enumerate(parts)
    ]
    for at, (span, before, after) in enumerate(pieces):
        touching = pieces[at + 1][0].text[:1] if at + 1 < len(pieces) else ""
        text = before + _mrkdwn(span, current[-1:], touching) + after
        if utf16(text) > left:
            current += ELLIPSIS
            break
        if utf16(current) + utf16(text) > SECTION:
            head, feed, tail = current.rpartition("\n")
            done.append(head if feed else current)
            current = tail if feed else ""
        current += text
        left -= utf16(text)
    return [SlackText(text.strip("\n")) for text in (*done, current) if text.strip()]


def _split(span: Span) -> tuple[int, list[str]]:
    """The span's text in parts whose markup fits a section even if every character has to be escaped."""
    room = (
        (SECTION - len(span.link) * 2 - 20) // 5
        if len(escape(span.text)) + len(span.link) * 2 > SECTION // 2
        else LENGTH
    )
    parts, rest = [], span.text
    while rest:
        part = cut(rest, max(room, 64))
        parts.append(part)
        rest = rest[len(part) :]
    return len(parts) - 1, parts


def _mrkdwn(span: Span, before: str, after: str) -> SlackText:
    text = span.text
    if text == "\n" or not text.strip():
        return escape(text)
    core = text.strip()
    lead, trail = text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]
    marked: str = escape(core)
    marks = ""
    if span.code:
        marked, marks = marked.replace("`", "'"), "`"
    else:
        if span.link:
            marked = f"<{_address(span.link)}|{marked}>"
        for wanted, mark in ((span.strike, "~"), (span.italic, "_"), (span.bold, "*")):
            if wanted and mark not in core:  # a mark inside would end the look early, or never
                marks += mark
    if not marks:
        return SlackText(lead + marked + trail)
    left = _GAP if not lead and before.isalnum() else ""
    right = _GAP if not trail and after.isalnum() else ""
    return SlackText(f"{lead}{left}{marks[::-1]}{marked}{marks}{right}{trail}")


def _address(link: str) -> str:
    """A link as it stands between < and |."""
    safe = link.replace("<", "%3C").replace(">", "%3E").replace("|", "%7C")
    return safe.replace("&", "&amp;")

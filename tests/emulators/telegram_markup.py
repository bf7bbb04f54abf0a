"""Telegram's HTML mode as the Bot API server reads it: text and entities, or the reason of a refusal."""

from __future__ import annotations

import re
from typing import Any

_TAG = re.compile(r"<(/?)([a-zA-Z-]+)((?:\s+[a-z-]+(?:=(?:\"[^\"]*\"|'[^']*'|[^\s>]+))?)*)\s*>")
_ESCAPE = re.compile(r"&(#x[0-9a-fA-F]+|#[0-9]+|lt|gt|amp|quot);")
_NAMES = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}
_KINDS = {
    "b": "bold", "strong": "bold", "i": "italic", "em": "italic", "u": "underline", "ins": "underline",
    "s": "strikethrough", "strike": "strikethrough", "del": "strikethrough", "code": "code", "pre": "pre",
    "a": "text_link", "tg-spoiler": "spoiler", "blockquote": "blockquote",
}  # fmt: skip


class MarkupError(ValueError):
    """The words after "can't parse entities: "."""


def utf16(text: str) -> int:
    """Length in UTF-16 units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def unescape(text: str) -> str:
    """The four names and the numeric escapes that Telegram knows."""

    def one(found: re.Match[str]) -> str:
        name = found[1]
        if name[0] != "#":
            return _NAMES[name]
        return chr(int(f"0{name[1:]}" if name[1] in "xX" else name[1:], 0 if name[1] in "xX" else 10))

    return _ESCAPE.sub(one, text)


def parse_html(source: str) -> tuple[str, list[dict[str, Any]]]:
    """Text without markup, and entities with offsets in UTF-16 units."""
    text, entities, open_tags, at = "", [], [], 0
    while at < len(source):
        if source[at] != "<":
            end = source.find("<", at)
            end = len(source) if end < 0 else end
            text += unescape(source[at:end])
            at = end
            continue
        found = _TAG.match(source, at)
        if found is None:
            offset = len(source[:at].encode())
            raise MarkupError(f"Unsupported start tag at byte offset {offset}")
        closing, name, attributes = found[1], found[2].lower(), found[3]
        if name not in _KINDS:
            raise MarkupError(f'Unsupported start tag "{name}" at byte offset {len(source[:at].encode())}')
        if not closing:
            open_tags.append((name, utf16(text), attributes))
        else:
            if not open_tags or open_tags[-1][0] != name:
                raise MarkupError(f"Unmatched end tag at byte offset {len(source[:at].encode())}")
            entities += _entity(*open_tags.pop(), utf16(text))
        at = found.end()
    if open_tags:
        raise MarkupError(f'Can\'t find end tag corresponding to start tag "{open_tags[-1][0]}"')
    return text, sorted(entities, key=lambda e: (e["offset"], -e["length"]))


def _entity(name: str, start: int, attributes: str, end: int) -> list[dict[str, Any]]:
    if end == start:
        return []
    entity: dict[str, Any] = {"type": _KINDS[name], "offset": start, "length": end - start}
    if name == "a":
        found = re.search(r"href=(?:\"([^\"]*)\"|'([^']*)'|(\S+))", attributes)
        url = unescape(next((g for g in found.groups() if g), "")) if found else ""
        if url.startswith("tg://user?id="):
            return [
                entity | {"type": "text_mention", "user": {"id": int(url[13:]), "is_bot": False, "first_name": "?"}}
            ]
        if not re.match(r"(https?|tg)://", url):
            return []
        entity["url"] = url
    return [entity]

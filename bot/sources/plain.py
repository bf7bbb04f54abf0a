"""Plain text out of what feeds carry: HTML, entities, control characters, look-alike tricks (threat rows 17, 24, 29)."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

from selectolax.lexbor import LexborHTMLParser

if TYPE_CHECKING:
    from collections.abc import Iterable

#: characters of markup looked at per field; what lies behind is no news text
_LONGEST_MARKUP = 500_000
#: controls but line feed and tab, lone surrogates, bidi embeddings, overrides and isolates, zero-width space and
#: joiners of words, byte order mark, soft hyphen, noncharacters
_DROPPED = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x84\x86-\x9f\xad\u200b\u2060\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff\ud800-\udfff]"
)
_SPACES = re.compile(r"[^\S\n]+")
_AROUND_LINES = re.compile(r" ?\n[ \n]*")
_EMPTY_LINE = re.compile(r"\n[^\S\n]*\n")
_BLOCK = re.compile(
    r"<(?=/?(?:p|div|br|li|ul|ol|dl|dt|dd|h[1-6]|tr|table|blockquote|pre|section|article|header|footer|aside|figure|"
    r"figcaption|hr|main|nav|address|form|fieldset|details|summary|option)\b)",
    re.IGNORECASE,
)
_CELL = re.compile(r"<(?=/?t[dh]\b)", re.IGNORECASE)
#: meant to be empty, as in XHTML; HTML would take all that follows for their content
_EMPTY = re.compile(r"<(?:iframe|script|style|textarea|title|noscript|noembed|noframes|xmp)\b[^<>]*/>", re.IGNORECASE)
_HIDDEN = ["script", "style", "head", "title", "noscript", "template", "iframe", "object", "svg", "math", "textarea"]
#: also gone from the running text: it is the caption field
_FIGCAPTION = "figcaption"


def clean(text: str, *, lines: bool = True) -> str:
    """Text that stores, chats and terminals take as it stands: no control characters, single spaces, no blank lines.

    Without `lines`, line feeds become spaces too.
    """
    if text.isascii() and text.isprintable():  # most texts: nothing in them to drop, spaces alone to join
        return " ".join(text.split())
    text = text.replace("\r", "\n").replace("\x85", "\n").replace("\u2028", "\n").replace("\u2029", "\n")
    text = _DROPPED.sub("", text)
    if not lines:
        return " ".join(text.split())
    return _AROUND_LINES.sub("\n", _SPACES.sub(" ", text)).strip()


def paragraphs(text: str) -> str:
    """Text without markup, whose lines were broken to fit: an empty line parts paragraphs, a single one is a space."""
    return clean("\n".join(" ".join(part.split()) for part in _EMPTY_LINE.split(text.replace("\r\n", "\n"))))


def unescape(text: str) -> str:
    """One level of character references, for texts that carry no markup."""
    return html.unescape(text) if "&" in text else text


def from_html(markup: str) -> tuple[str, tuple[str, ...]]:
    """The running text of a piece of HTML, and the captions of its pictures.

    Ends of blocks become line feeds; scripts, styles, targets of links and captions are not in the text.
    """
    if "<" not in markup:
        return paragraphs(unescape(markup)), ()
    markup = markup[:_LONGEST_MARKUP].replace("\x00", "").replace("\n", " ")
    if "/>" in markup:
        markup = _EMPTY.sub(" ", markup)
    tree = LexborHTMLParser(_CELL.sub(" <", _BLOCK.sub("\n<", markup)))
    tree.strip_tags(_HIDDEN)
    captions: list[str] = []
    if "<img" in markup.lower():
        for picture in tree.css("img"):
            attributes = picture.attributes
            captions += [attributes.get("alt") or "", attributes.get("title") or ""]
    if _FIGCAPTION in markup.lower():
        captions += [node.text() for node in tree.css(_FIGCAPTION)]
        tree.strip_tags([_FIGCAPTION])
    body = tree.body
    text = body.text(deep=True, separator="") if body is not None else ""
    return clean(text), unique(clean(caption, lines=False) for caption in captions)


def unique(texts: Iterable[str]) -> tuple[str, ...]:
    """Each non-empty text once, in order of first sight."""
    return tuple(dict.fromkeys(text for text in texts if text))


def shorten(text: str, limit: int) -> str:
    """At most `limit` characters, cut at a word where one ends near; "…" marks the cut."""
    if len(text) <= limit:
        return text
    cut = text[: limit - 1]
    space = cut.rfind(" ", limit * 3 // 4)
    return (cut[:space] if space > 0 else cut).rstrip() + "…"

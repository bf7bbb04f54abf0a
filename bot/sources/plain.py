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
#: start and end tags without a say in how the rest is read: those that break the line, and others
_PLAIN_TAG = re.compile(
    r"""<(?:/?(?:(p|div|br|li|ul|ol|h[1-6]|blockquote)|(?:a|b|i|em|strong|span|u|small))"""
    r"""(?:\s+[A-Za-z][\w:.\-]*(?:="[^"<>]*"|='[^'<>]*')?)*\s*/?)>""",
    re.ASCII,
)
#: an entity that means the same with or without what follows
_REFERENCE = re.compile(r"&(?:amp|lt|gt|quot|apos|nbsp|rsquo|lsquo|ldquo|rdquo|ndash|mdash|hellip|#[1-9][0-9]{1,3});")
#: also gone from the running text: it is the caption field
_FIGCAPTION = "figcaption"


def clean(text: str, *, lines: bool = True) -> str:
    """Text that stores, chats and terminals take as it stands: no control characters, single spaces, no blank lines.

    Without `lines`, line feeds become spaces too.
    """
    # nothing that is dropped or that separates is printable, but for the plain space
    if text.isprintable():
        return " ".join(text.split())
    if lines and "\n" in text and (parts := text.split("\n")) and all(map(str.isprintable, parts)):
        return "\n".join([line for part in parts if (line := " ".join(part.split()))])
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
    plain = _without_tags(markup)
    return (plain, ()) if plain is not None else _by_parser(markup)


def _line_or_nothing(tag: re.Match[str]) -> str:
    return "\n" if tag[1] else ""


def _without_tags(markup: str) -> str | None:
    """Markup of the commonest kind, for which no tree is needed: tags that mean a line or nothing; None: any other."""
    if not markup.isprintable():
        return None
    text = _PLAIN_TAG.sub(_line_or_nothing, markup)
    if "<" in text or (">" in text and "/>" in markup):
        return None
    if "&" in text:
        if text.count("&") != len(_REFERENCE.findall(text)):
            return None
        text = html.unescape(text)
    return clean(text)


def _by_parser(markup: str) -> tuple[str, tuple[str, ...]]:
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

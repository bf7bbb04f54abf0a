"""Texts for people, in their language (docs/translating.md).

English stands in the code and is the key; a gettext catalogue in bot/locale/ has the other languages. A flow says at
its edge whom it speaks to: `with speaking(chat.language): ...`. Without a catalogue, or a message in it, people read
English. Messages name the places of what changes, "Paused for {time}.", so that translators may move them; only
messages of ours are ever filled in, and what is filled in is never read as a message.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from gettext import NullTranslations, translation
from pathlib import Path
from string import Formatter
from typing import TYPE_CHECKING

from bot.model import Span

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

DOMAIN = "tocsin"
#: holds LANGUAGE/LC_MESSAGES/tocsin.mo, with LANGUAGE as "tr", "pt_BR" or "zh_Hant"
LOCALE = Path(__file__).parent / "locale"

_ENGLISH = NullTranslations()
_catalogue: ContextVar[NullTranslations] = ContextVar("catalogue", default=_ENGLISH)
#: a language, a script, a region (RFC 5646): the tag comes from outside, and names a folder
_TAG = re.compile(r"([a-z]{2,3})(?:[-_]([a-z]{4}))?(?:[-_]([a-z]{2}|\d{3}))?(?:[-_].*)?", re.IGNORECASE | re.DOTALL)


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Texts inside are in this language (BCP 47), or in the nearest one that has a catalogue, or in English."""
    token = _catalogue.set(catalogue(language))
    try:
        yield
    finally:
        _catalogue.reset(token)


@lru_cache(maxsize=256)
def catalogue(language: str) -> NullTranslations:
    """The catalogue for a BCP 47 tag: "pt-BR" is looked for as pt_BR, then as pt."""
    tag = _TAG.fullmatch(language)
    if tag is None:
        return _ENGLISH
    base, script, region = tag[1].lower(), (tag[2] or "").title(), (tag[3] or "").upper()
    wanted = ["_".join(part for part in parts if part) for parts in ((base, script, region), (base, script), (base,))]
    if region:
        wanted.insert(2, f"{base}_{region}")
    return translation(DOMAIN, LOCALE, list(dict.fromkeys(wanted)), fallback=True)


def _(message: str) -> str:
    """The message in the language that is spoken."""
    return _fitting(_catalogue.get().gettext(message), message, "") if message else ""


def ngettext(one: str, many: str, count: int) -> str:
    """The form of the message that goes with this count; languages have from one to six of them."""
    english, other = (one, many) if count == 1 else (many, one)
    return _fitting(_catalogue.get().ngettext(one, many, count), english, other)


def N_(message: str) -> str:  # noqa: N802  gettext's name for it, which tools and translators know
    """Mark a message that is kept, as a constant or in a row, and translated by `_` when it is shown."""
    return message


def fill(message: str, **parts: str | int) -> str:
    """The message with its named places filled in, as plain text."""
    return "".join(str(parts[text]) if is_name else text for text, is_name in _pieces(message))


def sentence(message: str, **parts: str | int | Span | Sequence[Span]) -> list[Span]:
    """The message with its named places filled in, where a place may hold spans with looks of their own."""
    spans: list[Span] = []
    plain = ""
    for text, is_name in _pieces(message):
        part = parts[text] if is_name else text
        if isinstance(part, str | int):
            plain += str(part)
            continue
        spans += [Span(plain)] if plain else []
        plain = ""
        spans += [part] if isinstance(part, Span) else part
    return [*spans, Span(plain)] if plain else spans


def listed(parts: Sequence[str | Span]) -> list[Span]:
    """Several things in a row: "a, b, c"."""
    comma = _(", ")
    spans: list[Span] = []
    for part in parts:
        spans += [Span(comma)] if spans else []
        spans.append(part if isinstance(part, Span) else Span(part))
    return spans


def retold(kept: str, *messages: str) -> str:
    """A filled-in English text that was kept, in the language that is spoken, if it came from one of these messages."""
    for message in messages:
        found = _shape(message).fullmatch(kept)
        if found:
            return fill(_(message), **found.groupdict())
    return kept


def fields(message: str) -> frozenset[str] | None:
    """Names of the places in a message; None when its braces don't match up."""
    try:
        return frozenset(text for text, is_name in _pieces(message) if is_name)
    except ValueError:
        return None


@lru_cache(maxsize=4096)
def _fitting(translated: str, english: str, other: str) -> str:
    """The translation, unless it has places that neither English form has: a slip there must not cost an alert."""
    have, known = fields(translated), (fields(english) or frozenset()) | (fields(other) or frozenset())
    return translated if have is not None and have <= known else english


@lru_cache(maxsize=4096)
def _pieces(message: str) -> tuple[tuple[str, bool], ...]:
    """The message in pieces: (text, False), or (name of a place, True). Raises ValueError for unmatched braces."""
    pieces: list[tuple[str, bool]] = []
    for text, name, _spec, _conversion in Formatter().parse(message):
        pieces += [(text, False)] if text else []
        pieces += [(name, True)] if name is not None else []
    return tuple(pieces)


@lru_cache(maxsize=256)
def _shape(message: str) -> re.Pattern[str]:
    return re.compile(
        "".join(f"(?P<{text}>.+)" if is_name else re.escape(text) for text, is_name in _pieces(message)), re.DOTALL
    )

"""Texts for people, in their language (docs/translating.md).

English stands in the code and is the key; a gettext catalogue in bot/locale/ has the other languages, and the Unicode
CLDR their plurals and dates. A flow says at its edge whom it speaks to: `with speaking(chat.language): ...`. Without a
catalogue, or a message in it, people read English. Messages name the places of what changes, "Paused for {time}.", so that translators may move them; only
messages of ours are ever filled in, and what is filled in is never read as a message.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from string import Formatter
from typing import TYPE_CHECKING

from babel import Locale, UnknownLocaleError
from babel.dates import format_skeleton, get_day_names
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from bot.model import Span

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

#: holds LANGUAGE/LC_MESSAGES/tocsin.po, with LANGUAGE as "tr", "pt_BR" or "zh_Hant"
LOCALE = Path(__file__).parent / "locale"


@dataclass(frozen=True, slots=True)
class Language:
    """What is spoken."""

    #: BCP 47
    tag: str
    texts: NullTranslations
    #: for dates, and for which way it is written
    locale: Locale


#: day before month, and clocks of 24 hours, as in the messages
_ENGLISH = Language("en", NullTranslations(), Locale("en", "GB"))
_spoken: ContextVar[Language] = ContextVar("spoken", default=_ENGLISH)
#: a language, a script, a region (RFC 5646): the tag comes from outside, and names a folder
_TAG = re.compile(r"([a-z]{2,3})(?:[-_]([a-z]{4}))?(?:[-_]([a-z]{2}|\d{3}))?(?:[-_].*)?", re.IGNORECASE | re.DOTALL)


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Texts inside are in this language (BCP 47), or in the nearest one that has a catalogue, or in English."""
    token = _spoken.set(nearest(language))
    try:
        yield
    finally:
        _spoken.reset(token)


@lru_cache(maxsize=256)
def nearest(language: str) -> Language:
    """The language for a BCP 47 tag: "pt-BR" is looked for as pt_BR, then as pt; what that one lacks, the next has."""
    tag = _TAG.fullmatch(language)
    if tag is None:
        return _ENGLISH
    base, script, region = tag[1].lower(), (tag[2] or "").title(), (tag[3] or "").upper()
    wanted = ["_".join(part for part in parts if part) for parts in ((base, script, region), (base, script), (base,))]
    if region:
        wanted.insert(2, f"{base}_{region}")
    found = [name for name in dict.fromkeys(wanted) if _file_of(name).is_file()]
    if not found:
        return _ENGLISH
    texts = [_read(name) for name in found]
    for first, then in pairwise(texts):
        first.add_fallback(then)
    return Language(found[0].replace("_", "-"), texts[0], _locale(found[0]) or _ENGLISH.locale)


def languages() -> list[tuple[str, str]]:
    """(BCP 47 tag, its own name for itself) of every language that has a catalogue, English first."""
    tags = sorted(path.parts[-3].replace("_", "-") for path in LOCALE.glob("*/LC_MESSAGES/tocsin.po"))
    return [("en", "English"), *((tag, language_name(tag)) for tag in tags)]


def language_name(tag: str) -> str:
    """What a language calls itself; the tag where CLDR does not know it."""
    locale = _locale(tag.replace("-", "_"))
    return str(locale.get_display_name(locale)) if locale else tag


def spoken() -> str:
    """The BCP 47 tag of what is spoken now."""
    return _spoken.get().tag


def is_right_to_left() -> bool:
    """Whether what is spoken now is written from right to left."""
    return bool(_spoken.get().locale.text_direction == "rtl")


def weekday(day: date) -> str:
    """Its short name, as CLDR has it for what is spoken."""
    return str(get_day_names("abbreviated", context="stand-alone", locale=_spoken.get().locale)[day.weekday()])


def day_and_month(day: date, *, year: bool = False) -> str:
    """Such as "20 Feb" or "20 Feb 2026", in the order and with the names that CLDR has for what is spoken."""
    return str(format_skeleton("yMMMd" if year else "MMMd", day, locale=_spoken.get().locale))


def _locale(name: str) -> Locale | None:
    """What CLDR knows of it; None: nothing."""
    try:
        return Locale.parse(name)
    except (UnknownLocaleError, ValueError):
        return None


def _file_of(name: str) -> Path:
    return LOCALE / name / "LC_MESSAGES" / "tocsin.po"


def _read(name: str) -> GNUTranslations:
    """Text a translator can edit goes in, what gettext reads comes out: nothing compiled has to be kept in step."""
    compiled = BytesIO()
    with _file_of(name).open("rb") as file:
        write_mo(compiled, read_po(file, locale=name))  # without a locale, Babel drops the rule of plurals
    compiled.seek(0)
    return GNUTranslations(compiled)


def _(message: str) -> str:
    """The message in the language that is spoken."""
    return _fitting(_spoken.get().texts.gettext(message), message, "") if message else ""


def ngettext(one: str, many: str, count: int) -> str:
    """The form of the message that goes with this count; languages have from one to six of them."""
    english, other = (one, many) if count == 1 else (many, one)
    return _fitting(_spoken.get().texts.ngettext(one, many, count), english, other)


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

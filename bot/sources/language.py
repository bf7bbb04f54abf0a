"""The language of an entry: as declared where that can be true, else as its text reads."""

from __future__ import annotations

import functools
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from bot.text import detect_language

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.model import ParsedEntry, ParsedFeed

#: characters of an entry that are looked at
_SAMPLE = 500
_LATIN = re.compile("[A-Za-zÀ-ɏ]")
_OTHER = re.compile("[Ͱ-ῼ⺀-鿿가-퟿豈-﫿ﬓ-﷿ﹰ-ﻼ]")
#: languages that are not written in Latin letters
_NOT_LATIN = frozenset(["ar", "be", "bg", "bn", "el", "fa", "gu", "he", "hi", "hy", "ja", "ka", "kk", "km", "kn", "ko", "ky", "lo", "mk", "ml", "mn", "mr", "my", "ne", "pa", "ps", "ru", "si", "ta", "te", "th", "uk", "ur", "yi", "zh"])  # fmt: skip


def with_languages(parsed: ParsedFeed) -> ParsedFeed:
    """The feed with a language for each entry that declares none, or one in which its text can't be written."""
    return replace(parsed, entries=tuple(settled(entry) for entry in parsed.entries))


def settled(entry: ParsedEntry) -> ParsedEntry:
    """The same for one entry."""
    text = f"{entry.title}\n{entry.summary or entry.content}"[:_SAMPLE]
    if entry.language and _can_be(entry.language, text):
        return entry
    return replace(entry, language=_detect(text))


def _nobody_waits() -> None:
    """The default of `before_loading`."""


#: called right before the model is loaded, at the first text that needs it: that takes seconds on a busy machine, and
#: the worker process tells its parent that they are not the document's
before_loading: Callable[[], None] = _nobody_waits


@functools.cache
def _load() -> None:
    before_loading()
    detect_language("words enough for the model to be asked")


@functools.lru_cache(4096)
def _detect(text: str) -> str:
    """Most entries of a changed feed were there at the last poll."""
    _load()
    return detect_language(text)


def _can_be(language: str, text: str) -> bool:
    """Whether the text is in the script of the language; publishing software declares English whatever is written."""
    latin, other = len(_LATIN.findall(text)), len(_OTHER.findall(text))
    if latin + other < 12:
        return True
    return other * 10 > latin if language in _NOT_LATIN else other <= latin

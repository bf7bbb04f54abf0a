"""An entry as the clustering sees it: its words reduced to stems, its names and its numbers."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import snowballstemmer

if TYPE_CHECKING:
    from datetime import datetime

    from bot.model import Entry, EntryId, FeedId

LEAD_WORDS = 60  #: words of the summary that count: what comes after is background
_STEMMERS = {
    "ar": "arabic", "da": "danish", "de": "german", "en": "english", "es": "spanish", "fi": "finnish", "fr": "french",
    "hi": "hindi", "hu": "hungarian", "id": "indonesian", "it": "italian", "nl": "dutch", "no": "norwegian",
    "pl": "polish", "pt": "portuguese", "ro": "romanian", "ru": "russian", "sv": "swedish", "tr": "turkish",
}  # fmt: skip
_WORD = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_]+(?:['’][^\W\d_]+)?")
_WIDE = re.compile(r"[぀-ヿ㐀-鿿฀-๿຀-໿က-႟ក-៿가-힯]")


@dataclass(frozen=True, slots=True)
class Sketch:
    """What is compared of an entry, and kept of it for the window."""

    entry: EntryId
    feed: FeedId
    seen: datetime
    #: stems of the headline, in order, each once
    title: tuple[str, ...]
    #: stems of the lead that the headline lacks
    lead: tuple[str, ...]
    #: stems written with a capital where the language does not ask for one
    names: frozenset[str]
    #: numbers as written, separators of thousands removed
    numbers: frozenset[str]

    @property
    def terms(self) -> tuple[str, ...]:
        """All stems, headline first."""
        return self.title + self.lead


@lru_cache(maxsize=64)
def _stemmer(language: str) -> object:
    return snowballstemmer.stemmer(language)


@lru_cache(maxsize=200_000)
def _stem(word: str, language: str) -> str:
    folded = "".join(c for c in unicodedata.normalize("NFKD", word.casefold()) if not unicodedata.combining(c))
    folded = re.sub(r"['’]s?$|['’].*$", "", folded)
    if language not in _STEMMERS:
        language = "ru" if "Ѐ" <= folded[:1] <= "ӿ" else "en" if folded.isascii() else ""
    return _stemmer(_STEMMERS[language]).stemWord(folded) if language else folded  # type: ignore[attr-defined]


def _stems(text: str, language: str) -> list[tuple[str, bool]]:
    """Stems in order, each with whether it is written with a capital."""
    found: list[tuple[str, bool]] = []
    for match in _WORD.finditer(text):
        word = match.group()
        if _WIDE.search(word):
            found += [(word[i : i + 2], False) for i in range(max(1, len(word) - 1))]
        elif word[0].isdigit():
            found.append((word.replace(",", ""), False))
        else:
            found.append((_stem(word, language), word[0].isupper()))
    return found


def sketch(entry: Entry) -> Sketch:
    """Reduces an entry to what is compared."""
    title = _stems(entry.title, entry.language)
    lead = _stems(entry.summary or entry.content[:600], entry.language)[:LEAD_WORDS]
    heads = dict.fromkeys(stem for stem, _ in title)
    rest = dict.fromkeys(stem for stem, _ in lead)
    return Sketch(
        entry=entry.id,
        feed=entry.feed,
        seen=entry.seen,
        title=tuple(heads),
        lead=tuple(stem for stem in rest if stem not in heads),
        names=frozenset(stem for stem, capital in title + lead if capital),
        numbers=frozenset(stem for stem in (*heads, *rest) if stem[0].isdigit()),
    )

"""An entry as the clustering sees it: stems of its words, its names, its numbers, and what kind of piece it is.

In: entries. Out: sketches, small enough to keep for every entry of the window.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import snowballstemmer

from bot.stories.boilerplate import blanked
from bot.stories.facts import AMOUNTS, tolls
from bot.stories.titles import tidy_title
from bot.text import CHARACTERS, words

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.model import Entry, EntryId, FeedId

LEAD_WORDS = 60  #: words of the lead that count: what comes after is background
_LEAD = 600  #: characters of it that are looked at ...
_READ = 1200  #: ... and in which what an outlet appends is looked for: no such phrase is longer than the difference
_STEMMERS = {
    "ar": "arabic", "da": "danish", "de": "german", "en": "english", "es": "spanish", "fi": "finnish", "fr": "french",
    "hi": "hindi", "hu": "hungarian", "id": "indonesian", "it": "italian", "nl": "dutch", "no": "norwegian",
    "pt": "portuguese", "ro": "romanian", "ru": "russian", "sv": "swedish", "tr": "turkish", "uk": "russian",
    "be": "russian", "bg": "russian",
}  # fmt: skip
_BY_CHARACTER = re.compile(f"[{CHARACTERS}]")
_NUMBER = re.compile(r"\d+(?:[.,\u00a0]\d{3})*(?:[.,]\d+)?")
_DIGIT = re.compile(r"\d")
_YEAR = re.compile(r"(?:19|20)\d\d")
#: pieces on many things, or on no event: they stand alone unless much more than words speaks for a story
_ALONE = re.compile(
    r"\b(?:quiz|horoscopes?|newsletter|(?:morning|evening|daily|news|weekend) briefing|briefing:|live updates|as it happened|podcast"
    r"|crossword|sudoku|letters|week in|what you need to know|morning report|checkpoint|headlines|bulletin|top stories"
    r"|photos of|(?:five|5|ten|10) things|lotto|weather forecast|recap|fast facts|newsfeed|round-?up|digest|what to watch"
    r"|horoskop|presseschau|newsletter|revue de presse|horóscopo|resumen de|oroscopo|rassegna stampa"
    r"|гороскоп|дайджест|обзор прессы|главное за|итоги дня)\b",
    re.IGNORECASE,
)
_LIMIT = 1 << 17  #: stems a cache may hold before it starts anew: 100,000 stories have 80,000 words


@dataclass(frozen=True, slots=True)
class Sketch:
    """What is compared of an entry."""

    entry: EntryId
    feed: FeedId
    #: seconds since the epoch
    seen: float
    published: float
    #: all stems, each once, in reading order, headline first
    terms: tuple[str, ...]
    #: those of them that are no numbers
    words: tuple[str, ...]
    #: how many of `terms` are the headline's
    heads: int
    #: the headline's folded words, for comparing letter by letter
    headline: str
    #: terms written with a capital
    names: tuple[str, ...]
    #: numbers that may tell events apart: no years, no single digits
    numbers: tuple[str, ...]
    #: what was counted, and the highest count: ("killed", 11)
    tolls: tuple[tuple[str, int], ...]
    #: first part of the link's path
    section: str
    #: a quiz, round-up, horoscope ...
    alone: bool

    @property
    def title(self) -> tuple[str, ...]:
        """The headline's stems."""
        return self.terms[: self.heads]


class _Stems(dict[str, str]):
    """Folded word → stem, in one language."""

    def __init__(self, stem: Callable[[str], str]) -> None:
        super().__init__()
        self._stem = stem

    def __missing__(self, word: str) -> str:
        if len(self) >= _LIMIT:
            self.clear()
        stem = self[word] = self._stem(word) if word.isalpha() else word
        return stem


@cache
def _stemmer(language: str) -> _Stems:
    name = _STEMMERS.get(language)
    if name is None:
        return _Stems(_by_script)
    stem: Callable[[str], str] = snowballstemmer.stemmer(name).stemWord
    return _Stems(stem)


def _by_script(word: str) -> str:
    """For a text of an unknown language: what its letters say, else the word."""
    if word.isascii():
        return _stemmer("en")[word]
    return _stemmer("ru")[word] if "Ѐ" <= word[0] <= "ӿ" else word


def stems(text: str, language: str) -> list[str]:
    """Stems in order; pairs of neighbours in scripts whose words are matched by characters."""
    return _stemmed(words(text), language)


def _stemmed(found: list[str], language: str) -> list[str]:
    table = _stemmer(language if language in _STEMMERS else "")
    joined = "".join(found)
    if joined.isascii() or not _BY_CHARACTER.search(joined):
        return list(map(table.__getitem__, found))
    pairs: list[str] = []
    for word, after in zip(found, [*found[1:], ""], strict=True):
        if not _BY_CHARACTER.match(word):
            pairs.append(table[word])
        elif after and _BY_CHARACTER.match(after):
            pairs.append(word + after)
    return pairs


def _names(text: str, language: str) -> list[str]:
    capitals = [
        chunk
        for chunk in text.split()
        if not chunk[:2].islower() and (chunk[0].isupper() or chunk[1:2].isupper())  # most are: one question
    ]
    return stems(" ".join(capitals), language) if capitals else []


def sketch(entry: Entry) -> Sketch:
    """Reduces an entry to what is compared."""
    title = tidy_title(entry.title, entry.source)
    # "Read more at North Wire" would make all of an outlet's pieces share a name
    lead = blanked((entry.summary or entry.content)[:_READ])[:_LEAD]
    both = f"{title}\n{lead}"
    said, told = words(title), words(lead)
    heads = dict.fromkeys(_stemmed(said, entry.language))
    rest = dict.fromkeys(_stemmed(told, entry.language)[:LEAD_WORDS])
    terms = (*heads, *[term for term in rest if term not in heads])
    known = frozenset(terms)
    names = dict.fromkeys([name for name in _names(both, entry.language) if name in known and not name.isdigit()])
    path = urlsplit(entry.link).path.split("/") if entry.link.startswith("http") else []
    digits = not ("".join(said).isalpha() and "".join(told).isalpha())
    return Sketch(
        entry=entry.id,
        feed=entry.feed,
        seen=entry.seen.timestamp(),
        published=entry.published.timestamp(),
        terms=terms,
        words=tuple([term for term in terms if not term[0].isdigit()]) if digits else terms,
        heads=len(heads),
        headline=" ".join(said),
        names=tuple(names),
        numbers=numbers(both) if digits else (),
        tolls=tolls(both) if digits or not (AMOUNTS.isdisjoint(said) and AMOUNTS.isdisjoint(told)) else (),
        section=path[1] if len(path) > 2 else "",
        alone=_ALONE.search(entry.title) is not None,
    )


@lru_cache(2048)
def letters(headline: str) -> frozenset[str]:
    """Runs of three letters of each word and its ends: what words of one root share in any language."""
    return frozenset(
        [word[i : i + 3] for part in headline.split() for word in (f" {part} ",) for i in range(len(word) - 2)]
    )


def numbers(text: str) -> tuple[str, ...]:
    """Numbers of at least two digits that are no years, separators of thousands removed, each once."""
    if not _DIGIT.search(text):
        return ()
    found = (re.sub(r"[.,\u00a0](?=\d{3}\b)", "", match.group()) for match in _NUMBER.finditer(text))
    return tuple(dict.fromkeys(n for n in found if len(n) > 1 and not _YEAR.fullmatch(n)))

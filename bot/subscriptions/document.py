"""An entry, prepared to be matched: its words are found once, whatever the number of queries that ask for them."""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from bot.model import Field
from bot.subscriptions.inflection import LANGUAGES, all_forms
from bot.text import Token, detect_language, fold, likely_language, surfaces, tokens, words, written_in

if TYPE_CHECKING:
    from bot.model import Entry

#: a word that no text holds, put where a phrase can't reach over: between fields, captions, categories and sentences
_BREAK = "qqbreakqq"
_BETWEEN = f" {_BREAK} "
#: the end of a sentence: after a small word or a number, and no abbreviation of the usual forms (St. Gen. Prof. vs.)
_END = re.compile(
    r"[.!?…](?:(?<=[^\W\dA-Z_]{2}.)(?<!\b[^\W\d_]{2}.)(?<!\b[A-Z][a-z]{2}.)(?<!\b[A-Z][a-z]{3}.)|(?<=[\d)\]].))"
    r"""[.!?…]*["'”’»)\]]*\s+(?=["'“‘«(\[]?[^\W_])"""
)
#: the same where it needs no space after it, and the end of a paragraph
_STOP = re.compile(r"[。！？؟।]\s*|\n\s*\n")


def _broken(field: Field, text: str) -> str:
    """The text with the break between its sentences."""
    if "\n" in text or not text.isascii():
        if field in {Field.CAPTION, Field.CATEGORY}:
            text = text.replace("\n", "\n\n")
        text = _STOP.sub(_BETWEEN, text)
    return _END.sub(_BETWEEN, text)


#: the words of a text, each with the number of its sentence
Run = list[tuple[Token, int]]


class Part(NamedTuple):
    """A field's text, its words and its language."""

    field: Field
    text: str
    run: Run
    language: str


class View:
    """Some fields of an entry. What is asked for seldom is computed when first asked for."""

    def __init__(self, texts: tuple[tuple[Field, str], ...], language: str) -> None:
        self.texts = tuple((field, text) for field, text in texts if text)
        self.language = language
        self.stream = words(_BETWEEN.join([_broken(field, text) for field, text in self.texts]))
        self.words = set(self.stream)
        self.words.discard(_BREAK)
        #: what a term may be found by: the words, the forms they may be inflections of, and each two neighbours
        self.atoms = all_forms(self.words, language)
        self.atoms.update([f"{a} {b}" for a, b in pairwise(self.stream)])

    @cached_property
    def joined(self) -> str:
        """The words with single spaces, also at both ends."""
        return f" {' '.join(self.stream)} "

    @cached_property
    def surfaces(self) -> set[str]:
        """The words in the case in which they stand."""
        return {surface for _, text in self.texts for surface in surfaces(text)}

    @cached_property
    def folded(self) -> str:
        """The texts folded with their signs, a line for each sentence."""
        return "\n".join(
            fold(sentence) for field, text in self.texts for sentence in _broken(field, text).split(_BETWEEN)
        )

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """The texts with the places of their words."""
        return tuple(Part(field, text, _run(field, text), self.language) for field, text in self.texts)


def _run(field: Field, text: str) -> Run:
    lines = re.finditer(r"\n", text) if field in {Field.CAPTION, Field.CATEGORY} else ()
    ends = sorted(match.end() for match in (*_END.finditer(text), *_STOP.finditer(text), *lines))
    return [(token, bisect_right(ends, token.start)) for token in tokens(text)]


class Document(View):
    """A prepared entry."""

    def __init__(self, entry: Entry) -> None:
        self._entry = entry
        texts = entry.texts()
        start = " ".join([text for _, text in texts[:2]])
        #: as declared, else as the text shows; "" when it does not
        declared = re.split("[-_]", entry.language.lower(), maxsplit=1)[0]
        self.told = declared if 2 <= len(declared) <= 3 else detect_language(start)  # some declare "English"
        sure = self.told and written_in(start, self.told)
        super().__init__(texts, self.told if sure else likely_language(start, LANGUAGES))

    @cached_property
    def title(self) -> View:
        """The title alone."""
        return View(((Field.TITLE, self._entry.title),), self.language)

    @cached_property
    def facets(self) -> frozenset[str]:
        """The keys of `source:`, `lang:` and `tag:` that hold for the entry."""
        entry = self._entry
        keys = {f"\0lang:{self.told}"} | {f"\0tag:{fold(tag).strip()}" for tag in entry.tags}
        name = words(entry.source)
        # A name is found by any run of its words: Al Jazeera in Al Jazeera English.
        keys.update(f"\0source:{' '.join(name[a:b])}" for a in range(len(name)) for b in range(a + 1, len(name) + 1))
        for url in (entry.feed, entry.link):
            labels = _host(url).split(".")
            keys.update(f"\0source:{'.'.join(labels[i:])}" for i in range(len(labels)))
            keys.update(f"\0source:{label}" for label in labels[:-1])
        return frozenset(keys)


def _host(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").rstrip(".")
    except ValueError:  # brackets that are no IPv6 address
        return ""


def document(entry: Entry) -> Document:
    """The entry, prepared for `SubscriptionIndex.match`, `matches` and `hits`."""
    return Document(entry)

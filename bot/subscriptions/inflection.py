"""Which words are forms of one word, by language.

`forms(word, language)` names what a folded word of a text may be a form of: its singular, its dictionary form, the word
without the clitics written together with it. `asked(word, language)` names what a word of a query stands for, which is
less: people type a dictionary form or a plural, seldom a word with a preposition grown to it. A query's word matches
when it is the text's word, or the two share one of these. The endings are those of inflection alone (number, case, gender where it is regular, tense), never of derivation, so that
`university` is no form of `universe`, nor `ракетка` of `ракета`; the tables speak of folded words. Why tables and not a
stemmer: benchmarks/matching_quality.py measures them side by side.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from bot.subscriptions.clitics import arabic, arabic_asked, hebrew, hebrew_asked, persian, persian_asked
from bot.subscriptions.endings import ENDINGS, ER_NOUNS, FEMININE, MINIMUM
from bot.subscriptions.exceptions import IRREGULAR, KEEP
from bot.subscriptions.paradigms import PARADIGMS, lemmas

Rule = Callable[[str], tuple[str, ...]]

_LIMIT = 1 << 16  # words remembered per language
_VOWELS = frozenset("aeiouy")


class _Memo(dict[str, tuple[str, ...]]):
    """Word → its forms, for one language."""

    def __init__(self, rule: Rule) -> None:
        super().__init__()
        self.rule = rule

    def __missing__(self, word: str) -> tuple[str, ...]:
        if len(self) >= _LIMIT:
            self.clear()
        found = self[word] = self.rule(word)
        return found


def _by_endings(language: str, more: dict[str, tuple[str, ...]] | None = None) -> Rule:
    endings = ENDINGS[language] | (more or {})
    irregular, keep = IRREGULAR.get(language, {}), KEEP.get(language, frozenset())
    minimum = MINIMUM.get(language, 3)
    longest = max(map(len, endings))

    def rule(word: str) -> tuple[str, ...]:
        if word in irregular:
            return irregular[word]
        if len(word) <= minimum or word in keep:
            return ()
        for size in range(min(longest, len(word) - minimum), 0, -1):
            ending = word[-size:]
            if ending in endings:
                stem = word[:-size]
                return tuple(stem + other for other in endings[ending] if stem + other != word)
        return ()

    return rule


def _english(word: str) -> tuple[str, ...]:
    irregular = IRREGULAR["en"].get(word)
    if irregular is not None:
        return irregular
    if len(word) < 4 or not word.isascii() or word in KEEP["en"]:
        return ()
    if word.endswith("s"):
        if word.endswith(("ss", "us", "is", "ous")):
            return ()
        if word.endswith("ies"):
            return (word[:-3] + "y",) if len(word) > 4 else (word[:-1],)
        if word.endswith(("sses", "shes", "ches", "xes", "zzes", "oes")):
            return (word[:-2], word[:-1])
        return (word[:-1],)
    if word.endswith("ied") and len(word) > 4:
        return (word[:-3] + "y",)
    for ending in ("ed", "ing"):
        if word.endswith(ending):
            return _without_e(word[: -len(ending)])
    return ()


def _without_e(stem: str) -> tuple[str, ...]:
    """What an English verb may be of which -ed or -ing was cut off: hit(ting), strik(e), bomb."""
    if len(stem) < 3 or not _VOWELS.intersection(stem):
        return ()
    if stem[-1] == stem[-2] and stem[-1] not in "aeiouls":
        return (stem[:-1],)
    if stem[-1] == stem[-2] and stem[-1] == "l":
        return (stem, stem[:-1])
    return (stem, stem + "e")


def _german(word: str) -> tuple[str, ...]:
    if word.startswith("ge") and word.endswith("t") and len(word) > 6:  # töten, getötet; machen, gemacht
        return (*_GERMAN(word), word[2:-1] + ("n" if word[-2] == "e" else "en"))
    for ending in ("ern", "er"):
        if word.endswith(ending) and word.removesuffix(ending).endswith(ER_NOUNS):
            return (word.removesuffix(ending),)
    return _GERMAN(word)


_GERMAN = _by_endings("de")


def _by_paradigms(language: str, *, typed: bool) -> Rule:
    irregular, keep = IRREGULAR.get(language, {}), KEEP.get(language, frozenset())

    def rule(word: str) -> tuple[str, ...]:
        if word in irregular:
            return irregular[word]
        return () if word in keep else lemmas(word, language, typed=typed)

    return rule


_DUTCH = _by_endings("nl")
_SHORT = re.compile("(?<![aeiou])([aeou])([^aeiouyxw])$")


def _dutch(word: str) -> tuple[str, ...]:
    """Boten, boot: what is long in an open syllable is doubled in a closed one."""
    found = _DUTCH(word)
    if not word.endswith("en") or word[:-2] not in found:
        return found
    stem = word[:-2]
    long = _SHORT.sub(r"\1\1\2", stem)
    return found if long == stem else (long,) if len(_VOWEL.findall(stem)) == 1 else (*found, long)


_VOWEL = re.compile("[aeiouy]+")
_INDONESIAN = _by_endings("id")
#: how the active prefix changes the beginning of a verb: menyerang is serang
_ACTIVE = (("meny", "s"), ("meng", ""), ("meng", "k"), ("mem", ""), ("mem", "p"), ("men", ""), ("men", "t"), ("me", ""))


def _indonesian(word: str) -> tuple[str, ...]:
    found = _INDONESIAN(word)
    if word in KEEP["id"]:
        return found
    voices = [first + word[len(before) :] for before, first in (*_ACTIVE, ("di", "")) if word.startswith(before)]
    return (*found, *(verb for verb in voices if len(verb) >= 5))


_UKRAINIAN = _by_paradigms("uk", typed=False)
_OPEN = re.compile("[оеє](?=[бвгджзклмнпрстфхцчшщй]{1,2}ь?$)")


def _ukrainian(word: str) -> tuple[str, ...]:
    """Харків, Харкова; рік, року: in the dictionary form the vowel of the closed syllable is і."""
    found = _UKRAINIAN(word)
    closed = [_OPEN.sub("і", form) for form in found if form[-1] not in "аоеіия"]
    return tuple(dict.fromkeys((*found, *closed)))


def _turkish(word: str) -> tuple[str, ...]:
    if word in KEEP["tr"]:
        return ()
    found: dict[str, None] = {}
    for size in range(1, min(_LONGEST_TURKISH, len(word) - 2) + 1):
        stem, ending = word[:-size], word[-size:]
        if len(stem) == 2 and not ending.startswith(("lar", "ler")):
            continue
        # My is rare in the news, and three letters with it are often a word of their own: bölüm, hakim.
        if len(stem) == 3 and ending in {"im", "um"}:
            continue
        # A vowel after three letters is more often part of the word: kar, snow, and kara, land.
        if ending not in ENDINGS["tr"] or (len(stem) == 3 and size == 1):
            continue
        found[stem] = None
        # A last k, p, t, ç softens before a vowel: uçak, uçağı.
        if stem[-1] in "gbd" and ending[0] in _VOWELS and len(stem) > 3:
            found[stem[:-1] + {"g": "k", "b": "p", "d": "t"}[stem[-1]]] = None
    return tuple(found)


_LONGEST_TURKISH = max(map(len, ENDINGS["tr"]))


def _turkish_asked(word: str) -> tuple[str, ...]:
    """A plural, or the end of a compound: füzeler, terör saldırısı."""
    return next(
        (
            (word[: -len(ending)],)
            for ending in ("lari", "leri", "lar", "ler", "si", "su")
            if word.endswith(ending) and len(word) - len(ending) >= 3
        ),
        (),
    )


_RULES: dict[str, Rule] = {language: _by_endings(language, FEMININE.get(language)) for language in ENDINGS} | {
    language: _by_paradigms(language, typed=False) for language in PARADIGMS
} | {
    "en": _english, "de": _german, "uk": _ukrainian, "nl": _dutch, "id": _indonesian, "tr": _turkish, "ar": arabic, "he": hebrew, "fa": persian
}  # fmt: skip
#: where a word of a query stands for less than a word of a text
_ASKED: dict[str, Rule] = {language: _by_paradigms(language, typed=True) for language in PARADIGMS} | {
    **{language: _by_endings(language) for language in FEMININE}, "tr": _turkish_asked, "ar": arabic_asked, "he": hebrew_asked, "fa": persian_asked
}  # fmt: skip
for _alias, _language in {
    "nb": "no",
    "nn": "no",
    "hr": "sr",
    "bs": "sr",
    "ms": "id",
    "sk": "cs",
    "iw": "he",
    "in": "id",
}.items():
    _RULES[_alias] = _RULES[_language]
    if _language in _ASKED:
        _ASKED[_alias] = _ASKED[_language]
_MEMOS = {language: _Memo(rule) for language, rule in _RULES.items()}
_ASKED_MEMOS = _MEMOS | {language: _Memo(rule) for language, rule in _ASKED.items()}
#: languages with a table
LANGUAGES = frozenset(_MEMOS)
_NONE = _Memo(lambda _word: ())


def inflects(language: str) -> bool:
    """Whether there is a table for the language; without one only exact forms match."""
    return language in _MEMOS


def forms(word: str, language: str) -> tuple[str, ...]:
    """What a folded word of a text may be a form of, itself left out; () where nothing is known."""
    return _MEMOS.get(language, _NONE)[word]


def asked(word: str, language: str) -> tuple[str, ...]:
    """What else a folded word of a query stands for; () where nothing is known."""
    return _ASKED_MEMOS.get(language, _NONE)[word]


def same(query: str, text: str, language: str) -> bool:
    """Whether a folded word of a query is, or shares a form with, a folded word of a text."""
    if query == text:
        return True
    own = asked(query, language)
    return text in own or query in (others := forms(text, language)) or any(form in others for form in own)


def all_forms(found: Iterable[str], language: str) -> set[str]:
    """The words and their forms."""
    result = set(found)
    memo = _MEMOS.get(language)
    if memo is not None:
        result.update(*filter(None, map(memo.__getitem__, found)))
    return result

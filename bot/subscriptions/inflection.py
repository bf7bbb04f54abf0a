"""Which words are forms of one word, by language.

`forms(word, language)` names what a folded word may be a form of: its singular, its stem without case endings, the word
without the clitics written together with it. Two words match when they are equal or share one of these. The endings
are those of inflection alone (number, case, gender where it is regular, tense), never of derivation, so that
`university` is no form of `universe`, nor `ракетка` of `ракета`; the tables speak of folded words. Why tables and not a
stemmer: benchmarks/matching_quality.py measures them side by side.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from bot.subscriptions.endings import ENDINGS, ER_NOUNS, IRREGULAR, KEEP, MINIMUM

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


def _by_endings(language: str) -> Rule:
    endings = ENDINGS[language]
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
    for ending in ("ern", "er"):
        if word.endswith(ending) and word.removesuffix(ending).endswith(ER_NOUNS):
            return (word.removesuffix(ending),)
    return _GERMAN(word)


_GERMAN = _by_endings("de")
_UKRAINIAN = _by_endings("uk")


def _ukrainian(word: str) -> tuple[str, ...]:
    """Харків, Харкова: the vowel of a closed syllable changes."""
    stems = (word, *_UKRAINIAN(word))
    # Folding makes ї an і.
    found = {s[:-2] + "ов" for s in stems if s.endswith("ів") and len(s) > 4}
    found |= {s[:-2] + "єв" for s in stems if s.endswith("ів") and s[-3:-2] in "иі"}
    return tuple({*stems[1:], *found} - {word})


def _turkish(word: str) -> tuple[str, ...]:
    stems = _TURKISH(word)
    if not stems and len(word) > 5 and word.endswith(("ler", "lar")):
        return (word[:-3],)
    found = dict.fromkeys(stems)
    for stem in stems:
        ending = word[len(stem) :]
        # The n, s or l of the ending may be the last letter of the word: televizyon-da, frekans-ı, kanal-a.
        if ending[0] in "nsl" and ending[1:] in ENDINGS["tr"]:
            found[stem + ending[0]] = None
        # A last k, p, t softens before a vowel: uçak, uçağı.
        if stem[-1] in "gbd" and ending[0] in _VOWELS:
            found[stem[:-1] + {"g": "k", "b": "p", "d": "t"}[stem[-1]]] = None
    return tuple(found)


_TURKISH = _by_endings("tr")


def _clitics(prefixes: tuple[str, ...], suffixes: Rule, shortest: int) -> Rule:
    """Semitic words: prepositions, conjunctions and the article are written together with what follows."""

    def rule(word: str) -> tuple[str, ...]:
        bare = [word] + [word[len(p) :] for p in prefixes if word.startswith(p) and len(word) - len(p) >= shortest]
        return tuple(dict.fromkeys(form for stem in bare for form in (stem, *suffixes(stem)) if form != word))

    return rule


_ARABIC_PREFIXES = (
    "ال", "و", "ف", "ب", "ك", "ل", "لل", "وال", "فال", "بال", "كال", "ولل", "فلل", "وب", "ول", "فب", "فل", "وبال", "فبال",
)  # fmt: skip
_HEBREW_PREFIXES = (
    "ה", "ב", "ל", "מ", "כ", "ו", "ש", "מה", "שה", "וה", "וב", "ול", "ומ", "וש", "ומה", "ושה", "שב", "של", "שמ", "כש", "כשה", "לכש", "מש", "בש",
)  # fmt: skip


_ARABIC = _by_endings("ar")
_RULES: dict[str, Rule] = {language: _by_endings(language) for language in ENDINGS} | {
    "en": _english,
    "de": _german,
    "uk": _ukrainian,
    "tr": _turkish,
    "ar": _clitics(_ARABIC_PREFIXES, _ARABIC, 3),
    "he": _clitics(_HEBREW_PREFIXES, _by_endings("he"), 3),
}
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
_MEMOS = {language: _Memo(rule) for language, rule in _RULES.items()}
_NONE = _Memo(lambda _word: ())


def inflects(language: str) -> bool:
    """Whether there is a table for the language; without one only exact forms match."""
    return language in _MEMOS


def forms(word: str, language: str) -> tuple[str, ...]:
    """What the folded word may be a form of, itself left out; () where nothing is known."""
    return _MEMOS.get(language, _NONE)[word]


def same(word: str, other: str, language: str) -> bool:
    """Whether the two folded words are equal or share a form."""
    if word == other:
        return True
    own = forms(word, language)
    return other in own or word in (others := forms(other, language)) or any(form in others for form in own)


def all_forms(found: Iterable[str], language: str) -> set[str]:
    """The words and their forms."""
    result = set(found)
    memo = _MEMOS.get(language)
    if memo is not None:
        result.update(*filter(None, map(memo.__getitem__, found)))
    return result

"""What is counted in a text: the dead, the injured, the arrested ... so that a story's figures can be compared."""

from __future__ import annotations

import re
from functools import lru_cache

_WORDS = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
    "eleven": 11, "twelve": 12, "dozen": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16,
    "seventeen": 17, "eighteen": 18, "nineteen": 19, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50,
}  # fmt: skip
#: words that are amounts
AMOUNTS = frozenset(_WORDS)
#: what is counted → words that say so, in a few languages; a word that ends in * stands for any ending
_COUNTED = {
    "killed": (
        "dead death deaths died die dies killed kill kills killing fatalities bodies victims tote getötet todesopfer mort morts"
        " tué tués muertos muerto fallecidos mortos mortas morti погиб* мертв* жертв* загибл* ölü öldü قتيل* قتلى"
    ),
    "injured": (
        "injured injures injuring injuries hurt wounded hospitalised hospitalized verletzt verletzte blessé blessés herido heridos feridos"
        " feriti ранен* пострадав* поранен* yaralı جريح* جرحى"
    ),
    "missing": "missing unaccounted vermisst vermisste disparus desaparecidos dispersi пропавш* kayıp",
    "arrested": "arrested arrests detained charged festgenommen arrêtés interpellés detenidos presos arrestati задержан* gözaltı*",
    "cases": "cases infections fälle cas casos casi случа*",
}
_EXACT = {form: what for what, forms in _COUNTED.items() for form in forms.split() if not form.endswith("*")}
_BEGIN = tuple((form[:-1], what) for what, forms in _COUNTED.items() for form in forms.split() if form.endswith("*"))
_AMOUNT = re.compile(r"\d{1,3}(?:[,.\u00a0]\d{3})+|\d{1,7}")
_PUNCTUATION = ".,:;!?()[]\"'“”‘’«»…-–—"
_GAP = 4  #: words that may stand between a number and what it counts
_LIMIT = 1 << 15  #: words a cache may hold before it starts anew


def _amount(word: str) -> int:
    if word in _WORDS:
        return _WORDS[word]
    if not _AMOUNT.fullmatch(word):
        return 0
    amount = int(re.sub(r"\D", "", word))
    return 0 if len(word) == 4 and 1900 <= amount <= 2100 else amount


@lru_cache(_LIMIT)
def _counted(word: str) -> str:
    return _EXACT.get(word) or next((what for begin, what in _BEGIN if word.startswith(begin)), "")


class _Said(dict[str, tuple[str, bool, bool]]):
    """What stands between two spaces → the bare word, whether a clause ends there, whether it may be an amount."""

    def __missing__(self, chunk: str) -> tuple[str, bool, bool]:
        if len(self) >= _LIMIT:
            self.clear()
        word = chunk.casefold().strip(_PUNCTUATION)
        said = self[chunk] = (word, chunk[-1] in ",.!?;:", word[:1].isdigit() or word in _WORDS)
        return said


_said = _Said()


def tolls(text: str) -> tuple[tuple[str, int], ...]:
    """What is counted and the highest count of each: "kills 11, injuring 30" gives (("injured", 30), ("killed", 11))."""
    chunks = text.split()
    found: dict[str, int] = {}
    for i, chunk in enumerate(chunks):
        if chunk.isalpha() and chunk.casefold() not in _WORDS:
            continue  # as most
        word, ends, number = _said[chunk]
        amount = _amount(word) if number else 0
        what = _what(chunks, i, ends=ends) if amount else ""
        if what:
            found[what] = max(found.get(what, 0), amount)
    return tuple(sorted(found.items()))


def _what(chunks: list[str], at: int, *, ends: bool) -> str:
    """What the number at `at` counts: the next counted thing of the sentence, before another number, else the last one."""
    if not ends:
        for word, stop, number in map(_said.__getitem__, chunks[at + 1 : at + 2 + _GAP]):
            if word == "more":  # eight more: not the sum
                return ""
            if number:
                break
            if what := _counted(word):
                return what
            if stop:
                break
    before = chunks[max(0, at - 2 * _GAP) : at]
    for gap, (word, stop, _) in enumerate(map(_said.__getitem__, reversed(before))):
        if stop or word[:1].isdigit():
            break
        if word == "toll":
            return "killed"
        if gap < _GAP and (what := _counted(word)) and what != "cases":
            return what
    return ""

"""What makes texts equal: case, diacritics, digits, dashes, invisible characters, letters of two scripts in one word."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


_DASHES = dict.fromkeys(
    "\u2010\u2011\u2012\u2013\u2014\u2015\u2043\u2212\u05be\u1806\u301c\u3030\ufe58\ufe63\uff0d\u2e3a\u2e3b", "-"
)
_APOSTROPHES = dict.fromkeys(
    "`\u00b4\u02b9\u02bb\u02bc\u02bd\u02c8\u2018\u2019\u201a\u201b\u2032\u055a\u05f3\ua78c\uff07", "'"
)
_QUOTES = dict.fromkeys("\u00ab\u00bb\u201c\u201d\u201e\u201f\u2033\u05f4\u300c\u300d\u300e\u300f\uff02", '"')
#: letters that Unicode does not decompose, Arabic letters written in several ways, and й, which is not и with a mark
_LETTERS = {
    "ł": "l", "ø": "o", "đ": "d", "ð": "d", "ħ": "h", "ŧ": "t", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th", "ŀ": "l",
    "й": "й", "ӏ": "і", "ґ": "г",
    "أ": "ا", "إ": "ا", "آ": "ا", "ٱ": "ا", "ى": "ي", "ی": "ي", "ې": "ي", "ة": "ه", "ہ": "ه", "ھ": "ه", "ە": "ه", "ۀ": "ه",
    "ک": "ك",
}  # fmt: skip
#: letters by their category that show nothing: Hangul fillers
_INVISIBLE = frozenset("\u115f\u1160\u3164\uffa0\u034f\u17b4\u17b5")
_MARKS = re.compile(
    "[\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u05bf-\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e8"
    "\u06ea-\u06ed\u093c\u180b-\u180f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe00-\ufe0f\ufe20-\ufe2f\U000e0100-\U000e01ef]"
)
LIMIT = 1 << 15  # entries a cache may hold before it starts anew


def _fold_letter(char: str) -> str:
    if char in _LETTERS:
        return _LETTERS[char]
    bare = _MARKS.sub("", unicodedata.normalize("NFKD", char))
    return unicodedata.normalize("NFC", "".join(_LETTERS.get(c, c) for c in bare))


def _fold_char(char: str) -> str:
    """One character that is in NFKC already."""
    category = unicodedata.category(char)
    if category == "Cf" or char in _INVISIBLE:
        return ""
    if category == "Nd":
        return str(unicodedata.decimal(char))
    for table in (_DASHES, _APOSTROPHES, _QUOTES):
        if char in table:
            return table[char]
    if category[0] in "LM" or category == "Nl":
        return "".join(map(_fold_letter, char.casefold()))
    return " " if char.isspace() or category[0] == "C" else char


class _Folds(dict[str, str]):
    """Grapheme (a character, or one with its combining marks) → its folding."""

    def __missing__(self, grapheme: str) -> str:
        if len(self) >= LIMIT:
            self.clear()
        special = _DASHES.get(grapheme) or _APOSTROPHES.get(grapheme) or _QUOTES.get(grapheme)
        if special is None:
            # Some folds (a Turkish capital with a dot below) need a second round to stand still.
            special = "".join(map(_fold_char, unicodedata.normalize("NFKC", grapheme)))
            special = "".join(map(_fold_char, unicodedata.normalize("NFKC", special)))
        self[grapheme] = special
        return special


folds = _Folds()
#: what composes with the character before it though it is no combining mark: vowels and finals of Hangul, halfwidth
#: voicing marks, second halves of Indic vowels
COMPOSING = frozenset(
    "\uff9e\uff9f\u09be\u09d7\u0b3e\u0b56\u0b57\u0bbe\u0bd7\u0cc2\u0cd5\u0cd6\u0d3e\u0d57\u0dcf\u0ddf\u102e\u1b35"
) | frozenset(map(chr, range(0x1160, 0x1200)))


def graphemes(text: str) -> Sequence[str]:
    """The text in the smallest pieces that can be folded one by one."""
    if unicodedata.is_normalized("NFKC", text):
        return text
    found: list[str] = []
    for char in text:
        if found and (unicodedata.combining(char) or char in COMPOSING):
            found[-1] += char
        else:
            found.append(char)
    return found


_LATIN_TWINS = dict(
    zip("авекмнорстухѕіјԁһԛԝӏьгпαβγεηικμνορτυχωϲϳ", "abekmhopctyxsijdhqwlbrnabyenikuvoptuxwcj", strict=True)
)
_CYRILLIC_TWINS = dict(zip("abcehkmoptxyisj", "авсенкмортхуіѕј", strict=True))
_GREEK_TWINS = dict(zip("abehikmnoptvxyuz", "αβεηικμνορτνχυυζ", strict=True))
_MIXED = re.compile("[a-z][\u0370-\u052f]|[\u0370-\u052f][a-z]")
_MIXED_RUN = re.compile("[a-z\u0370-\u052f]+")
_TO_LATIN, _TO_CYRILLIC, _TO_GREEK = map(str.maketrans, (_LATIN_TWINS, _CYRILLIC_TWINS, _GREEK_TWINS))


def _one_script(run: re.Match[str]) -> str:
    """A word of letters from two scripts in the script of most of them, where the others have twins in it."""
    word = run[0]
    latin = sum(c < "\x80" for c in word)
    greek = sum("\u0370" <= c < "\u0400" for c in word)
    own = _TO_GREEK if greek * 2 > len(word) - latin else _TO_CYRILLIC
    for table in (_TO_LATIN, own) if latin * 2 > len(word) else (own, _TO_LATIN):
        twin = word.translate(table)
        if twin.isascii() or not any(c < "\x80" for c in twin):
            return twin
    return word


def fold_parts(text: str) -> list[str]:
    """The folding of each grapheme; `"".join` of it is the folded text."""
    parts = list(map(folds.__getitem__, graphemes(text)))
    joined = "".join(parts)
    if _MIXED.search(joined):
        joined = _MIXED_RUN.sub(_one_script, joined)  # keeps every length
        at = 0
        for i, part in enumerate(parts):
            parts[i] = joined[at : at + len(part)]
            at += len(part)
    return parts


def fold(text: str) -> str:
    """The text with all differences gone that do not count, signs and spaces kept. Idempotent."""
    if text.isascii():
        return text.lower().translate(_FOLD_ASCII)
    return "".join(fold_parts(text))


def folded_offsets(text: str) -> tuple[str, list[int]]:
    """The folded text, and for each of its characters (and its end) the offset in `text` it comes from."""
    if text.isascii():
        return fold(text), list(range(len(text) + 1))
    pieces = graphemes(text)
    offsets: list[int] = []
    at = 0
    parts = fold_parts(text)
    for grapheme, part in zip(pieces, parts, strict=True):
        offsets += [at] * len(part)
        at += len(grapheme)
    offsets.append(at)
    return "".join(parts), offsets


_FOLD_ASCII = dict.fromkeys((*range(32), 127), " ") | {ord("`"): "'"}

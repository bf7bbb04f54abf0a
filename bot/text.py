"""What a word is: the one idea of it, shared by stories and subscriptions.

`fold` makes equal what people hold to be equal (case, diacritics, dashes, digits of any script, invisible characters);
`words` cuts folded text into words; `tokens` gives the same words with their place in the original text.

Words are runs of letters or runs of digits; they are cut where letters meet digits (`T-72B3` is t 72 b 3). Scripts
whose words stand without spaces between them (Han, Kana, Thai, Lao, Khmer, Burmese), and Hangul, whose particles stick
to the word, give one word per character: equality of runs is then a matter of neighbouring characters. A possessive
's is dropped; another apostrophe parts two words (`İdlib'de` is idlib de). Dots inside an acronym vanish (`U.S.` is us).

Sources: Unicode Standard Annex 15 (normalisation forms), chapter 3.13 (case folding).
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class Token(NamedTuple):
    """A word and where it stands: `text[start:end]` is what was written."""

    word: str
    start: int
    end: int


# ---------------------------------------------------------------- folding

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
    "й": "й", "ӏ": "і",
    "أ": "ا", "إ": "ا", "آ": "ا", "ٱ": "ا", "ى": "ي", "ی": "ي", "ې": "ي", "ة": "ه", "ہ": "ه", "ھ": "ه", "ە": "ه", "ۀ": "ه",
    "ک": "ك",
}  # fmt: skip
#: letters by their category that show nothing: Hangul fillers
_INVISIBLE = frozenset("\u115f\u1160\u3164\uffa0\u034f\u17b4\u17b5")
_MARKS = re.compile(
    "[\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u05bf-\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e8"
    "\u06ea-\u06ed\u093c\u180b-\u180f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe00-\ufe0f\ufe20-\ufe2f\U000e0100-\U000e01ef]"
)
_LIMIT = 1 << 15  # entries a cache may hold before it starts anew


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
        if len(self) >= _LIMIT:
            self.clear()
        special = _DASHES.get(grapheme) or _APOSTROPHES.get(grapheme) or _QUOTES.get(grapheme)
        if special is None:
            # Some folds (a Turkish capital with a dot below) need a second round to stand still.
            special = "".join(map(_fold_char, unicodedata.normalize("NFKC", grapheme)))
            special = "".join(map(_fold_char, unicodedata.normalize("NFKC", special)))
        self[grapheme] = special
        return special


_folds = _Folds()
#: what composes with the character before it though it is no combining mark: vowels and finals of Hangul, halfwidth
#: voicing marks, second halves of Indic vowels
_COMPOSING = frozenset(
    "\uff9e\uff9f\u09be\u09d7\u0b3e\u0b56\u0b57\u0bbe\u0bd7\u0cc2\u0cd5\u0cd6\u0d3e\u0d57\u0dcf\u0ddf\u102e\u1b35"
) | frozenset(map(chr, range(0x1160, 0x1200)))


def _graphemes(text: str) -> Sequence[str]:
    """The text in the smallest pieces that can be folded one by one."""
    if unicodedata.is_normalized("NFKC", text):
        return text
    found: list[str] = []
    for char in text:
        if found and (unicodedata.combining(char) or char in _COMPOSING):
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


def _fold_parts(text: str) -> list[str]:
    """The folding of each grapheme; `"".join` of it is the folded text."""
    parts = list(map(_folds.__getitem__, _graphemes(text)))
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
    return "".join(_fold_parts(text))


def folded_offsets(text: str) -> tuple[str, list[int]]:
    """The folded text, and for each of its characters (and its end) the offset in `text` it comes from."""
    if text.isascii():
        return fold(text), list(range(len(text) + 1))
    graphemes = _graphemes(text)
    offsets: list[int] = []
    at = 0
    parts = _fold_parts(text)
    for grapheme, part in zip(graphemes, parts, strict=True):
        offsets += [at] * len(part)
        at += len(grapheme)
    offsets.append(at)
    return "".join(parts), offsets


_FOLD_ASCII = dict.fromkeys((*range(32), 127), " ") | {ord("`"): "'"}

# ---------------------------------------------------------------- words

#: scripts that are matched by characters
CHARACTERS = (
    "\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u19e0-\u19ff\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3031-\u3035"
    "\u3038-\u303b\u3041-\u3096\u3099-\u309a\u309d-\u309f\u30a1-\u30fa\u30fc-\u318f\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf"
    "\u4e00-\u9fff\ua960-\ua97f\ua9e0-\ua9ff\uaa60-\uaa7f\uac00-\ud7ff\uf900-\ufaff\U0001b000-\U0001b16f\U00020000-\U0003ffff"
)
_OTHER_LETTERS = (
    "a-z\x80-\u0dff\u0f00-\u0fff\u10a0-\u10ff\u1200-\u177f\u1800-\u19df\u1a00-\u2e7f\u2fe0-\u3004\u3200-\u33ff\u4dc0-\u4dff"
    "\ua000-\ua95f\ua980-\ua9df\uaa00-\uaa5f\uaa80-\uabff\ue000-\uf8ff\ufb00-\U0001afff\U0001b170-\U0001ffff"
)
_L = f"[{_OTHER_LETTERS}]"
_A = f"[0-9{_OTHER_LETTERS}]"
_TOKEN = re.compile(
    rf"(?P<acronym>(?<!{_A}){_L}(?:\.{_L})+(?!{_A})\.?(?:'s(?!{_A}))?)"
    rf"|(?P<possessive>(?<={_A})'s(?!{_A}))"
    rf"|(?P<character>[{CHARACTERS}])"
    rf"|[0-9]+|{_L}+"
)
#: Hebrew acronyms carry a double quote before their last letter
_GERSHAYIM = re.compile('(?<=[א-ת])"(?=[א-ת])')


class _Wordings(dict[str, str]):
    """Folded grapheme part → the same with all that parts words made a space, so that what is left is letters."""

    def __missing__(self, part: str) -> str:
        if len(self) >= _LIMIT:
            self.clear()
        kept = "".join(c if c in "'.\"" or unicodedata.category(c)[0] in "LMN" else " " for c in part)
        self[part] = kept
        return kept


_wordings = _Wordings()


def _analyse(text: str) -> Iterator[Token]:
    """The reference: every other way to words must give the same."""
    graphemes = _graphemes(text)
    parts = [_wordings[part] for part in _fold_parts(text)]
    joined = "".join(parts)
    offsets: list[int] | range = range(len(joined) + 1)
    if len(joined) != len(text) or not isinstance(graphemes, str) or max(map(len, parts), default=1) > 1:
        offsets, at = [], 0
        for grapheme, part in zip(graphemes, parts, strict=True):
            offsets += [at] * len(part)
            at += len(grapheme)
        offsets.append(at)
    if '"' in joined:
        joined = _GERSHAYIM.sub("\x80", joined)
    for match in _TOKEN.finditer(joined):
        if match.lastgroup == "possessive":
            continue
        word = match[0]
        start, end = match.span()
        if match.lastgroup == "acronym":
            end -= len(word) - len(word := word.removesuffix("'s") if word.endswith("'s") else word)
            word = word.replace(".", "")
        # An end inside a grapheme that folds to several characters is moved behind it.
        last = offsets[end - 1]
        stop = next((o for o in offsets[end:] if o > last), len(text))
        yield Token(word.replace("\x80", ""), offsets[start], stop)


def tokens(text: str) -> list[Token]:
    """The words of the text and where each stands in it (characters, end exclusive)."""
    return list(_analyse(text))


_CHARACTER = re.compile(f"[{CHARACTERS}]")
#: runs of characters with all that may compose with one, and of anything else
_BY_CHARACTERS = re.compile(f"[{CHARACTERS}\uff66-\uff9f]+|[^{CHARACTERS}\uff66-\uff9f]+")


def _by_characters(chunk: str) -> list[str]:
    """The words of a chunk in which some are characters."""
    found: list[str] = []
    for run in _BY_CHARACTERS.findall(chunk):
        if unicodedata.combining(run[0]) or run[0] in _COMPOSING:
            # It composes with the end of the run before.
            return [token.word for token in _analyse(chunk)]
        if not _CHARACTER.match(run):
            found += [token.word for token in _analyse(run)] if "\uff66" <= run[0] <= "\uff9f" else _chunks[run]
            continue
        folded = "".join(map(_characters.__getitem__, _graphemes(run)))
        if _ALPHANUMERIC.search(folded):
            # Digits of the script make one number with the digits beside them.
            return [token.word for token in _analyse(chunk)]
        found += folded.replace(" ", "")
    return found


class _Characters(dict[str, str]):
    """Grapheme of a script matched by characters → its folding; a space for what is no letter."""

    def __missing__(self, grapheme: str) -> str:
        if len(self) >= _LIMIT:
            self.clear()
        folded = self[grapheme] = _wordings[_folds[grapheme]]
        return folded


_characters = _Characters()
_ALPHANUMERIC = re.compile("[0-9a-z]")


class _Chunks(dict[str, tuple[str, ...]]):
    """What stands between two spaces → its words. Nothing that makes a word reaches over a space."""

    def __missing__(self, chunk: str) -> tuple[str, ...]:
        if _CHARACTER.search(chunk):
            return tuple(_by_characters(chunk))
        found = tuple(token.word for token in _analyse(chunk))
        if len(chunk) <= 40:  # longer ones do not come again
            if len(self) >= _LIMIT:
                self.clear()
            self[chunk] = found
        return found


_chunks = _Chunks()

_ASCII_FOLDED = bytes(
    c + 32 if 65 <= c <= 90 else 39 if c == 96 else c if c in b"'." or 97 <= c <= 122 or 48 <= c <= 57 else 32
    for c in range(256)
)
_ASCII_CASED = bytes(c if 65 <= c <= 90 else _ASCII_FOLDED[c] for c in range(256))
_ASCII_CLASSES = bytes(
    97 if chr(c).isalpha() and c < 128 else 48 if 48 <= c <= 57 else c if c in b"." else 32 for c in range(256)
)
_ASCII_ACRONYM = re.compile(rb"(?i)(?<![a-z0-9])[a-z](?:\.[a-z])+(?![a-z0-9])\.?(?:'s(?![a-z0-9]))?")
_ASCII_POSSESSIVE = re.compile(rb"'[sS](?![a-zA-Z0-9])(?<=[a-zA-Z0-9]'[sS])")


def _join_acronym(match: re.Match[bytes]) -> bytes:
    return match[0].partition(b"'")[0].replace(b".", b"") + b" "


def _ascii_words(text: str, table: bytes = _ASCII_FOLDED) -> list[str]:
    folded = text.encode().translate(table)
    apostrophes = b"'" in folded
    if apostrophes:
        folded = _ASCII_POSSESSIVE.sub(b" ", folded)
    # Most stories have neither an acronym nor a word with digits; to find that out must cost next to nothing. One byte
    # is searched for many times faster than two in a row.
    folded = folded.rstrip(b". ").replace(b". ", b"  ")
    if b"." in folded:
        if b"a.a" in folded.translate(_ASCII_CLASSES):
            folded = _ASCII_ACRONYM.sub(_join_acronym, folded)
        folded = folded.replace(b".", b" ")
    classes = folded.translate(_ASCII_CLASSES)
    at = classes.find(b"0")
    while at >= 0:
        end = classes.find(b" ", at)
        if classes[at - 1 : at] == b"a" or classes[at : end if end >= 0 else None].strip(b"0"):
            folded = _cut(folded, classes)
            break
        at = classes.find(b"0", end) if end >= 0 else -1
    if apostrophes:
        folded = folded.replace(b"'", b" ")
    return folded.decode().split()


def _cut(folded: bytes, classes: bytes) -> bytes:
    """Puts a space where letters meet digits."""
    places = []
    for seam in (b"a0", b"0a"):
        at = classes.find(seam)
        while at >= 0:
            places.append(at + 1)
            at = classes.find(seam, at + 1)
    places.sort()
    return b" ".join([folded[a:b] for a, b in zip([0, *places], [*places, len(folded)], strict=True)])


def words(text: str) -> list[str]:
    """The folded words of the text, in order; a character each in the scripts matched by characters."""
    if text.isascii():
        return _ascii_words(text)
    found: list[str] = []
    for chunk in text.split():
        found += _chunks[chunk]
    return found


def surfaces(text: str) -> list[str]:
    """The words as written, in the case they have; dots of acronyms gone. As many as `words` gives, in its order."""
    if text.isascii():
        return _ascii_words(text, _ASCII_CASED)
    return [text[token.start : token.end].replace(".", "") for token in _analyse(text)]


# ---------------------------------------------------------------- language


#: scripts that only one language of the news is written in; Han stands last, since Japanese has it too
_SCRIPTS = tuple(
    (language, re.compile(f"[{script}]"))
    for language, script in {
        "ja": "\u3041-\u30ff", "ko": "\uac00-\ud7a3", "th": "\u0e01-\u0e5b", "lo": "\u0e81-\u0edf", "km": "\u1780-\u17ff",
        "my": "\u1000-\u109f", "ka": "\u10a0-\u10ff", "hy": "\u0531-\u058a", "el": "\u0370-\u03ff", "he": "\u05d0-\u05ea",
        "zh": "\u4e00-\u9fff\u3400-\u4dbf",
    }.items()
)  # fmt: skip


@cache
def _identifier() -> Any:
    # Imported on first use: it brings numpy, which costs 25 MB that a bot with declared languages never needs.
    from py3langid.langid import MODEL_FILE, LanguageIdentifier  # noqa: PLC0415

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


def detect_language(text: str) -> str:
    """ISO 639-1 code of the text's language, "" when it is too short or the odds are below 0.7."""
    text = text[:1000]
    letters = sum(map(str.isalpha, text))
    for language, pattern in _SCRIPTS:
        if letters and len(pattern.findall(text)) * 3 > letters:
            return language
    if letters < 12:
        return ""
    code, odds = _identifier().classify(text)
    return {"nb": "no", "nn": "no"}.get(code, code) if odds >= 0.7 else ""

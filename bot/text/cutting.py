"""Folded text → words. `_analyse` is the reference; every quicker way gives what it gives."""

from __future__ import annotations

import re
import unicodedata
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from bot.text.folding import COMPOSING, LIMIT, fold, fold_parts, folds, graphemes

if TYPE_CHECKING:
    from collections.abc import Iterator


class Token(NamedTuple):
    """A word and where it stands: `text[start:end]` is what was written."""

    word: str
    start: int
    end: int


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
_ASCII_TOKEN = re.compile(
    r"(?<![a-z0-9])[a-z](?:\.[a-z])+(?![a-z0-9])\.?(?:'s(?![a-z0-9]))?|(?<=[a-z0-9])'s(?![a-z0-9])|[0-9]+|[a-z]+"
)
#: Hebrew acronyms carry a double quote before their last letter
_GERSHAYIM = re.compile('(?<=[א-ת])"(?=[א-ת])')


class _Wordings(dict[str, str]):
    """Folded grapheme part → the same with all that parts words made a space, so that what is left is letters."""

    def __missing__(self, part: str) -> str:
        if len(self) >= LIMIT:
            self.clear()
        kept = "".join(c if c in "'.\"" or unicodedata.category(c)[0] in "LMN" else " " for c in part)
        self[part] = kept
        return kept


_wordings = _Wordings()


def _analyse(text: str) -> Iterator[Token]:
    """The reference: every other way to words must give the same."""
    pieces = graphemes(text)
    parts = [_wordings[part] for part in fold_parts(text)]
    joined = "".join(parts)
    offsets: list[int] | range = range(len(joined) + 1)
    if len(joined) != len(text) or not isinstance(pieces, str) or max(map(len, parts), default=1) > 1:
        offsets, at = [], 0
        for grapheme, part in zip(pieces, parts, strict=True):
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
    if not text.isascii():
        return list(_analyse(text))
    found = []
    for match in _ASCII_TOKEN.finditer(fold(text)):
        word, start = match[0], match.start()
        if "." in word:
            word = word.removesuffix("'s")
            found.append(Token(word.replace(".", ""), start, start + len(word)))
        elif word[0] != "'":
            found.append(Token(word, start, match.end()))
    return found


_CHARACTER = re.compile(f"[{CHARACTERS}]")
#: runs of characters (halfwidth Kana too), and of anything else
_BY_CHARACTERS = re.compile(f"([{CHARACTERS}\uff66-\uff9f]+)|([^{CHARACTERS}\uff66-\uff9f]+)")


def _by_characters(chunk: str) -> list[str]:
    """The words of a chunk in which some are characters."""
    found: list[str] = []
    plain = unicodedata.is_normalized("NFKC", chunk)
    for run, other in _BY_CHARACTERS.findall(chunk):
        first = (run or other)[0]
        if not plain and (unicodedata.combining(first) or first in COMPOSING):
            # It composes with the end of the run before.
            return [token.word for token in _analyse(chunk)]
        if other:
            found += _chunks[other]
            continue
        parts = list(map(_characters.__getitem__, run if plain else graphemes(run)))
        folded = "".join(parts)
        if _ALPHANUMERIC.search(folded):
            # Digits of the script make one number with the digits beside them.
            return [token.word for token in _analyse(chunk)]
        found += parts if len(parts) == len(folded) and " " not in folded else folded.replace(" ", "")
    return found


class _Characters(dict[str, str]):
    """Grapheme of a script matched by characters → its folding; a space for what is no letter."""

    def __missing__(self, grapheme: str) -> str:
        if len(self) >= LIMIT:
            self.clear()
        folded = self[grapheme] = _wordings[folds[grapheme]]
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
            if len(self) >= LIMIT:
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
    raw = text.encode()
    folded = raw.translate(table).replace(b".", b" ")
    # Most stories have neither an acronym nor a word with digits; to find that out must cost next to nothing. One byte
    # is searched for many times faster than two in a row.
    for piece in text.split(".")[1:]:
        if piece[:1].isalpha():
            # a possessive comes first: in "0's.a" it is not the beginning of an acronym
            plain = _ASCII_POSSESSIVE.sub(b" ", raw.translate(table))
            folded = _ASCII_ACRONYM.sub(_join_acronym, plain).replace(b".", b" ")
            break
    apostrophes = b"'" in folded
    if apostrophes:
        folded = _ASCII_POSSESSIVE.sub(b" ", folded)
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
    return list(chain.from_iterable(map(_chunks.__getitem__, text.split())))


def surfaces(text: str) -> list[str]:
    """The words as written, in the case they have; dots of acronyms gone. As many as `words` gives, in its order."""
    if text.isascii():
        return _ascii_words(text, _ASCII_CASED)
    return [text[token.start : token.end].replace(".", "") for token in _analyse(text)]

"""Folded text → words. `_analyse` is the reference; every quicker way gives what it gives."""

from __future__ import annotations

import re
import unicodedata
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from bot.text.alphabets import APOSTROPHE, DIGIT, DOT, DOTTED, LETTER, PART, cut, dotted, in_one_alphabet, seam
from bot.text.folding import COMPOSING, LIMIT, fold, fold_parts, graphemes

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
#: characters that fold to themselves whatever stands beside them
_ALONE = "\u0e01-\u0e30\u3041-\u3096\u30a1-\u30fa\u3105-\u312f\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3"
#: the same where nothing composes
_COMPOSED = _ALONE + "\u0e31-\u0e32\u0e34-\u0e3a\u0e40-\u0e4e"
#: what parts words and is no sign of any of them
_GAPS = " \t\n\r,:;!?()\u3000-\u3002\u3008-\u3011\uff01\uff08\uff09\uff0c\uff1a\uff1b\uff1f\u201c\u201d"
_RUNS, _COMPOSED_RUNS = (
    re.compile(f"([{alone}][ {alone}]*)|([^{alone}{_GAPS}]+)").findall for alone in (_ALONE, _COMPOSED)
)


def _by_characters(text: str, *, composed: bool = False) -> list[str]:
    """The words of a text in which some are characters."""
    text = text.replace("\u0e33", "\u0e4d\u0e32")  # the one letter of Thai that is composed of two
    found: list[str] = []
    for run, other in (_COMPOSED_RUNS if composed else _RUNS)(text):
        if run:
            found += run.replace(" ", "")
        elif composed or not (unicodedata.combining(other[0]) or other[0] in COMPOSING):
            found += _chunks[other]
        elif unicodedata.is_normalized("NFKC", text):
            return _by_characters(text, composed=True)
        else:
            # It composes with the end of the run before.
            return [token.word for token in _analyse(text)]
    return found


class _Chunks(dict[str, list[str]]):
    """What stands between two spaces, or between characters → its words. Nothing that makes a word reaches over those."""

    def __missing__(self, chunk: str) -> list[str]:
        found = _ascii_words(chunk) if chunk.isascii() else in_one_alphabet(chunk)
        if found is None:
            found = [token.word for token in _analyse(chunk)]
        if len(chunk) <= 40:  # longer ones do not come again
            if len(self) >= LIMIT:
                self.clear()
            self[chunk] = found
        return found


_chunks = _Chunks()

_ASCII_KINDS = bytes(
    LETTER if chr(c).isalpha() and c < 128 else DIGIT if 48 <= c <= 57 else DOT if c == 46 else PART for c in range(256)
)
_ASCII_CASED = bytes(
    ord(DOTTED) if c == 46 else ord(APOSTROPHE) if c in b"'`" else c if _ASCII_KINDS[c] != PART else 32
    for c in range(256)
)
_ASCII_FOLDED = _ASCII_CASED.lower()
_ASCII_POSSESSIVE = re.compile(rb"\x1fs\b(?<=\w\x1fs)").sub  # as in `cut`; bytes are quicker


def _ascii_words(text: str, table: bytes = _ASCII_FOLDED) -> list[str]:
    raw = text.encode()
    return cut(raw.translate(table).decode(), raw.translate(_ASCII_KINDS))


def words(text: str) -> list[str]:
    """The folded words of the text, in order; a character each in the scripts matched by characters."""
    if text.isascii():
        raw = text.encode()
        kinds = raw.translate(_ASCII_KINDS)
        if seam(kinds) or dotted(kinds):
            return cut(raw.translate(_ASCII_FOLDED).decode(), kinds)
        return _ASCII_POSSESSIVE(b" ", raw.translate(_ASCII_FOLDED)).decode().split()
    found = in_one_alphabet(text)
    if found is not None:
        return found
    if _CHARACTER.search(text):
        return _by_characters(text)
    return list(chain.from_iterable(map(_chunks.__getitem__, text.split())))


def surfaces(text: str) -> list[str]:
    """The words as written, in the case they have; dots of acronyms gone. As many as `words` gives, in its order."""
    if text.isascii():
        return _ascii_words(text, _ASCII_CASED)
    found = in_one_alphabet(text, cased=True)
    if found is not None:
        return found
    return [text[token.start : token.end].replace(".", "") for token in _analyse(text)]

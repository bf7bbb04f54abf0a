"""Alphabets: the letters of one script with the signs around them, few enough to give each a byte.

A text in one alphabet is folded and cut by a handful of loops over bytes, whatever words it has, instead of character by
character. What an alphabet does with a character is computed from `folds`; what it can't do exactly (two scripts in one
word, a letter that combines) it refuses, and the caller goes the long way.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from bot.text.folding import COMPOSING, folds

if TYPE_CHECKING:
    from collections.abc import Iterator

#: kinds of characters: a letter, a letter of Greek or Cyrillic (which have Latin twins), a digit, a dot, a quotation mark
#: (Hebrew acronyms have one), nothing (folds to no character), several (folds to more than one), and what parts words
LETTER, TWINNED, DIGIT, DOT, QUOTE, NOTHING, SEVERAL, PART = b'ab0."-+ '
#: in folded text: a dot, an apostrophe; both part words
DOTTED, APOSTROPHE = "\x1e", "\x1f"

seam = re.compile(rb"0(?:[ab]|(?<=[ab]0))").search
_SEAMS = re.compile(rb"0(?:(?=[ab])|(?<=[ab]0))").finditer
dotted = re.compile(rb"\.[ab]").search
_QUOTED = re.compile(rb'"(?=a)(?<=a")').finditer
_MIXED = re.compile(rb"a(?:b|(?<=ba))").search
_PARTS = f" {DOTTED}{APOSTROPHE}"
_S = f"{APOSTROPHE}[sSśŚşŞšŠșȘ](?![^{_PARTS}])"  # all that fold to s: the text may still have its capitals and marks
_POSSESSIVE = re.compile(rf"{_S}(?<=[^{_PARTS}]{APOSTROPHE}.)").sub
_L = rf"[^\d{_PARTS}]"
_ACRONYM = re.compile(rf"{DOTTED}(?<=[{_PARTS}]{_L}{DOTTED}){_L}(?:{DOTTED}{_L})*(?![^{_PARTS}]){DOTTED}?(?:{_S})?").sub


def _join_acronym(match: re.Match[str]) -> str:
    return match[0].partition(APOSTROPHE)[0].replace(DOTTED, "").ljust(len(match[0]))


def cut(told: str, kinds: bytes) -> list[str]:
    """The words of a text in which all that parts words is a space, a dot or an apostrophe, given each character's kind."""
    # Most stories have neither an acronym nor letters grown together with digits: one byte is looked for, and what is
    # beside it. All that is done keeps every character at its place. A possessive comes first: in "0's.a" it is not the
    # beginning of an acronym.
    if APOSTROPHE in told:
        told = _POSSESSIVE("  ", told)
    if DOT in kinds and dotted(kinds):
        told = _ACRONYM(_join_acronym, " " + told)[1:]
    if DIGIT in kinds and seam(kinds):
        told = " ".join([told[a:b] for a, b in pairwise((0, *_seams(kinds), len(told)))])
    return told.split()


def _seams(kinds: bytes) -> Iterator[int]:
    """Where letters meet digits."""
    for match in _SEAMS(kinds):
        i = match.start()
        if kinds[i - 1 : i].isalpha():
            yield i
        if kinds[i + 1 : i + 2].isalpha():
            yield i + 1


def _folded(char: str) -> tuple[str, int]:
    """What a character becomes in folded text, and its kind."""
    folding = "".join(c if c in "'.\"" or unicodedata.category(c)[0] in "LMN" else " " for c in folds[char])
    if len(folding) > 1 and folding.strip(". "):
        return char, SEVERAL
    match folding:
        case "":
            return char, NOTHING
        case ".":
            return DOTTED, DOT
        case "'":
            return APOSTROPHE, PART
        case '"':
            return " ", QUOTE
        case _ if not folding.strip(". "):
            return " ", PART  # three dots are no dot of an acronym
        case _ if "0" <= folding <= "9":
            return folding, DIGIT
        case _:
            return folding, TWINNED if "\u0370" <= folding <= "\u052f" else LETTER


class _Tables(NamedTuple):
    """An alphabet as its bytes: to write a text in it, and to read it back in one of two ways."""

    codes: Any
    kinds: bytes
    folded: str
    cased: str
    nothing: bytes
    several: dict[str, str]


class Alphabet:
    """Printable ASCII, the usual signs, and the letters of a script: 256 characters at most."""

    def __init__(self, letters: str, *, hebrew: bool = False) -> None:
        self.chars: str = "".join(dict.fromkeys(_ASCII + letters + _SIGNS))
        self._hebrew = hebrew

    @cached_property
    def _tables(self) -> _Tables:
        pairs = [_folded(char) for char in self.chars]
        return _Tables(
            codes=codecs.charmap_build(self.chars.ljust(256, "\ufffe")),
            kinds=bytes([kind for _, kind in pairs]).ljust(256),
            # of 256 characters, and of one byte where that is enough: what the codec is quickest with
            folded="".join([" " if kind in {NOTHING, SEVERAL} else char for char, kind in pairs]).ljust(256),
            cased="".join(
                [
                    folding if kind in {PART, DOT, QUOTE} else char
                    for char, (folding, kind) in zip(self.chars, pairs, strict=True)
                ]
            ).ljust(256),
            nothing=bytes([i for i, (_, kind) in enumerate(pairs) if kind == NOTHING]),
            several={char: folds[char] for char, (_, kind) in zip(self.chars, pairs, strict=True) if kind == SEVERAL},
        )

    def words(self, text: str, *, cased: bool) -> list[str] | None:
        """The words, folded or as written; None where only the long way is exact. Raises _Refused at a strange letter."""
        tables = self._tables
        raw, _ = codecs.charmap_encode(text, _HANDLER, tables.codes)
        kinds = raw.translate(tables.kinds)
        if SEVERAL in kinds:
            if cased:
                kinds = kinds.replace(b"+", b"a")
                if dotted(kinds):
                    return None  # one letter as written, two when it is asked for an acronym
            else:
                for char, folding in tables.several.items():
                    text = text.replace(char, folding)
                raw, _ = codecs.charmap_encode(text, _HANDLER, tables.codes)
                kinds = raw.translate(tables.kinds)
        if cased and (NOTHING in kinds or len(raw) != len(text)):
            return None  # what vanishes in folded text stands in it as written
        if NOTHING in kinds:
            raw = raw.translate(None, tables.nothing)
            kinds = raw.translate(tables.kinds)
        if TWINNED in kinds and LETTER in kinds and _MIXED(kinds):
            return None
        told, _ = codecs.charmap_decode(raw, "strict", tables.cased if cased else tables.folded)
        if self._hebrew and QUOTE in kinds:
            # Acronyms carry a quotation mark before their last letter.
            for i in reversed([match.start() for match in _QUOTED(kinds)]):
                if "א" <= told[i - 1] <= "ת" and "א" <= told[i + 1] <= "ת":
                    if cased:
                        return None
                    told, kinds = told[:i] + told[i + 1 :], kinds[:i] + kinds[i + 1 :]
        return cut(told, kinds)


_HANDLER = "tocsin-strangers"
#: NUL comes first, or the codec falls back to a slow table
_ASCII = "\0\t\n\r" + "".join(map(chr, range(32, 127)))
_SIGNS = "\xa0«»‘’‚“”„–—…•·°€£©®\xad\u200b\u200c\u200d\u200e\u200f\ufeff"

_ALPHABETS = (
    Alphabet(  # Western Europe and Turkish
        "ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖØÙÚÛÜÝÞßàáâãäåæçèéêëìíîïðñòóôõöøùúûüýþÿŒœŠšŽžŸĞğİıŞşĂăŢţȘșȚțŁłŐőŰűĆćČčĐđŚśŃńªº¡¿"
    ),
    Alphabet(  # Central Europe and the Baltic
        "ÁÂÄÉËÍÎÓÔÖÚÜÝßáâäéëíîóôöúüýĂăĄąĆćČčĎďĐđĘęĚěĹĺĽľŁłŃńŇňŐőŔŕŘřŚśŞşŠšŢţŤťŮůŰűŹźŻżŽžȘșȚțĀāĒēĢģĪīĶķĻļŅņŖŗŪūĖėĮįŲųÕõÀàÈèÙùÇç"
    ),
    Alphabet(  # Cyrillic
        "".join(map(chr, range(0x400, 0x460))) + "ҐґҒғҖҗҚқҢңҮүҰұҲҳҶҷҺһӘәӢӣӨөӮӯ№"
    ),
    Alphabet("΄΅ΆΈΉΊΌΎΏΐ" + "".join(map(chr, range(0x391, 0x3a2))) + "".join(map(chr, range(0x3a3, 0x3cf)))),
    Alphabet(  # Arabic, Persian, Urdu
        "،؛؟ـ٪٫٬" + "".join(map(chr, range(0x621, 0x63b))) + "".join(map(chr, range(0x641, 0x653)))
        + "ٰ٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹ٱٹپچڈڑژکگںھہۂۃیےۓ۔ې"
    ),
    Alphabet("".join(map(chr, (*range(0x5b0, 0x5c8), *range(0x5d0, 0x5eb), 0x5f3, 0x5f4, 0x20aa))), hebrew=True),
    Alphabet("".join(map(chr, (*range(0x901, 0x93a), *range(0x93c, 0x950), *range(0x958, 0x970), 0x20b9)))),
)  # fmt: skip
_OF: dict[str, list[Alphabet]] = {}
for _alphabet in _ALPHABETS:
    for _char in _alphabet.chars:
        _OF.setdefault(_char, []).append(_alphabet)


class _Strangers(dict[str, str]):
    """Character of no alphabet → what stands for it: nothing or a space. Others are refused with a KeyError."""

    def __missing__(self, char: str) -> str:
        folding, kind = _folded(char)
        if (
            char in _OF
            or unicodedata.combining(char)
            or char in COMPOSING
            or (kind != NOTHING and (kind != PART or folding != " "))
        ):
            raise KeyError(char)
        self[char] = found = "" if kind == NOTHING else " "
        return found


_strangers = _Strangers()


def _replace(error: UnicodeError) -> tuple[str, int]:
    """Pictures and arrows stand in texts of any alphabet."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    char = error.object[error.start]
    try:
        return _strangers[char], error.start + 1
    except KeyError:
        raise _Refused(char) from None


class _Refused(Exception):
    """At which character a text leaves its alphabet."""


codecs.register_error(_HANDLER, _replace)


def in_one_alphabet(text: str, *, cased: bool = False) -> list[str] | None:
    """The words of a text in one alphabet, folded or as written; None of any other."""
    alphabet = _latest[0]
    tried = [alphabet]
    while True:
        try:
            found = alphabet.words(text, cased=cased)
        except _Refused as refused:
            fitting = [other for other in _OF.get(refused.args[0], ()) if other not in tried]
            if not fitting:
                return None
            alphabet = fitting[0]
            tried.append(alphabet)
        else:
            _latest[0] = alphabet
            return found


#: texts come feed by feed: what fitted the last one is tried first
_latest = [_ALPHABETS[0]]

"""Spellings of a designator in Latin and Cyrillic: S-300 is written С-300, B-52 В-52, Kh-101 Х-101."""

from __future__ import annotations

#: by sound, as names are transliterated
_SOUND = {
    "kh": "х", "ch": "ч", "sh": "ш", "zh": "ж", "ts": "ц", "yu": "ю", "ya": "я", "a": "а", "b": "б", "v": "в", "g": "г", "d": "д",
    "e": "е", "z": "з", "i": "и", "k": "к", "l": "л", "m": "м", "n": "н", "o": "о", "p": "п", "r": "р", "s": "с", "t": "т", "u": "у",
    "f": "ф", "h": "х", "c": "ц", "y": "й", "j": "й", "x": "кс", "w": "в",
}  # fmt: skip
_SOUND_BACK = {new: old for old, new in reversed(_SOUND.items()) if len(new) == 1} | {
    "э": "e",
    "ы": "y",
    "є": "e",
    "і": "i",
}
#: by shape of the capitals
_SHAPE = dict(zip("abcehkmoptxyis", "авсенкмортхуіѕ", strict=True))
_SHAPE_BACK = {new: old for old, new in _SHAPE.items()}


def _spell(word: str, table: dict[str, str]) -> str:
    """The word letter by letter in the other alphabet, or "" where a letter has no twin."""
    spelled, at = [], 0
    while at < len(word):
        size = 2 if word[at : at + 2] in table else 1
        twin = table.get(word[at : at + size])
        if twin is None:
            return ""
        spelled.append(twin)
        at += size
    return "".join(spelled)


def twins(found: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    """The words of a designator in each spelling, the given one first."""
    spellings = {found: None}
    for table in (_SOUND, _SHAPE, _SOUND_BACK, _SHAPE_BACK):
        spelled = tuple(word if word.isdigit() else _spell(word, table) for word in found)
        if all(spelled):
            spellings[spelled] = None
    return tuple(spellings)

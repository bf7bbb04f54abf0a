"""Which language a text is written in."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

#: scripts that only one language of the news is written in; Han stands last, since Japanese has it too
_SCRIPTS = tuple(
    (language, re.compile(f"[{script}]"))
    for language, script in {
        "ja": "\u3041-\u30ff", "ko": "\uac00-\ud7a3", "th": "\u0e01-\u0e5b", "lo": "\u0e81-\u0edf", "km": "\u1780-\u17ff",
        "my": "\u1000-\u109f", "ka": "\u10a0-\u10ff", "hy": "\u0531-\u058a", "el": "\u0370-\u03ff", "he": "\u05d0-\u05ea",
        "zh": "\u4e00-\u9fff\u3400-\u4dbf",
    }.items()
)  # fmt: skip
#: what the model tells apart and ISO 639-1 does not; of its other codes with three letters none is a language here
_ONE = {"nb": "no", "nn": "no", "arz": "ar", "ary": "ar", "wuu": "zh", "yue": "zh", "uzs": "uz", "sdh": "ku"}


@cache
def _identifier() -> Any:
    # Imported on first use: it brings numpy, which costs 25 MB that a bot with declared languages never needs.
    from py3langid.langid import MODEL_FILE, LanguageIdentifier  # noqa: PLC0415

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


#: scripts with the languages that are written in them
_WRITTEN = tuple(
    (re.compile(f"[{script}]"), frozenset(languages.split()))
    for script, languages in {
        "\u0400-\u052f": "ru uk be bg sr mk kk ky tg mn uz az tt ba cv hr bs sh",
        "\u0600-\u06ff": "ar fa ur ps ku ckb ug sd pa az uz kk ky tg arz ary",
        "\u0370-\u03ff": "el",
        "\u05d0-\u05ea": "he iw yi",
        "\u0900-\u097f": "hi mr ne sa kok mai bho",
    }.items()
)
_ELSEWHERE = frozenset(
    ["ru", "uk", "be", "bg", "mk", "ar", "fa", "ur", "ps", "ug", "sd", "el", "he", "iw", "yi", "hi", "mr", "ne"]
)


def written_in(text: str, language: str) -> bool:
    """Whether the text is in a script of the language: a feed says en, and an entry of it is in Arabic."""
    if text.isascii():
        return language not in _ELSEWHERE or not any(map(str.isalpha, text))
    for script, languages in _WRITTEN:
        if script.search(text) and language not in languages:
            return len(script.findall(text)) * 2 <= sum(map(str.isalpha, text))
    return True


#: what most of what is written in a script is written in
_USUAL = (
    ("ru", re.compile("[\u0400-\u04ff]")),
    ("ar", re.compile("[\u0600-\u06ff]")),
    ("hi", re.compile("[\u0900-\u097f]")),
)
#: the likeliest of the known languages is believed from these odds, one that is not the usual of its script from the latter
_LIKELY, _UNUSUAL = 0.3, 0.5


def likely_language(text: str, known: frozenset[str]) -> str:
    """The best guess among the known languages, for a text too short to tell; English where there is no guess."""
    text = text[:1000]
    usual = next((language for language, script in _USUAL if script.search(text)), "en")
    odds: dict[str, float] = {}
    if sum(map(str.isalpha, text)) < 6:
        return usual
    for code, share in _identifier().rank(text):
        language = _ONE.get(code, code)
        if language in known:
            odds[language] = odds.get(language, 0.0) + float(share)
    best = max(odds, key=odds.__getitem__, default=usual)
    least = _LIKELY if usual == "en" else _UNUSUAL
    return best if odds.get(best, 0.0) >= least * sum(odds.values()) else usual


def load_model() -> None:
    """What `detect_language` does at its first call, which takes most of a second: for a thread, before it is needed."""
    _identifier()


def detect_language(text: str) -> str:
    """ISO 639-1 code of the text's language, "" when it is too short or the odds are below 0.7."""
    text = text[:1000]
    letters = sum(map(str.isalpha, text))
    for language, pattern in () if text.isascii() else _SCRIPTS:
        if letters and len(pattern.findall(text)) * 3 > letters:
            return language
    if letters < 12:
        return ""
    code, odds = _identifier().classify(text)
    code = _ONE.get(code, code)
    return code if odds >= 0.7 and len(code) == 2 else ""

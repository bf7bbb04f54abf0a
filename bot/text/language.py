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
    code = _ONE.get(code, code)
    return code if odds >= 0.7 and len(code) == 2 else ""

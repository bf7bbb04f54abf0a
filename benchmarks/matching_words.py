"""Folding and cutting into words beside the textbook pipeline; part of benchmarks/matching.py.

    python benchmarks/matching_words.py

Stories of 415 characters. English ones are real entries; the others are running words drawn by the frequencies of their
language, each story in one language. *Cold* is the first time a story is seen, with no word remembered.
"""

from __future__ import annotations

import random
import re
import statistics
import sys
import time
import unicodedata
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.matching_corpus import rows, stories
from bot.text import cutting, folding, words

LENGTH = 415
ROUNDS = 7
LANGUAGES = {
    "Latin": ("fr", "de", "es", "it", "pl", "tr"),
    "Cyrillic": ("ru", "uk"),
    "Arabic": ("ar", "fa"),
    "Hebrew": ("he",),
    "Devanagari": ("hi",),
    "Han": ("zh",),
    "Kana": ("ja",),
    "Hangul": ("ko",),
}
#: scripts that stand without spaces
UNSPACED = ("zh", "ja")


def textbook(told: str) -> list[str]:
    """NFKC, case folding, marks stripped, words: as one would write it."""
    folded = unicodedata.normalize("NFKC", told).casefold()
    bare = "".join(c for c in unicodedata.normalize("NFKD", folded) if not unicodedata.combining(c))
    return re.findall(r"\w+", bare)


def floor(told: str) -> list[str]:
    """The least that can be done in Python: lower case, signs away, split; of ASCII alone."""
    return told.encode().translate(cutting._ASCII_FOLDED).decode().split()  # noqa: SLF001 - its table


def samples() -> dict[str, list[str]]:
    """Stories by script."""
    told = [f"{title}. {summary} " for title, summary in stories()]
    joined = [(a + b)[:LENGTH] for a, b in zip(told[::2], told[1::2], strict=False) if len(a + b) >= LENGTH]
    found = {
        "ASCII": [text for text in joined if text.isascii()][:300],
        "English, typographic": [text for text in joined if not text.isascii()][:300],
    }
    source = random.Random(7)
    for script, languages in LANGUAGES.items():
        found[script] = []
        for language in languages:
            table = [(row[0], float(row[1])) for row in rows(f"wordfreq/{language}.tsv.xz")]
            drawn = source.choices([word for word, _ in table], [freq for _, freq in table], k=60_000 // len(languages))
            running = ("" if language in UNSPACED else " ").join(drawn)
            wanted = 300 // len(languages)
            found[script] += [running[i * LENGTH : (i + 1) * LENGTH] for i in range(wanted)]
    return found


def forget() -> None:
    """Empties what is remembered of words and characters."""
    cutting._chunks.clear()  # noqa: SLF001 - cold means without it
    folding.folds.clear()
    cutting._wordings.clear()  # noqa: SLF001


def spent(told: str, function: object) -> float:
    start = time.perf_counter()
    function(told)  # type: ignore[operator]
    return time.perf_counter() - start


def words_table() -> dict[str, tuple[float, float]]:
    """Prints the table; per script µs of a story and how many times the textbook takes as long."""
    print(f"  {'µs per story, p50':<26}{'words':>10}{'cold':>10}{'least':>10}{'textbook':>10}{'ratio':>8}")
    found = {}
    for script, told in samples().items():
        forget()
        cold = [spent(text, words) for text in told]
        warm, book, least = [], [], []
        for _ in range(ROUNDS):
            for text in told:
                warm.append(spent(text, words))
                book.append(spent(text, textbook))
                if script == "ASCII":
                    least.append(spent(text, floor))
        a, b, c = (statistics.median(values) * 1e6 for values in (warm, cold, book))
        bare = f"{statistics.median(least) * 1e6:.1f}" if least else ""
        print(f"  {script:<26}{a:>10.1f}{b:>10.1f}{bare:>10}{c:>10.1f}{c / a:>7.1f}x")
        found[script] = (a, c / a)
    return found


if __name__ == "__main__":
    words_table()

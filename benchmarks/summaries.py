"""Summaries over all feeds of the data folder: how many have markup, boilerplate, cut words or the headline again.

    python -m benchmarks.summaries [--show]

Every entry is summarised twice: from its lead, and around its rarest long word. The checks below share no code with the
summaries they judge; tests/stories/test_summary_checks.py plants defects that they must find. For comparison the first
280 characters of the same text are judged too, which is what most bots send.
"""

from __future__ import annotations

import re
import sys
from collections import Counter, defaultdict
from collections.abc import Callable

from benchmarks.story_data import feed_entries
from bot.model import Entry, Hit
from bot.stories.summary import Habits, summarise

_PHRASES = (
    "read more", "click here", "continue reading", "full story", "appeared first on", "sign up for", "log in", "subscribe to our",
    "follow us on", "share this", "all rights reserved", "we use cookies", "accept cookies", "weiterlesen", "erschien zuerst auf",
    "lire la suite", "leer más", "seguir leyendo", "leia mais", "continua a leggere", "читать далее", "читайте также",
    "devamını oku", "اقرأ المزيد", "阅读全文", "続きを読む", "[link]", "[comments]", "submitted by /u/", "unlimited access",
    "comments url:", "already a subscriber", "advertisement",
)  # fmt: skip
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>|&(?:amp|lt|gt|quot|nbsp|#\d+|#x[0-9a-f]+);")
_OPEN_END = re.compile(
    r"(?:[,;:&(\[{–—-]|\.\.\.|\[…\]|\b(?:the|a|an|and|or|of|to|in|on|at|by|for|with|und|der|die|das|et|le|la|de|y|el|и|в|на|с))$",
    re.IGNORECASE,
)


def has_markup(text: str) -> bool:
    """A tag or an entity."""
    return _TAG.search(text) is not None


def has_boilerplate(text: str) -> bool:
    """A phrase that pages put around every text."""
    lowered = text.casefold().replace("’", "'")
    return any(phrase in lowered for phrase in _PHRASES)


def has_cut(text: str, source: str) -> bool:
    """A word that the source does not have whole, or an end in the middle of a sentence."""
    whole = set(_bare(source).split())
    return bool(set(_bare(text).split()) - whole) or _OPEN_END.search(text.rstrip(" …\"'”’»")) is not None


def _bare(text: str) -> str:
    return re.sub(r"[^\w\s]+", " ", _TAG.sub(" ", text)).replace("_", " ")


def repeats_title(text: str, title: str) -> bool:
    """The headline stands in the summary again."""
    said, told = " ".join(_bare(text).casefold().split()), " ".join(_bare(title).casefold().split())
    return len(told) > 12 and told in said


def defects(text: str, entry: Entry) -> list[str]:
    """Names of what is wrong with a summary."""
    source = "\n".join(part for _, part in entry.texts())
    checks: dict[str, Callable[[], bool]] = {
        "markup": lambda: has_markup(text),
        "boilerplate": lambda: has_boilerplate(text),
        "cut": lambda: has_cut(text, source),
        "title": lambda: repeats_title(text, entry.title),
    }
    return [name for name, check in checks.items() if text and check()]


def _query(entry: Entry) -> list[Hit]:
    """A hit on the longest word of the texts, as a subscription to it would give."""
    found = [
        (match.group(), field, match.start(), match.end())
        for field, text in entry.texts()[1:4]
        for match in re.finditer(r"\w{6,}", text[:3000])
    ]
    if not found:
        return []
    word = max((f[0] for f in found), key=lambda w: (len(w), w))
    return [Hit(word, field, start, end) for w, field, start, end in found if w == word]


def main() -> None:
    entries = [entry for _, entry in feed_entries()]
    habits = Habits()
    for entry in entries:
        habits.learn(entry)
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    shown: dict[tuple[str, str], set[str]] = defaultdict(set)
    examples: dict[str, list[str]] = defaultdict(list)
    for entry in entries:
        first = " ".join((entry.summary or entry.content).split())[:280]
        texts = {
            "tocsin, lead": summarise(entry, [], habits).text,
            "tocsin, query": summarise(entry, _query(entry), habits).text,
            "first 280 characters": first,
        }
        for name, text in texts.items():
            counts[name]["all"] += bool(text)
            counts[name]["long"] += len(text) > 350
            for defect in defects(text, entry):
                counts[name][defect] += 1
                if name != "first 280 characters":
                    examples[defect].append(f"{entry.title!r}: {text!r}")
        shown[entry.feed, texts["tocsin, lead"]].add(entry.title)
    print(
        f"{len(entries):,} entries\n{'':24}{'summaries':>10}{'markup':>9}{'boiler':>9}{'cut':>9}{'title':>9}{'> 350':>9}"
    )
    for name, count in counts.items():
        shares = "".join(f"{count[d] / count['all']:9.2%}" for d in ("markup", "boilerplate", "cut", "title", "long"))
        print(f"{name:24}{count['all']:10,}{shares}")
    repeated = sum(len(titles) for (_, text), titles in shown.items() if text and len(titles) >= 3)
    print(f"the same summary under three or more headlines of one feed: {repeated / counts['tocsin, lead']['all']:.2%}")
    if "--show" in sys.argv:
        for defect, found in examples.items():
            print(f"\n{defect}", *found[:: max(1, len(found) // 12)][:12], sep="\n  ")


if __name__ == "__main__":
    main()

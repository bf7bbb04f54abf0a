"""Precision and recall of matching on the labelled set, by language; and three ways to inflect beside each other.

    python benchmarks/matching_quality.py [--lemmas]

The sets are in tests/data/matching: the first, and later ones that were written before the code saw them; what they scored
at that moment stands in docs/numbers.md. `--lemmas` adds, from the word lists of the data folder and simplemma's dictionaries, how
many inflected forms are found from their base form, and how many words of different lemmas are held to be one.
"""

from __future__ import annotations

import argparse
import importlib.util
import itertools
import resource
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import snowballstemmer  # noqa: E402

from bot.subscriptions import document as documents  # noqa: E402
from bot.subscriptions import inflection, leaves, several  # noqa: E402
from bot.subscriptions.match import document, matches  # noqa: E402
from bot.subscriptions.query import parse_query  # noqa: E402
from bot.text import words  # noqa: E402
from tests.subscriptions.entries import entry  # noqa: E402
from tests.subscriptions.test_matching_set import LATER, Case, cases  # noqa: E402

Forms = Callable[[str, str], tuple[str, ...]]
SNOWBALL = {
    "ar": "arabic", "de": "german", "en": "english", "es": "spanish", "fr": "french", "hi": "hindi", "id": "indonesian", "it": "italian",
    "nl": "dutch", "pt": "portuguese", "ro": "romanian", "ru": "russian", "sv": "swedish", "tr": "turkish", "pl": "polish", "cs": "czech",
    "el": "greek", "fa": "persian",
}  # fmt: skip
_stemmers: dict[str, Any] = {}


def no_forms(_word: str, _language: str) -> tuple[str, ...]:
    return ()


def snowball(word: str, language: str) -> tuple[str, ...]:
    if language not in SNOWBALL:
        return ()
    if language not in _stemmers:
        _stemmers[language] = snowballstemmer.stemmer(SNOWBALL[language])
    return (_stemmers[language].stemWord(word),)


def simplemmas(word: str, language: str) -> tuple[str, ...]:
    import simplemma

    try:
        return tuple(words(simplemma.lemmatize(word, lang=language)))
    except ValueError:  # a language it does not know
        return ()


def use(forms: Forms, asked: Forms | None = None) -> None:
    """Makes matching inflect in another way, for this measurement alone."""

    def same(word: str, other: str, language: str) -> bool:
        return not {word, *(asked or forms)(word, language)}.isdisjoint({other, *forms(other, language)})

    def all_forms(found: set[str], language: str) -> set[str]:
        return {form for word in found for form in (word, *forms(word, language))}

    for module, name, function in (
        (leaves, "asked", asked or forms),
        (leaves, "same", same),
        (several, "same", same),
        (documents, "all_forms", all_forms),
    ):
        setattr(module, name, function)


def score(each: list[Case], *, declared: bool = True) -> tuple[int, int, int, list[Case]]:
    """True positives, false positives, false negatives, and the cases that went wrong."""
    right = wrong = missed = 0
    failed = []
    for case in each:
        got = matches(parse_query(case.query), document(entry(case.text, case.language if declared else "")))
        right += got and case.expected
        wrong += got and not case.expected
        missed += case.expected and not got
        if got is not case.expected:
            failed.append(case)
    return right, wrong, missed, failed


def rates(right: int, wrong: int, missed: int) -> str:
    return f"{right / max(1, right + wrong):>10.3f}{right / max(1, right + missed):>10.3f}"


def ways() -> dict[str, Forms]:
    found: dict[str, Forms] = {"endings (ours)": inflection.forms, "exact only": no_forms, "snowballstemmer": snowball}
    if importlib.util.find_spec("simplemma"):
        found["simplemma"] = simplemmas
    else:
        print("simplemma not installed: pip install simplemma")
    return found


def lemmas() -> None:
    """For the 20,000 most frequent words of a language: forms found from their base, and pairs of different words merged.

    A pair (asked, found) counts as merged where a query for the one rings for the other and simplemma knows them as
    forms of different words. It splits adverbs from adjectives, and clitics it does not know, so that no figure is 0.
    """
    import simplemma

    from benchmarks.matching_corpus import rows

    print(f"\n{'lemmas':<8}{'forms':>8}{'recall: ours':>14}{'snowball':>10}{'merged: ours':>14}{'snowball':>10}")
    for language in ("ar", "de", "en", "es", "fa", "fr", "he", "id", "it", "pl", "pt", "ru", "tr", "uk"):
        listed = [
            row[0] for row in rows(f"wordfreq/{language}.tsv.xz")[:20_000] if row[0].isalpha() and len(row[0]) > 2
        ]
        bases = {w: simplemma.lemmatize(w, lang=language).lower() for w in listed}
        folded = {w: "".join(words(w)) for w in {*bases, *bases.values()}}
        inflected = [(w, base) for w, base in bases.items() if base in bases and folded[base] != folded[w]]
        recall, merged = [], []
        for forms, asked in ((inflection.forms, inflection.asked), (snowball, snowball)):
            met = {w: {folded[w], *forms(folded[w], language)} for w in folded}
            typed = {w: {folded[w], *asked(folded[w], language)} for w in folded}
            recall.append(sum(not met[w].isdisjoint(typed[base]) for w, base in inflected) / len(inflected))
            sharing = defaultdict(set)
            for w in bases:
                for form in met[w]:
                    sharing[form].add(w)
            pairs = {(w, other) for w in bases for form in typed[w] for other in sharing[form]}
            merged.append(sum(_differ(bases, folded, *pair) for pair in pairs))
        print(f"{language:<8}{len(inflected):>8,}{recall[0]:>14.3f}{recall[1]:>10.3f}{merged[0]:>14,}{merged[1]:>10,}")


def _differ(bases: dict[str, str], folded: dict[str, str], one: str, other: str) -> bool:
    if folded[one] == folded[other] or bases[one] == other or bases[other] == one:
        return False
    return folded[bases[one]] != folded[bases[other]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lemmas", action="store_true")
    options = parser.parse_args()
    failed: list[Case] = []
    everything: list[Case] = []
    for later in ("", *LATER):
        these = cases(later)
        everything += these
        print(f"{later or 'first'}: {len(these)} cases\n{'':<8}{'cases':>6}{'precision':>10}{'recall':>10}")
        for language, group in itertools.groupby(these, key=lambda case: case.language):
            each = list(group)
            *counts, wrong = score(each)
            failed += wrong
            print(f"{language:<8}{len(each):>6}{rates(*counts)}")
    for case in failed:
        print(f"  wrong: {case}")
    *counts, _ = score(everything, declared=False)
    print(f"all, no language declared{rates(*counts)}")
    print(f"\n{'':<18}{'precision':>10}{'recall':>10}{'seconds':>9}{'MB':>6}")
    for name, forms in ways().items():
        use(forms, inflection.asked if forms is inflection.forms else None)
        before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter()
        *counts, _ = score(everything)
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
        print(f"{name:<18}{rates(*counts)}{time.perf_counter() - start:>9.2f}{grown:>6.0f}")
    if options.lemmas:
        lemmas()


if __name__ == "__main__":
    main()

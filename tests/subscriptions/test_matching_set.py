"""The labelled set: what people mean, in many languages, and the classic mis-fires."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import NamedTuple

import pytest

from bot.subscriptions.inflection import forms, same
from bot.subscriptions.match import SubscriptionIndex, document, hits, matches
from bot.subscriptions.query import parse_query
from bot.text import words

from .entries import entry

FOLDER = Path(__file__).parent.parent / "data" / "matching"
#: sets written later, each by its folder
LATER = ("second", "third")


class Case(NamedTuple):
    """One line of the set."""

    language: str
    query: str
    text: str
    expected: bool
    why: str


def cases(later: str = "") -> list[Case]:
    """All of the first set, or of a later one: those were written from docs/queries.md alone, before the code saw them."""
    found = []
    for path in sorted((FOLDER / later).glob("*.toml")):
        with path.open("rb") as file:
            table = tomllib.load(file)
        found += [Case(table["language"], *line) for line in table["cases"]]
    return found


def test_the_set_is_large_and_of_many_languages() -> None:
    """A set that shrinks proves less."""
    assert len(cases()) >= 400
    assert len({case.language for case in cases()}) >= 12
    assert len({(case.language, case.query, case.text) for case in cases()}) == len(cases())


@pytest.mark.parametrize("case", cases(), ids=lambda case: f"{case.language}-{case.query}-{case.text}")
def test_a_labelled_case(case: Case) -> None:
    """An alert that should ring rings; one that should not does not; the index and the hits say the same."""
    query = parse_query(case.query)
    doc = document(entry(case.text, case.language))
    index = SubscriptionIndex()
    index.add(1, query)

    assert matches(query, doc) is case.expected, case.why
    assert list(index.match(doc)) == [1] * case.expected
    shown = hits(query, doc)
    assert (shown is not None) is case.expected
    assert not case.expected or shown


@pytest.mark.parametrize("later", LATER)
def test_a_later_set(later: str) -> None:
    """As above; many cases in one test, since a test costs more than a case."""
    wrong = []
    for case in cases(later):
        query, doc, index = parse_query(case.query), document(entry(case.text, case.language)), SubscriptionIndex()
        index.add(1, query)
        got = {matches(query, doc), bool(index.match(doc)), bool(hits(query, doc))}
        if got != {case.expected}:
            wrong.append(case)

    assert not wrong


def test_without_a_declared_language() -> None:
    """Many feeds declare none; the sets' short sentences are the hardest to tell."""
    every = [case for later in ("", *LATER) for case in cases(later)]
    got = [(matches(parse_query(case.query), document(entry(case.text, ""))), case.expected) for case in every]

    assert sum(rang and not due for rang, due in got) <= 0.01 * len(got)
    assert sum(due and not rang for rang, due in got) <= 0.05 * sum(due for _, due in got)


@pytest.mark.parametrize(
    ("language", "one", "other"),
    [
        ("en", "police", "policy"), ("en", "university", "universe"), ("en", "refugee", "refuge"), ("en", "plan", "plane"), ("en", "us", "use"),
        ("en", "organ", "organization"), ("en", "import", "important"), ("en", "news", "new"), ("ru", "ракета", "ракетка"), ("ru", "война", "воин"),
        ("fr", "port", "porte"), ("it", "porto", "porta"), ("tr", "ada", "adana"), ("tr", "hasta", "hastane"), ("de", "iran", "iraner"),
    ],
)  # fmt: skip
def test_different_words_do_not_merge(language: str, one: str, other: str) -> None:
    """A rule that merges two words rings for the wrong news."""
    (first,), (second,) = words(one), words(other)

    assert not same(first, second, language)
    assert not same(second, first, language)


def test_unknown_languages_are_left_alone() -> None:
    """Without a table only exact forms match."""
    assert forms("missiles", "xx") == ()
    assert forms("missiles", "") == ()
    assert same("missiles", "missiles", "xx")
    assert not same("missiles", "missile", "xx")

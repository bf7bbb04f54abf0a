"""The fitted numbers: files that people can read, and the points they add up to."""

from importlib import import_module

import snowballstemmer

from bot.stories import evidence, novelty
from bot.stories.fitted import load, parse_score


def test_points_of_trees_are_added_up() -> None:
    """A value on the edge belongs to what lies below it: the file says "at most"."""
    score = parse_score(["best", "hours"], [["best", 0.5, -1.0, ["hours", 3, 2.0, 0.5]], ["hours", 9, 0.25, 0]])

    assert score([0.5, 1.0]) == -0.75
    assert score([0.6, 3.0]) == 2.25
    assert score([0.6, 10.0]) == 0.5


def test_the_shipped_numbers_ask_for_the_evidence_that_is_measured() -> None:
    """A file fitted for other evidence would read every value as another one."""
    fitted = load()

    assert fitted.join.names == evidence.NAMES
    assert fitted.novelty.names == novelty.NAMES
    assert max(fitted.rarity.values()) > 0.1


def test_stems_are_those_that_the_numbers_were_fitted_on() -> None:
    """The same stemmer in C or in Python gives the same stems, or rarity.txt would speak of other words."""
    for language, words in {
        "english": ["elections", "running", "ferries", "resignation", "happily"],
        "russian": ["выборами", "столицы", "погибших", "задержание"],
        "german": ["evakuierungen", "häuser", "verletzten", "aufständische"],
        "turkish": ["depremzedeler", "başkanlığı", "yaralılar"],
    }.items():
        in_python = getattr(import_module(f"snowballstemmer.{language}_stemmer"), f"{language.title()}Stemmer")()
        assert [snowballstemmer.stemmer(language).stemWord(word) for word in words] == [
            in_python.stemWord(word) for word in words
        ]

"""The fitted numbers: files that people can read, and the points they add up to."""

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

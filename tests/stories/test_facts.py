import pytest

from bot.stories.facts import tolls
from bot.stories.titles import tidy_title


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("Ferry sinks off Corvo, at least three dead", {"killed": 3}),
        ("Death toll rises to 11", {"killed": 11}),
        ("Death toll in Corvo ferry sinking rises to 11", {"killed": 11}),
        ("Divers recovered eight more bodies", {}),
        ("Quake kills 1,200, injuring 3,000", {"killed": 1200, "injured": 3000}),
        ("Two people were killed. 30 people left", {"killed": 2}),
        ("Police arrested 40 protesters", {"arrested": 40}),
        ("При взрыве погибли 12 человек, 30 ранены", {"killed": 12, "injured": 30}),
        ("In 2020 died the poet", {}),
        ("A 19-year-old man dies", {}),
        ("S-300 delivered", {}),
        ("", {}),
    ],
)
def test_counts_are_read_with_what_they_count(text: str, counts: dict[str, int]) -> None:
    """A toll that is read wrongly makes a false update."""
    assert dict(tolls(text)) == counts


@pytest.mark.parametrize(
    ("title", "source", "bare"),
    [
        ("LIVE: Ferry sinks off Corvo", "", "Ferry sinks off Corvo"),
        ("Watch: Exclusive: Ferry sinks off Corvo", "", "Ferry sinks off Corvo"),
        ("Ferry sinks off Corvo | North Wire", "", "Ferry sinks off Corvo"),
        ("Ferry sinks off Corvo - North Wire", "North Wire", "Ferry sinks off Corvo"),
        ("Ferry sinks off Corvo - three dead", "North Wire", "Ferry sinks off Corvo - three dead"),
        ("Live music returns", "", "Live music returns"),
        ("LIVE:", "", "LIVE:"),
    ],
)
def test_what_outlets_put_around_a_headline_is_taken_off(title: str, source: str, bare: str) -> None:
    """Labels and names of outlets must neither join stories nor part them."""
    assert tidy_title(title, source) == bare

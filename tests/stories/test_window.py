from datetime import UTC, datetime, timedelta

from bot.model import Entry, EntryId, FeedId, StoryId
from bot.stories.terms import Sketch, sketch
from bot.stories.window import Window

START = datetime(2026, 3, 1, tzinfo=UTC)


def made(number: int, title: str) -> Sketch:
    at = START + timedelta(hours=number)
    return sketch(
        Entry(EntryId(f"e{number}"), FeedId("f"), "f", title, "", "", "", at, at, language="en"),
    )


def test_a_merge_moves_everything_to_the_story_that_stays() -> None:
    """A half merged story would be found under a name that is gone, or not at all."""
    window = Window({})
    window.add(made(0, "Ferry sinks off Corvo"), StoryId("one"))
    window.add(made(1, "Captain Oyelaran held"), StoryId("two"))
    window.merge(StoryId("one"), StoryId("two"))

    assert list(window.stories) == ["one"]
    assert [m.entry for m in window.stories[StoryId("one")].members] == ["e0", "e1"]
    assert (window.postings.mentions("corvo"), window.postings.mentions("oyelaran")) == (1, 1)
    assert [s.id for s, _ in window.candidates(made(2, "Oyelaran appears in court"))] == ["one"]


def test_forgetting_leaves_nothing_behind() -> None:
    """A word's weight must not depend on stories that are closed, or a restart would change decisions."""
    window = Window({})
    for i, title in enumerate(["Ferry sinks off Corvo", "Captain held", "Budget passes"]):
        window.add(made(i, title), StoryId(f"s{i}"))
    window.merge(StoryId("s0"), StoryId("s1"))

    closed = window.forget(made(2, "x").seen)

    assert [c.id for c in closed] == ["s0"]
    assert window.entries == 1
    assert set(window.postings.stories) == set(made(2, "Budget passes").terms)
    assert [window.spread(term) for term in ("corvo", "budget")] == [0, 1]


def test_words_of_a_big_story_keep_their_weight() -> None:
    """Weights count stories, not entries: a story of a hundred entries must not make its own words worthless."""
    once, often = Window({}), Window({})
    once.add(made(0, "Explosion in Corvo"), StoryId("big"))
    for i in range(100):
        often.add(made(i, "Explosion in Corvo"), StoryId("big"))

    assert often.weights["corvo"] == once.weights["corvo"] > 5

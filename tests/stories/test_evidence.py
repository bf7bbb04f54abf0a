"""What the evidence must tell apart, on windows built by hand."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bot.model import Entry, EntryId, FeedId, StoryId
from bot.stories.evidence import NAMES, weigh
from bot.stories.terms import letters, sketch
from bot.stories.window import Window

START = datetime(2026, 3, 1, 8, tzinfo=UTC)


def entry(number: int, title: str, lead: str = "", outlet: str = "wire") -> Entry:
    at = START + timedelta(minutes=10 * number)
    return Entry(EntryId(f"e{number}"), FeedId(outlet), outlet, title, "", "", lead, at, at, language="en")


def beside(window: Window, new: Entry, *stories: str) -> list[dict[str, float]]:
    rows = weigh(window, sketch(new), [(window.stories[StoryId(s)], 1.0) for s in stories])
    return [dict(zip(NAMES, row, strict=True)) for row in rows]


def test_every_value_has_its_name() -> None:
    """Names and values are kept apart: one too many would shift all that follow."""
    window = Window({})
    window.add(sketch(entry(0, "Ferry sinks off Corvo island")), StoryId("a"))

    rows = weigh(window, sketch(entry(1, "Corvo ferry disaster")), [(window.stories[StoryId("a")], 1.0)])

    assert [len(row) for row in rows] == [len(NAMES)]


def test_a_story_that_is_many_things_does_not_own_its_words() -> None:
    """What a wave of protests shares with every protest must not make one story swallow them all."""
    window = Window({})
    for i, town in enumerate(("Marn", "Olden", "Torva", "Keld")):
        window.add(sketch(entry(i, f"Protest march in {town} over Davan death")), StoryId("wave"))
        window.add(sketch(entry(10 + i, f"Davan protest: shops closed in {town}North")), StoryId(f"other {i}"))
    for i in range(4):
        window.add(sketch(entry(20 + i, f"Ferry sinks off Corvo island, rescue {i}")), StoryId("ferry"))

    wave, ferry = beside(window, entry(30, "Davan protest and Corvo ferry"), "wave", "ferry")

    assert wave["core own"] < ferry["core own"]


def test_a_rival_that_is_as_near_speaks_against_both() -> None:
    """An event stands out among the stories it could belong to; a topic is as near to many."""
    window = Window({})
    window.add(sketch(entry(0, "Quake of magnitude six hits Sarvan")), StoryId("a"))
    window.add(sketch(entry(1, "Quake of magnitude six hits Torva")), StoryId("b"))
    new = entry(2, "Quake of magnitude six hits Keld")

    alone = beside(window, new, "a")[0]
    rivals = beside(window, new, "a", "b")

    assert alone["rivals"] == 0
    assert [row["rivals"] for row in rivals] == [1, 1]
    assert rivals[0]["beside rivals"] < alone["beside rivals"]
    assert rivals[0]["rival letters"] > 0.5


def test_the_outlets_own_nearest_piece_is_told_in_minutes() -> None:
    """One outlet's pieces filed minutes apart are often one event; another outlet's say nothing of that."""
    window = Window({})
    window.add(sketch(entry(0, "Ferry sinks off Corvo island")), StoryId("a"))

    own = beside(window, entry(1, "Corvo ferry: what rescuers saw"), "a")[0]
    other = beside(window, replace(entry(1, "Corvo ferry: what rescuers saw"), feed=FeedId("post")), "a")[0]

    assert own["minutes from own"] == 10
    assert other["minutes from own"] == 10_000


def test_letters_find_words_of_one_root() -> None:
    """Endings and compounds hide that two headlines share a word; their letters don't."""
    assert letters("evakuierung") & letters("evakuierte")
    assert not letters("ferry sinks") & letters("bank holds")

"""What an update says is new: only what the words bear out, else the headline speaks for itself."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot.model import Entry, EntryId, FeedId, StoryId
from bot.stories.fitted import load
from bot.stories.novelty import news
from bot.stories.terms import sketch
from bot.stories.window import Window

NOW = datetime(2026, 1, 1, tzinfo=UTC)
FIRST = Entry(
    EntryId("1"), FeedId("f"), "", "Blaze in a warehouse", "", "", "Flames broke out.", NOW, NOW, language="en"
)


def said(headline: str, lead: str = "") -> str:
    window = Window(load().rarity)
    story = window.add(sketch(FIRST), StoryId("s"))
    entry = replace(FIRST, id=EntryId("2"), title=headline, summary=lead)
    new = sketch(entry)
    window.candidates(new)
    return news(new, story, entry, window)


@pytest.mark.parametrize(
    "headline",
    [
        "Storms are becoming stronger, according to a new study",
        "Mudflows may be clues to finding signs of life",
        "Settler found on the roof",
        "Mayors plead for end to violent demonstrations",
        "Outrage at cruel Zoom death sentence",
        "China sends team to the capital",
    ],
)
def test_a_stem_alone_tells_no_step(headline: str) -> None:
    """Signs of life are no agreement: seen in real updates."""
    assert not set(said(headline).split(", ")) & {"agreement", "rescue", "court", "death", "aid"}


@pytest.mark.parametrize(
    ("headline", "step"),
    [
        ("Detectives arrest three more men over murder", "arrest"),
        ("Two sides signed a paper at dawn", "agreement"),
        ("Minister fired over the blaze", "dismissal"),
    ],
)
def test_a_step_is_told(headline: str, step: str) -> None:
    """What the careful list must still say."""
    assert step in said(headline)


@pytest.mark.parametrize(
    ("headline", "lead"),
    [
        ("Terrifying footage shows moment of escape", "Horrifying footage shows the moment."),
        ("Highlights: a team begins its season", ""),
        ("Rolls chief executive SMIRKS discussing job cuts", "He appeared to smirk."),
        ("Teacher safety before U-turn", ""),
        ("Zoologist Declined Interview Request From Inspector About Saudi Arms", "The secretary gave written answers."),
    ],
)
def test_a_capital_that_tells_nothing_makes_no_name(headline: str, lead: str) -> None:
    """First words, shouted words and headlines all in capitals."""
    assert said(headline, lead) == ""


def test_a_new_name_is_told_as_written() -> None:
    """Within running text a capital tells a name; elsewhere the lead proves it."""
    assert said("Plans of annexation for the occupied West Bankovia") == "West Bankovia"
    assert said("Nueva Ecijana sponsors a bill", "He spoke in Ecijana today.") == ""  # never half a name
    assert said("Harvick wins the return race", "The driver Kevin Harvick won again.") == "Harvick"
    assert said("Committee Asks Kyrgiosov About Money", "On Monday Nick Kyrgiosov was asked.") == "Kyrgiosov"

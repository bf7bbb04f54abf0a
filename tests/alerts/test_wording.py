"""What the clustering says is translated where it is shown, whatever it says."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot import i18n
from bot.alerts.wording import COUNTS, STEPS, told_news, told_placing
from bot.i18n import speaking
from bot.stories import novelty
from bot.stories.cluster import StoryIndex
from tests.catalogues import messages, write_po
from tests.test_flow import PRIZE, SHELLS, SHELLS_2, SHELLS_3


@pytest.fixture
def pseudo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A language in which every message stands in brackets."""
    monkeypatch.setattr(i18n, "LOCALE", tmp_path)
    i18n.nearest.cache_clear()
    write_po(
        tmp_path,
        "qq",
        {m: tuple(f"⟦{t}⟧" for t in (m if m.many else m[:1])) for m in messages()},
        "nplurals=2; plural=(n != 1);",
    )
    with speaking("qq"):
        yield
    i18n.nearest.cache_clear()


def test_every_step_and_count_of_the_stories_has_a_message() -> None:
    """A step that the clustering learns is a message too, or this names it."""
    assert set(novelty._STEPS) <= set(STEPS)
    assert {f"{what} {{before}} → {{now}}" for what in novelty._COUNT_NAMES.values()} <= set(COUNTS)


def test_news_is_translated_part_by_part(pseudo: None) -> None:
    """Counts keep their numbers, names stay as they are."""
    assert told_news("toll 9 → 1,400, arrest") == "⟦toll 9 → 1,400⟧⟦, ⟧⟦arrest⟧"
    assert told_news("Ariha") == "Ariha"
    assert told_news("") == ""


def test_reasons_are_translated_as_a_whole(pseudo: None) -> None:
    """Everything that the clustering gives as its reason, in the four ways in which things agree."""
    for said in (
        "9 of its 11 rare words agree", "9 of its 11 rare words and 2 of 3 names agree",
        "9 of its 11 rare words and 1 of 2 numbers agree", "9 of its 11 rare words, 2 of 3 names and 1 of 2 numbers agree",
        "no story in the window tells this event",
    ):  # fmt: skip
        assert told_placing(said) == f"⟦{said}⟧"
    both = "no story in the window tells this event; nearest: 1 of its 9 rare words agree"
    assert told_placing(both).count("⟦") == 3


def test_what_the_clustering_really_says_is_known(pseudo: None) -> None:
    """Its words and those of the messages are the same."""
    from datetime import UTC, datetime, timedelta

    from bot.model import Entry, EntryId, FeedId

    index, now = StoryIndex(), datetime(2026, 5, 1, tzinfo=UTC)
    for number, item in enumerate((SHELLS, SHELLS_2, SHELLS_3, PRIZE)):
        seen = now + timedelta(minutes=number)
        entry = Entry(
            EntryId(str(number)),
            FeedId(f"f{number}"),
            f"S{number}",
            item.title,
            item.link,
            "",
            item.summary,
            seen,
            seen,
        )
        placed = index.place(entry)
        assert told_placing(placed.reason).startswith("⟦"), placed.reason

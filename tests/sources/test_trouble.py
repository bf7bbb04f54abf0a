from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.model import FeedId, FeedState
from bot.sources.trouble import age, to_tell

START = datetime(2026, 3, 1, tzinfo=UTC)
FAILING = FeedState(FeedId("https://a.example/"), START, failing_since=START, failures=1, error="500")


def told(polls: list[timedelta]) -> list[str]:
    """What the operator reads when the source fails at each of these polls."""
    state, lines = FAILING, []
    for since in polls:
        if to_tell(state, START + since):
            lines.append(age(since))
            state = replace(state, told=START + since)
    return lines


def test_a_failure_is_told_as_it_ages() -> None:
    """An hour, a day, three, a week, then weekly: what fails for long is not forgotten, and does not nag."""
    hourly = [timedelta(hours=hour) for hour in range(24 * 29)]
    assert told(hourly) == ["1 hour", "1 day", "3 days", "7 days", "2 weeks", "3 weeks", "4 weeks"]


def test_a_bad_hour_is_nobodys_business() -> None:
    """Servers restart; what is over within the hour is not told."""
    assert told([timedelta(minutes=minute) for minute in range(60)]) == []
    assert not to_tell(FeedState(FeedId("x"), START, told=START), START + timedelta(days=9))


def test_a_feed_that_is_gone_is_told_at_once() -> None:
    """No later poll would tell it."""
    assert to_tell(replace(FAILING, gone=True, told=START), START)


@given(st.lists(st.timedeltas(timedelta(minutes=1), timedelta(days=20)), max_size=40))
def test_no_two_lines_are_the_same(steps: list[timedelta]) -> None:
    """Whenever polls happen to be, nothing is told twice in the same words."""
    polls = [sum(steps[: i + 1], timedelta()) for i in range(len(steps))]
    lines = told(polls)
    assert len(lines) == len(set(lines))
    assert not polls or polls[-1] < timedelta(hours=1) or lines


@given(st.timedeltas())
def test_any_time_may_have_passed(span: timedelta) -> None:
    """A clock that was set back, or centuries on, break nothing."""
    assert age(span)
    now = START + span if abs(span) < timedelta(days=300_000) else START
    to_tell(replace(FAILING, told=START), now)
    to_tell(replace(FAILING, told=now), START)


@pytest.mark.parametrize(("hours", "words"), [(0, "less than an hour"), (1, "1 hour"), (47, "1 day"), (335, "13 days")])
def test_ages_in_words(hours: int, words: str) -> None:
    """As people say them."""
    assert age(timedelta(hours=hours)) == words

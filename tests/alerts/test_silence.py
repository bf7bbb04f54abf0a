"""Silence is told by the rhythm that something had, and again only when it has doubled."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.alerts.silence import rhythm_of, to_tell

START = datetime(2026, 3, 2, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def every(gap: timedelta, count: int = 40) -> list[datetime]:
    return [START + n * gap for n in range(count)]


@pytest.mark.parametrize(
    ("gap", "silence", "told"),
    [
        (6 * HOUR, 2 * DAY, False),
        (6 * HOUR, 3 * DAY, True),
        (10 * timedelta(minutes=1), 80 * timedelta(minutes=1), False),
        (10 * timedelta(minutes=1), 100 * timedelta(minutes=1), True),
        (3 * DAY, 20 * DAY, False),
        (3 * DAY, 28 * DAY, True),
    ],
)
def test_the_rate_decides_not_the_clock(gap: timedelta, silence: timedelta, told: bool) -> None:
    """Two hours are much for a wire, and three weeks are nothing for a word that comes twice a week."""
    rhythm = rhythm_of(every(gap))
    assert rhythm is not None
    assert (to_tell(rhythm, rhythm.last + silence, away=timedelta(), told=None) is not None) is told


def test_bursts_are_no_rhythm() -> None:
    """Thirty rings on the day of an event, then the old pace of one a week: no alarm on the next day."""
    times = [START + n * 7 * DAY for n in range(8)] + [START + 50 * DAY + n * HOUR / 2 for n in range(30)]
    rhythm = rhythm_of(times)
    assert rhythm is not None
    assert to_tell(rhythm, times[-1] + 5 * DAY, away=timedelta(), told=None) is None
    assert to_tell(rhythm, times[-1] + 15 * DAY, away=timedelta(), told=None) == 15 * DAY


def test_too_little_is_known() -> None:
    """Seven times, or all in one poll, say nothing about a pace."""
    assert rhythm_of(every(HOUR, 7)) is None
    assert rhythm_of([START] * 20) is None
    assert rhythm_of([]) is None


def test_told_again_when_it_has_doubled() -> None:
    """At 3, 6, 12 and 24 days, never daily; what was told of an earlier silence does not count; time away does not."""
    rhythm = rhythm_of(every(6 * HOUR))
    assert rhythm is not None
    told: datetime | None = START
    days = []
    for day in range(60):
        now = rhythm.last + day * DAY
        if to_tell(rhythm, now, away=timedelta(), told=told):
            days.append(day)
            told = now
    assert days == [3, 6, 12, 24, 48]
    assert to_tell(rhythm, rhythm.last + 3 * DAY, away=DAY, told=None) is None


@given(st.lists(st.integers(0, 10_000_000), min_size=8, max_size=50), st.integers(0, 100_000_000))
def test_a_silence_as_long_as_one_before_is_never_told(seconds: list[int], silence: int) -> None:
    """Whatever the times: what has happened before is no alarm."""
    rhythm = rhythm_of([START + timedelta(seconds=s) for s in seconds])
    if rhythm is not None and timedelta(seconds=silence) <= rhythm.longest_gap:
        assert to_tell(rhythm, rhythm.last + timedelta(seconds=silence), away=timedelta(), told=None) is None

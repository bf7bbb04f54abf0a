"""Quiet hours and digests over both clock changes, leap days and midnight (row 56 of the fault list)."""

from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from bot.alerts.digest import digest_of, next_digest, quiet_until, valid_digest
from bot.model import Chat, ChatId, Subscription, SubscriptionId

HERE = ChatId("console", "local")
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "Africa/Cairo"]


def at(text: str, zone: str = "UTC") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("moment", ["00:00", "00:30", "02:00", "02:30", "08:00", "23:59"])
def test_daily_digest_comes_once_a_local_day_all_year(zone: str, moment: str) -> None:
    """A digest that skips or repeats a day at a clock change is a lost or doubled alert."""
    now = at("2028-01-01T00:00", zone) - timedelta(minutes=1)
    days = []
    for _ in range(366):
        now = next_digest(f"daily {moment}", now, zone)
        days.append(now.astimezone(ZoneInfo(zone)).date())
    assert all(b - a == timedelta(days=1) for a, b in pairwise(days))


@pytest.mark.parametrize("zone", ZONES)
def test_weekly_digest_keeps_its_day(zone: str) -> None:
    """Monday means Monday there."""
    now = at("2028-01-01T00:00", zone)
    for _ in range(60):
        following = next_digest("weekly mon 07:15", now, zone)
        assert following > now
        assert following.astimezone(ZoneInfo(zone)).strftime("%a %H:%M") == "Mon 07:15"
        now = following


def test_hourly_digest_is_on_the_hour() -> None:
    """The next full hour, also when it is one now."""
    assert next_digest("hourly", at("2026-05-01T10:20"), "UTC") == at("2026-05-01T11:00")
    assert next_digest("hourly", at("2026-05-01T10:00"), "UTC") == at("2026-05-01T11:00")


@pytest.mark.parametrize(
    ("zone", "now", "until"),
    [
        ("UTC", "2026-05-01T21:59", None),
        ("UTC", "2026-05-01T22:00", "2026-05-02T07:00"),
        ("UTC", "2026-05-02T06:59", "2026-05-02T07:00"),
        ("UTC", "2026-05-02T07:00", None),
        ("Europe/Berlin", "2026-03-28T23:00", "2026-03-29T07:00"),
        ("Europe/Berlin", "2026-10-24T23:00", "2026-10-25T07:00"),
    ],
)
def test_quiet_hours_cross_midnight_and_clock_changes(zone: str, now: str, until: str | None) -> None:
    """Held alerts come at the local end of the night, in winter and in summer."""
    chat = Chat(HERE, timezone=zone, quiet=(time(22), time(7)))
    assert quiet_until(chat, at(now, zone)) == (at(until, zone) if until else None)


def test_quiet_hours_within_a_day() -> None:
    """A siesta."""
    chat = Chat(HERE, quiet=(time(13), time(15)))
    assert quiet_until(chat, at("2026-05-01T14:00")) == at("2026-05-01T15:00")
    assert quiet_until(chat, at("2026-05-01T16:00")) is None
    assert quiet_until(Chat(HERE), at("2026-05-01T14:00")) is None


def test_the_most_urgent_subscription_sets_the_rhythm() -> None:
    """A story that matches a keyword wanted at once must not wait for another keyword's digest."""

    def sub(digest: str) -> Subscription:
        return Subscription(SubscriptionId(1), HERE, "x", at("2026-01-01"), digest=digest)

    chat = Chat(HERE, digest="daily 08:00")
    assert digest_of(chat, [sub(""), sub("hourly")]) == "hourly"
    assert digest_of(chat, [sub("off"), sub("")]) == "off"
    assert digest_of(chat, []) == "daily 08:00"


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("off", 1),
        ("hourly", 1),
        ("daily 08:00", 1),
        ("weekly sun 23:59", 1),
        ("daily 24:00", 0),
        ("daily 8", 0),
        ("weekly 08:00", 0),
        ("", 0),
        ("daily 08:60", 0),
    ],
)
def test_valid_digest(text: str, good: int) -> None:
    """A rhythm that can't be kept is refused when it is typed, not at night."""
    assert valid_digest(text) is bool(good)

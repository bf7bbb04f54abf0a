"""When an alert may sound: quiet hours and digests, in the chat's own time zone.

Everything here is computed on local wall-clock times and turned into UTC at the end, so that both changes of a year
keep "daily 08:00" at 08:00, exactly once a local day.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bot.model import Chat, Subscription

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DIGEST = re.compile(r"off|hourly|daily (\d\d):(\d\d)|weekly (mon|tue|wed|thu|fri|sat|sun) (\d\d):(\d\d)")


def valid_digest(text: str) -> bool:
    """Whether the text is "off", "hourly", "daily HH:MM" or "weekly mon HH:MM" with a time that exists."""
    match = _DIGEST.fullmatch(text)
    if match is None:
        return False
    hour, minute = (match[1], match[2]) if match[1] else (match[4], match[5])
    return hour is None or (int(hour) < 24 and int(minute) < 60)


def at_local(day: datetime, moment: time, zone: ZoneInfo) -> datetime:
    """That local time on that local day, in UTC; a time that the clock skips comes as much later (PEP 495)."""
    return datetime.combine(day.date(), moment, zone).astimezone(UTC)


def quiet_until(chat: Chat, now: datetime) -> datetime | None:
    """The end of the quiet hours that `now` lies in; None outside them."""
    if chat.quiet is None or chat.quiet[0] == chat.quiet[1]:
        return None
    start, end = chat.quiet
    zone = ZoneInfo(chat.timezone)
    local = now.astimezone(zone)
    for days in (-1, 0):  # quiet hours may have begun yesterday
        day = local + timedelta(days=days)
        begins = at_local(day, start, zone)
        ends = at_local(day if start < end else day + timedelta(days=1), end, zone)
        if begins <= now < ends:
            return ends
    return None


def digest_of(chat: Chat, subscriptions: Iterable[Subscription]) -> str:
    """The rhythm for an alert: "off" as soon as one of its subscriptions wants it at once, else the soonest named."""
    rhythms = {s.digest or chat.digest for s in subscriptions} or {chat.digest}
    return min(rhythms, key=lambda r: ("off", "hourly", "daily", "weekly").index(r.split()[0]))


def next_digest(rhythm: str, after: datetime, timezone: str) -> datetime:
    """The first digest time after a moment, in UTC. `rhythm` as in `valid_digest`, not "off"."""
    zone = ZoneInfo(timezone)
    local = after.astimezone(zone)
    if rhythm == "hourly":
        return after.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    *_, day, clock = ["", *rhythm.split()]
    moment = time.fromisoformat(clock)
    for days in range(-1, 9):
        candidate = local + timedelta(days=days)
        if rhythm.startswith("weekly") and DAYS[candidate.weekday()] != day:
            continue
        at = at_local(candidate, moment, zone)
        if at > after:
            return at
    raise AssertionError(rhythm)

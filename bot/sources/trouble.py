"""When the operator hears of a source that has gone wrong: once, and again as it ages, in other words each time. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from bot.model import FeedState

_HOUR = 3600.0
_DAY = 24 * _HOUR
_WEEK = 7 * _DAY
#: ages of a failure at which it is told; then every week. What is over within the hour is nobody's business
_STEPS = (_HOUR, _DAY, 3 * _DAY, _WEEK)


def to_tell(state: FeedState, now: datetime) -> bool:
    """Whether the failure has reached an age at which the operator was not told of it yet.

    A source that is gone for good is told at once: no later poll would.
    """
    if state.gone:
        return True
    if state.failing_since is None:
        return False
    told = _steps(state.told - state.failing_since) if state.told else 0
    return _steps(now - state.failing_since) > told


def age(span: timedelta) -> str:
    """How long in words, rounded down: "5 hours", "1 day", "13 days", "2 weeks". No two tellings are of one age."""
    seconds = max(0.0, span.total_seconds())
    for unit, length, begin in (("week", _WEEK, 2 * _WEEK), ("day", _DAY, _DAY), ("hour", _HOUR, _HOUR)):
        if seconds >= begin:
            count = int(seconds // length)
            return f"{count} {unit}{'' if count == 1 else 's'}"
    return "less than an hour"


def _steps(span: timedelta) -> int:
    """How many of the ages are reached."""
    seconds = span.total_seconds()
    return sum(seconds >= step for step in _STEPS) + max(0, int(seconds // _WEEK) - 1)

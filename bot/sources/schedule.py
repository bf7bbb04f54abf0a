"""When to poll a feed next, decided from what the last poll gave. Pure: time and chance are passed in.

The interval follows the feed's own rhythm by the square-root rule: with a bounded number of requests in all, delay
is least when each feed's interval grows with the square root of the gap between its entries (Cho and Garcia-Molina,
"Effective page refresh policies for Web crawlers", 2003).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, assert_never

from bot.model import (
    FeedGone,
    Fetched,
    FetchFailed,
    FetchOutcome,
    NotModified,
    ParsedFeed,
    ParseFailed,
    Validators,
    later,
)

if TYPE_CHECKING:
    import random

    from bot.model import Feed, FeedState

DAY = 86_400.0
#: the gap between entries at which a feed is polled at the operator's interval; with it and the number of entries
#: below a simulated week needs a third of the requests of fixed polling and is fresher (benchmarks/schedule.py)
_GAP = 3600.0
#: newest entries whose dates tell the rhythm, and how old they may be
_RHYTHM_ENTRIES = 5
_RHYTHM_AGE = timedelta(days=60)
#: an operator who asks for less than this many seconds means exactly that
_EXACT = 60.0
#: a permanent move is believed when it was seen this often in a row (threat row 64)
_MOVES = 3
#: failures at a moved address after which the listed one is tried again
_LOST = 3
#: longest wait that a server can order
_LONGEST_WAIT = 7 * DAY
#: seconds until a server that says "not you" or "not here" is asked again, at least
_FLOORS = {401: 6 * 3600.0, 403: 3600.0, 404: 1800.0, 429: 900.0}


@dataclass(frozen=True, slots=True)
class PollPolicy:
    """How often feeds are polled, in seconds."""

    #: what the operator asked for (`[sources] interval`): that of a feed with an entry every hour. Busier feeds
    #: are polled up to `faster` times as often, quieter ones up to `slower` times as seldom. Below 60 it is exact.
    interval: float = 600.0
    faster: float = 5.0
    slower: float = 12.0
    #: never more often by rhythm than this
    floor: float = 60.0
    #: longest back-off
    longest: float = DAY

    def bounds(self, feed: Feed) -> tuple[float, float, float]:
        """Shortest, usual and longest interval of this feed; one value where the operator named it for the feed."""
        exact = feed.interval or (self.interval if self.interval < _EXACT else None)
        if exact is not None:
            return exact, exact, exact
        return (
            max(min(self.floor, self.interval), self.interval / self.faster),
            self.interval,
            self.interval * self.slower,
        )


def after_poll(
    state: FeedState,
    outcome: FetchOutcome,
    parsed: ParsedFeed | ParseFailed | None,
    *,
    now: datetime,
    rng: random.Random,
    policy: PollPolicy,
    feed: Feed,
    pushed: bool = False,
) -> FeedState:
    """The state after one poll, with the time of the next. `parsed` is the parser's answer to a Fetched body.

    `pushed`: a hub posts the feed's news, so that it is polled at its longest interval only, in case the hub misses some.
    """
    if isinstance(parsed, ParseFailed):
        # no validators and no hash are kept: an unchanged bad body must not pass for a good one
        return _failed(state, FetchFailed(parsed.reason, status=200), now=now, rng=rng, policy=policy, feed=feed)
    match outcome:
        case Fetched():
            assert parsed is not None
            return _fetched(state, outcome, parsed, now=now, rng=rng, policy=policy, feed=feed, pushed=pushed)
        case NotModified():
            kept = replace(state, validators=_merge(outcome.validators, state.validators))
            kept = _follow_moves(kept, outcome.permanent_url)
            interval = _interval(_quiet(kept, now, policy.bounds(feed)), kept, policy, feed)
            return _well(kept, interval, now, rng, policy.bounds(feed) if pushed else None)
        case FetchFailed():
            return _failed(state, outcome, now=now, rng=rng, policy=policy, feed=feed)
        case FeedGone():
            gone = replace(state, gone=True, error=outcome.reason, failures=state.failures + 1)
            return replace(gone, failing_since=state.failing_since or now, next_poll=later(now, policy.longest))
        case _:
            assert_never(outcome)


def rhythm(dates: list[datetime], now: datetime) -> float:
    """Mean seconds between the newest entries, no less than the silence since; 0 when dates tell nothing."""
    usable = sorted((date for date in set(dates) if now - _RHYTHM_AGE <= date <= now), reverse=True)[:_RHYTHM_ENTRIES]
    if not usable:
        return 0.0
    silence = (now - usable[0]).total_seconds()
    span = (usable[0] - usable[-1]).total_seconds()
    return max(span / (len(usable) - 1) if len(usable) > 1 else 0.0, silence)


def _fetched(
    state: FeedState,
    outcome: Fetched,
    parsed: ParsedFeed,
    *,
    now: datetime,
    rng: random.Random,
    policy: PollPolicy,
    feed: Feed,
    pushed: bool,
) -> FeedState:
    state = replace(
        _follow_moves(state, outcome.permanent_url),
        validators=outcome.validators,
        body_hash=outcome.body_hash,
        last_parsed=now,
        title=parsed.title or state.title,
        publisher_interval=max(outcome.max_age, parsed.ttl),
        skip_hours=tuple(sorted(parsed.skip_hours)) if len(parsed.skip_hours) < 24 else (),
        skip_days=tuple(sorted(parsed.skip_days)) if len(parsed.skip_days) < 7 else (),
    )
    low, usual, high = policy.bounds(feed)
    gap = rhythm([entry.published for entry in parsed.entries if entry.published], now)
    wished = usual * math.sqrt(gap / _GAP) if gap else usual
    if state.error.startswith("429"):  # what it was polled at before was too often
        wished = max(wished, state.interval)
    interval = _interval(min(max(wished, low), high), state, policy, feed)
    return _well(state, interval, now, rng, (low, usual, high) if pushed else None)


def _quiet(state: FeedState, now: datetime, bounds: tuple[float, float, float]) -> float:
    """The interval of a feed that gave nothing new: it grows with the silence."""
    low, usual, high = bounds
    known = state.interval or usual
    # a clock that was set back must not break the poll
    silence = max(0.0, (now - (state.last_entry or now)).total_seconds())
    return min(max(known, usual * math.sqrt(silence / _GAP), low), high)


def _interval(wished: float, state: FeedState, policy: PollPolicy, feed: Feed) -> float:
    """The publisher's wish counts up to the longest interval, and not where the operator named an exact one."""
    low, _, high = policy.bounds(feed)
    return wished if low == high else max(wished, min(state.publisher_interval, high))


def _well(
    state: FeedState,
    interval: float,
    now: datetime,
    rng: random.Random,
    pushed: tuple[float, float, float] | None = None,
) -> FeedState:
    """`interval` stays the feed's own, for when its hub falls silent; `pushed` has the bounds while it does not."""
    # the first wait is anything up to the interval: feeds that were listed together spread over it
    wait = max(interval, pushed[2]) if pushed else interval
    wait *= rng.uniform(0.1, 1.0) if state.last_ok is None else rng.uniform(0.9, 1.1)
    due = _skip(later(now, wait), state.skip_hours, state.skip_days)
    state = replace(state, next_poll=due, interval=interval, last_ok=now)
    return replace(state, failures=0, error="", failing_since=None, told=None, gone=False)


def _failed(
    state: FeedState,
    outcome: FetchFailed,
    *,
    now: datetime,
    rng: random.Random,
    policy: PollPolicy,
    feed: Feed,
) -> FeedState:
    """Back-off: doubling with jitter, no shorter than the kind of failure deserves or the server ordered."""
    failures = state.failures + 1
    since = state.failing_since or now
    low, usual, _ = policy.bounds(feed)
    step = state.interval or usual
    longest = policy.longest
    if not outcome.status:  # no answer at all: the trouble may be on this side, so the wait grows with its age only
        longest = min(longest, 3600.0 + max(0.0, (now - since).total_seconds()) / 4)
    wait = min(step * 2.0 ** min(failures - 1, 30), longest)
    if outcome.retry_after is not None:
        wait = max(step, min(outcome.retry_after, _LONGEST_WAIT)) * rng.uniform(1.0, 1.1)
    else:
        wait = max(wait, _FLOORS.get(outcome.status, 0.0) if usual >= _EXACT else 0.0) * rng.uniform(0.75, 1.0)
    state = replace(
        state,
        next_poll=later(now, max(wait, low * 0.5)),
        failures=failures,
        error=outcome.reason,
        failing_since=since,
        moved_to="",
        moves=0,
        interval=min(step * 2, longest) if outcome.status == 429 else state.interval,
    )
    if state.url and state.url != state.feed and failures >= _LOST:
        return replace(state, url="", validators=Validators())
    return state


def _follow_moves(state: FeedState, permanent_url: str) -> FeedState:
    """Counts permanent redirects to one address; the third in a row is believed."""
    if not permanent_url or permanent_url == (state.url or state.feed):
        return replace(state, moved_to="", moves=0) if state.moved_to else state
    moves = state.moves + 1 if permanent_url == state.moved_to else 1
    if moves >= _MOVES:
        return replace(state, url=permanent_url, moved_to="", moves=0)
    return replace(state, moved_to=permanent_url, moves=moves)


def _merge(given: Validators, kept: Validators) -> Validators:
    return given if given != Validators() else kept


def _skip(due: datetime, hours: tuple[int, ...], days: tuple[int, ...]) -> datetime:
    """The first moment from `due` on that lies in no skipped hour (RSS 2.0: UTC) or day."""
    for _ in range(24 * 8):
        if due.hour not in hours and due.weekday() not in days:
            return due
        due = later(datetime(due.year, due.month, due.day, due.hour, tzinfo=UTC), 3600)
    return due

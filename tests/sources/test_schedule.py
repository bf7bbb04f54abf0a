import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.model import (
    Feed,
    FeedGone,
    FeedId,
    FeedState,
    Fetched,
    FetchFailed,
    FetchOutcome,
    NotModified,
    ParsedEntry,
    ParsedFeed,
    ParseFailed,
    Validators,
)
from bot.sources.schedule import PollPolicy, after_poll, rhythm

NOW = datetime(2026, 11, 2, 12, 30, tzinfo=UTC)  # a Monday
ID = FeedId("https://example.org/feed")
FEED = Feed(ID)
NEW = FeedState(ID, next_poll=NOW)
WELL = replace(NEW, last_ok=NOW, last_parsed=NOW, interval=600.0, last_entry=NOW)


def body(*, permanent: str = "", max_age: float = 0.0) -> Fetched:
    return Fetched(b"", "text/xml", Validators("e"), "https://example.org/feed", permanent, max_age, "hash")


def feed_of(
    *ages: float, ttl: float = 0.0, hours: frozenset[int] = frozenset(), days: frozenset[int] = frozenset()
) -> ParsedFeed:
    """A document whose entries are this many seconds old."""
    entries = tuple(ParsedEntry("t", published=NOW - timedelta(seconds=age)) for age in ages)
    return ParsedFeed("Title", entries, ttl=ttl, skip_hours=hours, skip_days=days)


def poll(
    state: FeedState,
    outcome: FetchOutcome,
    parsed: ParsedFeed | ParseFailed | None = None,
    *,
    now: datetime = NOW,
    policy: PollPolicy = PollPolicy(),  # noqa: B008
    feed: Feed = FEED,
) -> FeedState:
    return after_poll(state, outcome, parsed, now=now, rng=random.Random(7), policy=policy, feed=feed)


def wait(state: FeedState, now: datetime = NOW) -> float:
    return (state.next_poll - now).total_seconds()


def test_a_good_poll_keeps_what_the_next_one_needs() -> None:
    """Validators, hash and title are kept, and every trace of trouble goes."""
    ill = replace(WELL, failures=3, error="500", failing_since=NOW)
    state = poll(ill, body(), feed_of(60))
    assert (state.validators, state.body_hash, state.title) == (Validators("e"), "hash", "Title")
    assert (state.failures, state.error, state.failing_since, state.last_ok, state.last_parsed) == (
        0,
        "",
        None,
        NOW,
        NOW,
    )


@pytest.mark.parametrize(
    ("gap", "low", "high"),
    [
        (30, 120, 120),
        (300, 170, 175),
        (3600, 600, 600),
        (7200, 840, 850),
        (86_400, 2900, 2950),
        (604_800, 7200, 7200),
    ],
)
def test_the_interval_follows_the_rhythm(gap: float, low: float, high: float) -> None:
    """Minutes for a wire, hours for a weekly, with the square root of the gap between entries."""
    state = poll(WELL, body(), feed_of(*(gap * i for i in range(1, 8))))
    assert low <= state.interval <= high
    assert 0.9 * state.interval <= wait(state) <= 1.1 * state.interval


def test_rhythm_looks_at_dates_that_can_be() -> None:
    """Row 18: dates of the future, of 1970 and equal ones tell nothing."""
    odd = [NOW + timedelta(days=3), datetime(1970, 1, 1, tzinfo=UTC), NOW, NOW]
    assert rhythm(odd, NOW) == 0.0
    assert rhythm([NOW - timedelta(hours=1), NOW - timedelta(hours=3), *odd[:2]], NOW) == 7200.0
    assert rhythm([NOW - timedelta(hours=4), NOW - timedelta(hours=4, minutes=5)], NOW) == 14_400.0


def test_silence_slows_and_news_quickens() -> None:
    """Unchanged answers stretch the interval with the length of the silence; an entry brings the rhythm back."""
    state, now, seen = poll(WELL, body(), feed_of(*range(300, 3000, 300))), NOW, []
    for _ in range(200):
        now = state.next_poll
        state = poll(state, NotModified(Validators()), now=now)
        seen.append(state.interval)
    assert seen == sorted(seen)
    assert seen[0] < 260
    assert seen[-1] > 3000
    assert state.validators == Validators("e")
    back = poll(
        state,
        body(),
        ParsedFeed("", tuple(ParsedEntry("t", published=now - timedelta(seconds=s)) for s in (10, 310, 610))),
        now=now,
    )
    assert back.interval < 260


def test_the_first_wait_spreads_over_the_interval() -> None:
    """Row 66: feeds listed together do not stay together."""
    rng = random.Random(1)
    waits = [
        wait(after_poll(NEW, body(), feed_of(), now=NOW, rng=rng, policy=PollPolicy(), feed=FEED)) for _ in range(300)
    ]
    assert min(waits) < 120
    assert max(waits) > 540


@pytest.mark.parametrize(
    ("outcome", "parsed", "seconds"),
    [
        (body(max_age=1800), feed_of(60, 360), 1800),
        (body(), feed_of(60, 360, ttl=3600), 3600),
        (body(max_age=10), feed_of(60, 360, ttl=20), 173),
        (body(max_age=10**8), feed_of(60, 360), 7200),
    ],
)
def test_wishes_of_the_publisher(outcome: Fetched, parsed: ParsedFeed, seconds: float) -> None:
    """Cache-Control, Expires and ttl are honoured up to the longest interval, also by the unchanged polls after."""
    state = poll(WELL, outcome, parsed)
    assert state.interval == pytest.approx(seconds, rel=0.06)
    again = poll(state, NotModified(Validators()), now=state.next_poll)
    assert again.interval >= state.interval


def test_an_exact_interval_is_exact() -> None:
    """What the operator named for a feed, or below a minute for all, is neither stretched nor shortened."""
    for policy, feed in ((PollPolicy(interval=2.0), FEED), (PollPolicy(), Feed(ID, interval=2.0))):
        state = poll(WELL, body(max_age=3600), feed_of(10**6, ttl=3600), policy=policy, feed=feed)
        assert state.interval == 2.0
        state = poll(state, NotModified(Validators()), now=NOW + timedelta(days=9), policy=policy, feed=feed)
        assert state.interval == 2.0


def test_skipped_hours_and_days() -> None:
    """RSS skipHours and skipDays move a poll to the next moment that is not left out, remembered over 304s."""
    state = poll(WELL, body(), feed_of(60, hours=frozenset({12, 13, 14})))
    assert state.next_poll == datetime(2026, 11, 2, 15, tzinfo=UTC)
    state = poll(state, NotModified(Validators()), now=NOW)
    assert state.next_poll == datetime(2026, 11, 2, 15, tzinfo=UTC)
    state = poll(WELL, body(), feed_of(60, days=frozenset({0, 1})))
    assert state.next_poll == datetime(2026, 11, 4, 0, tzinfo=UTC)
    state = poll(WELL, body(), feed_of(60, hours=frozenset(range(24)), days=frozenset(range(7))))
    assert wait(state) < 700


def test_row_64_back_off() -> None:
    """Row 64: waits double with jitter up to a day while a server fails; one good answer ends it."""
    state, waits, now = WELL, [], NOW
    for _ in range(20):
        state = poll(state, FetchFailed("500 Internal Server Error", status=500), now=now)
        waits.append(wait(state, now))
        now = state.next_poll
    assert 450 <= waits[0] <= 600
    assert waits[-1] > 0.7 * 86_400
    assert max(waits) <= 86_400
    assert (state.failures, state.failing_since, state.error) == (20, NOW, "500 Internal Server Error")
    assert state.last_ok == NOW
    assert wait(poll(state, body(), feed_of(), now=now), now) < 700


def test_no_answer_at_all_may_be_our_own_trouble() -> None:
    """After a night without network nothing waits for a day: the wait grows with the age of the trouble only."""
    state, now = WELL, NOW
    while now < NOW + timedelta(hours=10):
        state = poll(state, FetchFailed("the host name does not resolve"), now=now)
        now = state.next_poll
    assert wait(poll(state, FetchFailed("the host name does not resolve"), now=now), now) <= 4 * 3600


@pytest.mark.parametrize(("status", "floor"), [(401, 6 * 3600), (403, 3600), (404, 1800), (429, 900), (500, 0)])
def test_row_64_each_refusal_is_what_it_is(status: int, floor: float) -> None:
    """Row 64: who is not wanted does not knock again soon."""
    assert wait(poll(WELL, FetchFailed("no", status=status))) >= 0.75 * floor


@pytest.mark.parametrize("seconds", [5.0, 3600.0, 200_000.0])
def test_row_64_retry_after_is_obeyed(seconds: float) -> None:
    """Row 64: never before the time that the server named, and not much after it."""
    waited = wait(poll(WELL, FetchFailed("429 Too Many Requests", seconds, 429)))
    assert waited >= seconds
    assert waited <= max(seconds, 600.0) * 1.1
    assert wait(poll(WELL, FetchFailed("503", 1e12, 503))) <= 8 * 86_400


def test_after_429_the_pace_stays_down() -> None:
    """Row 64: what was too often before is too often afterwards."""
    state = poll(WELL, FetchFailed("429 Too Many Requests", 60.0, 429))
    assert poll(state, body(), feed_of(*range(60, 600, 60))).interval == 1200.0


def test_row_64_gone() -> None:
    """Row 64: 410 stops polling."""
    state = poll(WELL, FeedGone())
    assert (state.gone, state.error, state.failing_since) == (True, "410 Gone", NOW)


def test_row_64_moves_are_believed_the_third_time() -> None:
    """Row 64: a permanent redirect is stored after three polls in a row that all saw it, 304s counting too."""
    new = "https://example.org/new"
    state = poll(WELL, body(permanent=new), feed_of(60))
    state = poll(state, NotModified(Validators(), permanent_url=new))
    assert (state.url, state.moved_to, state.moves) == ("", new, 2)
    assert poll(state, body(), feed_of(60)).moves == 0
    assert poll(state, body(permanent="https://example.org/other"), feed_of(60)).moves == 1
    assert poll(state, FetchFailed("500", status=500)).moves == 0
    state = poll(state, body(permanent=new), feed_of(60))
    assert (state.url, state.moved_to, state.moves) == (new, "", 0)


def test_row_64_a_move_that_leads_nowhere_is_taken_back() -> None:
    """Row 64: when the new address fails three times the listed one is tried again, without the other's validators."""
    state = replace(WELL, url="https://example.org/new", validators=Validators("x"))
    for _ in range(3):
        state = poll(state, FetchFailed("404 Not Found", status=404))
    assert (state.url, state.validators) == ("", Validators())


def test_a_body_that_is_no_feed_fails() -> None:
    """A log-in page backs off, and its hash is not kept: unchanged it must not pass for a good feed."""
    state = poll(WELL, body(), ParseFailed("this is a web page, not a feed"))
    assert (state.error, state.failures, state.body_hash, state.validators) == (
        "this is a web page, not a feed",
        1,
        "",
        Validators(),
    )


moments = st.integers(-(10**9), 10**8).map(lambda seconds: NOW + timedelta(seconds=seconds))
states = st.builds(
    FeedState,
    st.just(ID),
    st.just(NOW),
    interval=st.floats(0, 1e6),
    failures=st.integers(0, 10_000),
    publisher_interval=st.floats(0, 1e9),
    last_entry=st.none() | moments,
    failing_since=st.none() | moments,
)
outcomes = st.one_of(
    st.builds(FetchFailed, st.just("no"), st.none() | st.floats(0, 1e15), st.integers(0, 999)),
    st.builds(NotModified, st.just(Validators()), st.floats(0, 1e15)),
    st.just(FeedGone()),
)


@given(states, outcomes, st.integers(), st.floats(1, 1e5))
def test_the_next_poll_is_always_ahead_and_never_lost(
    state: FeedState, outcome: FetchOutcome, seed: int, interval: float
) -> None:
    """Whatever was stored and answered: the next poll lies in the future and within reach."""
    after = after_poll(state, outcome, None, now=NOW, rng=random.Random(seed), policy=PollPolicy(interval), feed=FEED)
    assert NOW < after.next_poll <= NOW + timedelta(days=20)

"""What processes share on PostgreSQL: leases, the inbox, pace, what people did, lanes."""

import asyncio
from collections.abc import Sized
from dataclasses import replace
from math import inf

import psycopg
import pytest

from bot.app.together import Together
from bot.clock import SystemClock
from bot.deliver import Deliverer
from bot.errors import LeaseLost, NotElected
from bot.jobs import LaneJobs, prepare
from bot.model import (
    Chat,
    ChatId,
    FeedState,
    Incoming,
    LeasedFeed,
    Limits,
    ParsedEntry,
    ParsedFeed,
    Reply,
    Settlement,
    Subscription,
)
from bot.store.pg_inbox import Inbox
from bot.store.pg_lanes import LANES, Lanes
from bot.store.pg_lease import LEASE, Lease
from bot.store.pg_pace import SharedPace
from bot.store.pg_seen import OnceOnly
from bot.store.postgres import PostgresStore
from tests.store.samples import ANNA, BORIS, NOW, after, commit, delivery, feed, sent
from tests.store.stores import Place

pytestmark = pytest.mark.postgres
CLOCK = SystemClock()
FAST = Limits(length=100, platform_rate=50.0, chat_rate=5.0, chat_burst=2)


async def two(place: Place) -> tuple[PostgresStore, PostgresStore]:
    """The store as two processes have it."""
    one, other = await place.open(), await place.open()
    assert isinstance(one, PostgresStore)
    assert isinstance(other, PostgresStore)
    return one, other


async def forever() -> None:
    await asyncio.Event().wait()


# ---------------------------------------------------------------- leases


async def test_one_holds_a_lease_and_the_next_takes_over_when_it_ends(postgres_place: Place) -> None:
    """Two long pollers of one token would fight; one that ends in order is followed at once."""
    one, other = (
        Lease(store.pool, "telegram", name, CLOCK) for store, name in zip(await two(postgres_place), "ab", strict=True)
    )
    first = asyncio.create_task(one.hold(forever))
    while one.epoch is None:
        await asyncio.sleep(0.01)
    second = asyncio.create_task(other.hold(forever))
    await asyncio.sleep(0.3)
    assert other.epoch is None
    before = one.epoch
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    async with asyncio.timeout(LEASE):
        while other.epoch is None:
            await asyncio.sleep(0.01)
    assert other.epoch > before
    second.cancel()
    await asyncio.gather(second, return_exceptions=True)


async def test_what_was_taken_over_can_commit_nothing(postgres_place: Place) -> None:
    """Row 52: an ingester that was stopped for a minute and runs again is fenced by its epoch."""
    store, other = await two(postgres_place)
    store.turnstile = Lease(store.pool, "ingest", "a", CLOCK)
    with pytest.raises(NotElected):
        await store.commit(commit(delivery()))
    [(store.turnstile.epoch,)] = await store._rows(
        "insert into leases values ('ingest', 7, 'a', clock_timestamp()) returning epoch"
    )
    await store.commit(commit(delivery()))
    await other._do("update leases set epoch = 8, holder = 'b'")
    with pytest.raises(NotElected):
        await store.commit(commit(delivery(BORIS)))
    assert [row.chat for row in await other.deliveries(None, [delivery().story])] == [ANNA]


# ---------------------------------------------------------------- feeds


async def test_a_feed_is_free_as_soon_as_its_holder_has_no_connection_and_not_before(postgres_place: Place) -> None:
    """A killed poller's sources must not wait for the end of its lease; a frozen one, which is still there, keeps them."""
    killed, other = await two(postgres_place)
    mine = await leased(killed)
    assert await other.claim_feeds(NOW, 300, 1) == []
    await killed.close()
    async with asyncio.timeout(10):
        while not (freed := await other.claim_feeds(NOW, 300, 1)):
            await asyncio.sleep(0.01)
    [again] = freed
    with pytest.raises(LeaseLost):
        await other.save_feed(mine.state, mine.epoch)
    await other.save_feed(again.state, again.epoch)


async def test_a_feed_stays_its_holders_when_only_the_connection_of_the_claim_is_gone(postgres_place: Place) -> None:
    """A pool lets go of connections as it likes: the process counts."""
    store, other = await two(postgres_place)
    async with store.pool.connection() as kept:  # another one makes the claim
        await leased(store)
        sql = "select pg_terminate_backend(pid) from pg_stat_activity where application_name = %(name)s and pid <> %(kept)s"
        assert await other._rows(sql, name=store.session, kept=kept.info.backend_pid)
        assert await other.claim_feeds(NOW, 300, 1) == []


# ---------------------------------------------------------------- inbox


async def leased(store: PostgresStore) -> LeasedFeed:
    await store.sync_feeds([feed()], NOW)
    [found] = await store.claim_feeds(NOW, 60, 1)
    return found


PARSED = ParsedFeed("North Wire", (ParsedEntry(title="A ship", summary="", link="https://n.example/1", guid="1"),))


async def test_what_was_handed_over_is_taken_in_once(postgres_place: Place) -> None:
    """A document goes from one process to another with all it holds, and its feed is nobody's meanwhile."""
    store, other = await two(postgres_place)
    mine = await leased(store)
    state = replace(mine.state, title="North", next_poll=after(60))
    await Inbox(store, CLOCK).put(mine, state, PARSED)
    assert await other.claim_feeds(after(3600), 60, 1) == []
    taken: list[tuple[LeasedFeed, FeedState, ParsedFeed]] = []

    async def ingest(leased: LeasedFeed, state: FeedState, parsed: ParsedFeed) -> int:
        taken.append((leased, state, parsed))
        return 1

    await store.close()  # whoever polled it may die: it is in the inbox now
    assert await other.claim_feeds(after(3600), 60, 1) == []
    inbox = Inbox(other, CLOCK)
    assert await inbox.take_all(ingest) == 1
    assert taken == [(mine, state, PARSED)]
    assert await inbox.is_empty()


async def test_what_lost_its_feed_meanwhile_is_taken_in_all_the_same(postgres_place: Place) -> None:
    """A hub's post claims the feed while a poll of it waits: neither is dropped."""
    store, other = await two(postgres_place)
    mine = await leased(store)
    await Inbox(store, CLOCK).put(mine, mine.state, PARSED)
    await other.claim_feed(mine.feed.id, after(1), 60)
    epochs: list[int] = []

    async def ingest(leased: LeasedFeed, state: FeedState, parsed: ParsedFeed) -> int:
        epochs.append(leased.epoch)
        await other.save_feed(state, leased.epoch)
        assert parsed == PARSED
        return 1

    inbox = Inbox(other, CLOCK)
    await inbox.take_all(ingest)
    assert epochs[0] == mine.epoch < epochs[1]
    assert await inbox.is_empty()


async def test_who_is_not_elected_leaves_it_to_who_is(postgres_place: Place) -> None:
    """I1: a turnstile that changes hands in the middle of a document loses nothing."""
    store, _ = await two(postgres_place)
    mine = await leased(store)
    inbox = Inbox(store, CLOCK)
    await inbox.put(mine, mine.state, PARSED)

    async def ingest(*_: object) -> int:
        raise NotElected("another is")

    with pytest.raises(NotElected):
        await inbox.take_all(ingest)
    assert not await inbox.is_empty()


async def test_a_document_that_ends_the_process_each_time_is_given_up(postgres_place: Place) -> None:
    """One poisonous document must not stop all others for ever; its feed is polled again."""
    store, _ = await two(postgres_place)
    mine = await leased(store)
    inbox = Inbox(store, CLOCK)
    await inbox.put(mine, mine.state, PARSED)
    for _ in range(5):
        await store._do("update inbox set tries = tries + 1")

    async def ingest(*_: object) -> int:
        raise AssertionError("tried once more")

    await inbox.take_all(ingest)
    assert await inbox.is_empty()
    assert len(await store.claim_feeds(NOW, 60, 1)) == 1


async def test_who_lost_the_feed_hands_nothing_over(postgres_place: Place) -> None:
    """A poller that comes late is refused: what it has is older than what another has."""
    store, other = await two(postgres_place)
    mine = await leased(store)
    await other.claim_feed(mine.feed.id, after(1), 60)
    with pytest.raises(LeaseLost):
        await Inbox(store, CLOCK).put(mine, mine.state, PARSED)


# ---------------------------------------------------------------- pace


async def moments(paces: list[SharedPace], chats: list[ChatId], limits: Limits) -> list[float]:
    """When each send went out, over all senders."""
    went: list[float] = []

    async def send(pace: SharedPace, chat: ChatId) -> None:
        while await pace.turn(chat, limits=limits, group=False, patience=2.5):
            await asyncio.sleep(0.1)
        went.append(CLOCK.monotonic())

    await asyncio.gather(*(send(paces[n % len(paces)], chat) for n, chat in enumerate(chats)))
    return sorted(went)


def most_within(times: list[float], span: float) -> int:
    return max(sum(start <= time < start + span for time in times) for start in times)


async def test_senders_together_keep_the_platforms_rate(postgres_place: Place) -> None:
    """I5: three senders never send more than one may, and use most of what it may."""
    stores = [*await two(postgres_place), (await two(postgres_place))[0]]
    paces = [SharedPace(store.pool, CLOCK) for store in stores]
    times = await moments(paces, [ChatId("telegram", str(n)) for n in range(90)], FAST)
    assert most_within(times, 1.0) <= FAST.platform_rate


async def test_senders_together_keep_one_chats_rate(postgres_place: Place) -> None:
    """I5: a chat that two processes write to gets no more than from one."""
    paces = [SharedPace(store.pool, CLOCK) for store in await two(postgres_place)]
    times = await moments(paces, [ANNA] * 12, FAST)
    assert most_within(times, 1.0) <= FAST.chat_rate + FAST.chat_burst
    assert times[-1] - times[0] >= (12 - FAST.chat_burst) / FAST.chat_rate - 0.1


async def test_a_wait_that_one_was_told_holds_for_all(postgres_place: Place) -> None:
    """Row 58: a 429 for the whole platform is obeyed by every process, and what exceeds patience books nothing."""
    one, other = (SharedPace(store.pool, CLOCK) for store in await two(postgres_place))
    await one.block("telegram", 30.0)
    assert 25 < await other.turn(ANNA, limits=FAST, group=False, patience=2.5) <= 30
    assert await other.turn(ChatId("slack", "C1"), limits=FAST, group=False, patience=2.5) == 0.0


# ---------------------------------------------------------------- what people did


class Handler:
    def __init__(self, seconds: float = 0.0) -> None:
        self.done: list[str] = []
        self._seconds = seconds

    def changes(self, incoming: Incoming) -> bool:
        return True

    async def answer(self, incoming: Incoming) -> Reply | None:
        await asyncio.sleep(self._seconds)
        self.done.append(incoming.text)
        return None

    async def added(self, incoming: Incoming, room: Chat) -> Reply | None:
        return None

    async def listed(self, chat: ChatId) -> tuple[None, list[Subscription]]:
        return None, []


async def test_an_update_that_comes_to_two_has_one_effect(postgres_place: Place) -> None:
    """Row 39, over processes: an unsubscribe by number must not be done twice."""
    handler = Handler(seconds=0.2)
    one, other = (OnceOnly(store.pool, handler, CLOCK) for store in await two(postgres_place))
    update = Incoming(ANNA, "u", "/unsubscribe 1", id="77")
    await asyncio.gather(one.answer(update), other.answer(update))
    await other.answer(update)
    assert handler.done == ["/unsubscribe 1"]
    await other.answer(replace(update, id="78"))
    assert len(handler.done) == 2


async def test_an_update_whose_handler_died_is_done_by_the_next(postgres_place: Place) -> None:
    """I1 for commands: what was begun and never ended is not taken for done."""
    store, other = await two(postgres_place)
    await store._do("insert into seen values ('telegram 77', clock_timestamp() - interval '4.5 s', false)")
    handler = Handler()
    await OnceOnly(other.pool, handler, CLOCK).answer(Incoming(ANNA, "u", "/subscribe x", id="77"))
    assert handler.done == ["/subscribe x"]


# ---------------------------------------------------------------- lanes


async def test_a_lanes_store_gives_out_its_own_chats_only(postgres_place: Place) -> None:
    """Order in a chat rests on one lane at a time having it."""
    store, _ = await two(postgres_place)
    await store.commit(commit(*(delivery(ChatId("telegram", str(n))) for n in range(200))))
    seen: list[ChatId] = []
    for lane in range(LANES):
        seen += [claim.chat.id for claim in await store.of_lane(lane).claim_deliveries(NOW, 60, 100)]
    assert len(seen) == len(set(seen)) == 200


async def test_a_new_run_of_a_lane_takes_what_the_last_one_left_and_fences_it(postgres_place: Place) -> None:
    """Rows 45 and 52: a killed worker's chats go on at once, and a frozen one's settle is refused when it wakes."""
    store, other = await two(postgres_place)
    await store.commit(commit(delivery()))
    [(lane,)] = await store._rows("select lane from claims")
    [late] = await store.of_lane(lane).claim_deliveries(NOW, 60, 9)
    await Lanes(other.pool).begin(lane)
    [again] = await other.of_lane(lane).claim_deliveries(after(1), 60, 9)
    assert [row.id for row in again.deliveries] == [row.id for row in late.deliveries]
    with pytest.raises(LeaseLost):
        await store.settle(Settlement(ANNA, late.epoch, (sent(late.deliveries[0]),)))
    await other.settle(Settlement(ANNA, again.epoch, (sent(again.deliveries[0]),)))


async def jobs_of(store: PostgresStore) -> list[str]:
    return [lock for (lock,) in await store._rows("select lock from procrastinate_jobs order by id")]


async def nothing(lane: int) -> None:
    del lane


async def test_a_story_queues_one_job_a_lane_in_its_own_transaction(postgres_place: Place) -> None:
    """A wake-up is there exactly when its rows are, and no lane is woken twice."""
    store, _ = await two(postgres_place)
    await prepare(postgres_place.url)
    jobs = LaneJobs(postgres_place.url, clock=CLOCK, drain=nothing, session="of this process")
    store.wake = jobs.wake
    await store.commit(commit(delivery(ANNA, "s1"), delivery(BORIS, "s1")))
    lanes = {f"lane {lane}" for (lane,) in await store._rows("select lane from claims")}
    assert {*await jobs_of(store)} == lanes
    await store.commit(commit(delivery(ANNA, "s2")))
    assert len(await jobs_of(store)) == len(lanes)
    store.turnstile = Lease(store.pool, "ingest", "nobody", CLOCK)
    with pytest.raises(NotElected):
        await store.commit(commit(delivery(ChatId("telegram", "99"))))
    assert len(await jobs_of(store)) == len(lanes)


async def test_what_fell_due_or_lost_its_job_is_woken_by_a_look(postgres_place: Place) -> None:
    """Retries and digests wake their lane; a lane whose job vanished does not sleep for ever."""
    store, _ = await two(postgres_place)
    await prepare(postgres_place.url)
    await prepare(postgres_place.url)  # a second process finds the tables
    jobs = LaneJobs(postgres_place.url, clock=CLOCK, drain=nothing, session="of this process")
    lanes = Lanes(store.pool)
    await store.commit(commit(replace(delivery(), due=after(60))))
    assert await lanes.wake_due(after(59), jobs.wake) == pytest.approx(
        1.0
    )  # looked at again then, and not a second later
    assert await jobs_of(store) == []
    assert await lanes.wake_due(after(60), jobs.wake) == inf
    await lanes.wake_due(after(61), jobs.wake)
    assert len(await jobs_of(store)) == 1


async def work_until(jobs: LaneJobs, found: Sized) -> None:
    """Until a job has brought something."""

    async def no_look() -> float:
        return inf

    running = asyncio.create_task(jobs.run(no_look))
    async with asyncio.timeout(20):
        while not len(found):
            await asyncio.sleep(0.05)
    jobs.stop()
    await asyncio.wait_for(running, 10)


async def test_a_worker_drains_what_is_woken_and_takes_up_what_a_dead_one_left(postgres_place: Place) -> None:
    """A job whose worker died keeps its lock until somebody notices; then the lane goes on."""
    store, _ = await two(postgres_place)
    await prepare(postgres_place.url)
    drained: list[int] = []

    async def drain(lane: int) -> None:
        drained.append(lane)

    jobs = LaneJobs(postgres_place.url, clock=CLOCK, drain=drain, session="of this process")
    store.wake = jobs.wake
    await store.commit(commit(delivery()))
    await store._do("update procrastinate_jobs set status = 'doing', worker_id = null")

    await work_until(jobs, drained)
    assert await jobs_of(store) == []


async def in_hand(store: PostgresStore, jobs: LaneJobs, lane: int, session: str) -> None:
    """A worker of this process whose heart beats for the last time now, with a lane."""
    add = "insert into procrastinate_workers (last_heartbeat) values (clock_timestamp()) returning id"
    [(worker,)] = await store._rows(add)
    await store._do("insert into tocsin_workers values (%(worker)s, %(session)s)", worker=worker, session=session)
    async with store.pool.connection() as connection:
        await jobs.wake(connection, [lane])
    sql = "update procrastinate_jobs set status = 'doing', worker_id = %(worker)s where lock = %(lock)s"
    await store._do(sql, worker=worker, lock=f"lane {lane}")


async def todo(store: PostgresStore) -> list[str]:
    return [
        lock for (lock,) in await store._rows("select lock from procrastinate_jobs where status = 'todo' order by id")
    ]


async def test_the_lanes_of_a_process_that_died_are_free_soon_and_those_of_a_busy_one_are_not(
    postgres_place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A killed deliverer's chats wait some five seconds; one that lives and is only late keeps what it has in hand."""
    monkeypatch.setattr("bot.jobs.DEAD", 0.2)
    store, _ = await two(postgres_place)
    await prepare(postgres_place.url)
    await prepare(postgres_place.url)
    jobs = LaneJobs(postgres_place.url, clock=CLOCK, drain=nothing, session="of this process")
    alive = await psycopg.AsyncConnection.connect(postgres_place.url, application_name="of a busy process")
    async with alive, jobs._pool() as pool, jobs._app.open_async(pool):
        await pool.wait()
        await in_hand(store, jobs, 0, "of a dead process")
        await in_hand(store, jobs, 1, "of a busy process")
        await jobs._sweep()
        assert await todo(store) == []
        await asyncio.sleep(0.3)
        await jobs._sweep()
        assert await todo(store) == ["lane 0"]
        monkeypatch.setattr("bot.jobs.STALLED", 0.2)
        await jobs._sweep()
        assert await todo(store) == ["lane 0", "lane 1"]


async def test_after_an_outage_nobody_is_taken_for_dead_who_may_only_be_late_to_connect(
    postgres_place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """I2: when all connections are cut on a busy machine, each message under way would else be sent by another too."""
    monkeypatch.setattr("bot.jobs.DEAD", 0.2)
    store, _ = await two(postgres_place)
    await prepare(postgres_place.url)
    jobs = LaneJobs(postgres_place.url, clock=CLOCK, drain=nothing, session="of this process")
    async with jobs._pool() as pool, jobs._app.open_async(pool):
        await pool.wait()
        await jobs._sweep()
        await in_hand(store, jobs, 0, "of a process that is late")
        await store._rows(
            "select pg_terminate_backend(pid, 5000) from pg_stat_activity where application_name = 'of this process'"
        )
        await jobs._sweep()
        await asyncio.sleep(0.3)
        await jobs._sweep()
        assert await todo(store) == []
        await store._do("update procrastinate_workers set last_heartbeat = now() - interval '1 hour'")
        await jobs._sweep()
        assert await todo(store) == []
        monkeypatch.setattr("bot.jobs.STALLED", 0.2)
        await jobs._sweep()
        assert await todo(store) == ["lane 0"]


async def test_who_starts_after_another_died_takes_its_lanes_up_soon(
    postgres_place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """I6: a bot of one process that is killed and started again must not wait until a silent heart counts as stopped."""
    monkeypatch.setattr("bot.jobs.DEAD", 0.2)
    store, _ = await two(postgres_place)
    await prepare(postgres_place.url)
    jobs = LaneJobs(postgres_place.url, clock=CLOCK, drain=nothing, session="of this process")
    await in_hand(store, jobs, 0, "of the process before")
    await in_hand(store, jobs, 1, "of one from before the server's start")
    await store._do(
        "update procrastinate_workers set last_heartbeat = pg_postmaster_start_time() - interval '1 s' "
        "where id = (select max(worker) from tocsin_workers)"
    )
    async with jobs._pool() as pool, jobs._app.open_async(pool):
        await pool.wait()
        await jobs._sweep()
        assert await todo(store) == []  # who has just come waits whether it connects
        await asyncio.sleep(0.3)
        await jobs._sweep()
        assert await todo(store) == ["lane 0"]


async def test_a_worker_is_known_by_its_connections_while_it_has_something_in_hand(postgres_place: Place) -> None:
    """Else a process that was killed would keep its lanes as long as one that is frozen."""
    store, _ = await two(postgres_place)
    await prepare(postgres_place.url)
    found: list[tuple[int]] = []
    sql = "select count(*) from tocsin_workers join pg_stat_activity on application_name = session"

    async def drain(lane: int) -> None:
        del lane
        found.extend(await store._rows(sql))

    jobs = LaneJobs(postgres_place.url, clock=CLOCK, drain=drain, session="of this process")
    store.wake = jobs.wake
    await store.commit(commit(delivery()))
    await work_until(jobs, found)
    assert found[0][0] > 0


async def test_a_lane_that_begins_while_the_process_stops_is_left_to_others(postgres_place: Place) -> None:
    """Its deliverer would be told by nobody to stop, and hold up the end for as long as the lane has something to send."""
    store, _ = await two(postgres_place)
    together = Together(postgres_place.url, store, CLOCK)
    made: list[int] = []

    def make(_: object, at_once: int) -> Deliverer:
        made.append(at_once)
        raise AssertionError

    together._make_deliverer = make
    await together.stop(1.0)
    await together._drain(0)
    assert made == []

"""The PostgreSQL store beyond the port: many workers, a server that goes away, migrations, errors in one line."""

import asyncio
import sys

import psycopg
import pytest

from bot.errors import LeaseLost, StoreError, StoreTooNew
from bot.model import ChatId, PollCommit, Settlement, StoryId
from bot.ports import Store
from bot.store import open_store, postgres
from bot.store.statements import migrations
from tests.store.cluster import NoPostgres, cluster
from tests.store.samples import ANNA, NOW, after, commit, delivery, entry, feed, sent, state, subscription
from tests.store.stores import Place

pytestmark = pytest.mark.postgres


# ---------------------------------------------------------------- many workers


async def test_workers_share_the_chats_and_each_row_is_sent_once(postgres_place: Place) -> None:
    """Four stores claim, commit and settle at once: every row is settled by one of them, in order per chat."""
    stores = [await postgres_place.open() for _ in range(4)]
    chats = [ChatId("console", str(n)) for n in range(12)]
    served: list[tuple[ChatId, str]] = []

    async def produce(store: Store, worker: int) -> None:
        for n in range(15):
            rows = [delivery(chat, f"s{worker}-{n}", created=after(n)) for chat in chats[worker % 3 :: 2]]
            await store.commit(commit(*rows, address=f"https://{worker}.org"))

    async def consume(store: Store) -> None:
        idle = 0
        while idle < 20:
            claims = await store.claim_deliveries(after(1000), 600, 3)
            idle = 0 if claims else idle + 1
            for claim in claims:
                for row in claim.deliveries:
                    served.append((claim.chat.id, row.id))
                    await store.settle(Settlement(claim.chat.id, claim.epoch, (sent(row),)))
            if not claims:
                await asyncio.sleep(0.02)

    await asyncio.gather(*(produce(s, n) for n, s in enumerate(stores)), *(consume(s) for s in stores))

    stories = [StoryId(f"s{worker}-{n}") for worker in range(4) for n in range(15)]
    made = await stores[0].deliveries(None, stories)
    assert len(served) == len(set(served)) == len(made)
    assert {row.state for row in made} == {"sent"}
    assert {row.attempts for row in made} == {1}
    assert await stores[0].next_due(NOW) is None


async def test_a_frozen_worker_is_fenced(postgres_place: Place) -> None:
    """One worker sleeps through its lease; what it then says is refused, on feeds and on chats (faults row 52)."""
    frozen, awake = await postgres_place.open(), await postgres_place.open()
    await frozen.add_feed(feed(), NOW)
    await frozen.commit(commit(delivery()))
    [old_lease] = await frozen.claim_feeds(NOW, 60, 1)
    [old_claim] = await frozen.claim_deliveries(NOW, 60, 1)
    assert await awake.claim_feeds(after(59), 60, 1) == []
    assert await awake.claim_deliveries(after(59), 60, 1) == []
    [lease] = await awake.claim_feeds(after(61), 60, 1)
    [claim] = await awake.claim_deliveries(after(61), 60, 1)

    with pytest.raises(LeaseLost):
        await frozen.commit(PollCommit(state(due=after(999)), old_lease.epoch, (entry(),)))
    with pytest.raises(LeaseLost):
        await frozen.settle(Settlement(ANNA, old_claim.epoch, (sent(old_claim.deliveries[0]),)))
    await awake.commit(PollCommit(state(due=after(99)), lease.epoch, (entry(),)))
    await awake.settle(Settlement(ANNA, claim.epoch, (sent(claim.deliveries[0]),)))


async def test_feeds_are_split_between_pollers(postgres_place: Place) -> None:
    """SKIP LOCKED: nobody waits for another's claim, and no feed is given twice."""
    stores = [await postgres_place.open() for _ in range(4)]
    await stores[0].sync_feeds([feed(f"https://{n}.org") for n in range(40)], NOW)
    parts = await asyncio.gather(*(store.claim_feeds(NOW, 60, 7) for store in stores for _ in range(3)))
    claimed = [lease.feed.id for part in parts for lease in part]
    assert len(claimed) == len(set(claimed))
    rest = [lease.feed.id for lease in await stores[0].claim_feeds(NOW, 60, 99)]
    assert len({*claimed, *rest}) == 40


async def test_followers_of_subscriptions_miss_no_change(postgres_place: Place) -> None:
    """Version numbers come out in the order of commits, also when many change at once."""
    stores = [await postgres_place.open() for _ in range(3)]
    await stores[0].add_subscription(subscription(query="first"))
    seen: dict[int, int] = {}

    async def follow() -> None:
        version = 1
        while len(seen) < 60:
            for change in await stores[0].subscription_changes(version):
                version = change.version
                seen[change.id] = version
            await asyncio.sleep(0)

    async def change(store: Store) -> None:
        for n in range(30):
            await store.add_subscription(subscription(query=str(n)))

    await asyncio.wait_for(asyncio.gather(follow(), change(stores[1]), change(stores[2])), 20)


async def test_a_change_of_a_subscription_waits_for_the_one_before(postgres_place: Place) -> None:
    """Else the later number could be seen first, and the earlier one never."""
    store = await postgres_place.open()
    async with await psycopg.AsyncConnection.connect(postgres_place.url) as other:
        await other.execute("select from counters for update")
        adding = asyncio.create_task(store.add_subscription(subscription()))
        await asyncio.sleep(0.2)
        assert not adding.done()
        await other.commit()
    assert (await adding).query == "idlib"


# ---------------------------------------------------------------- a server that goes away


@pytest.mark.slow
async def test_it_comes_back_after_the_server_did(monkeypatch: pytest.MonkeyPatch) -> None:
    """Restarts and crashes of PostgreSQL cost a pause, never a store that stays dead (faults row 53)."""
    monkeypatch.setattr(postgres, "CONNECT_TIMEOUT", 2.0)
    try:
        with cluster() as server:
            place = Place(server.dsn)
            store = await place.open()
            await store.add_subscription(subscription())
            for mode in ("immediate", "fast"):
                await asyncio.to_thread(server.stop, mode)
                start = asyncio.create_task(asyncio.to_thread(server.start))
                assert len(await store.subscriptions(ANNA)) == 1
                await start
            assert (await store.add_subscription(subscription(query="again"))).query == "again"
            await asyncio.to_thread(server.stop, "immediate")
            with pytest.raises(StoreError, match="try again"):
                await store.add_subscription(subscription(query="lost"))
            await asyncio.to_thread(server.start)
            assert [row.query for row in await store.subscriptions(ANNA)] == ["idlib", "again"]
            await place.close()
    except NoPostgres as error:
        pytest.skip(str(error))


async def test_lost_connections_are_replaced(postgres_place: Place, postgres_dsn: str) -> None:
    """An administrator ends every connection in the middle of work; nothing is counted twice."""
    store = await postgres_place.open()

    async def end_all() -> None:
        async with await psycopg.AsyncConnection.connect(postgres_dsn, autocommit=True) as connection:
            for _ in range(6):
                await connection.execute(
                    "select pg_terminate_backend(pid) from pg_stat_activity "
                    "where pid <> pg_backend_pid() and backend_type = 'client backend' "
                    "and state = 'idle' and application_name <> 'schema'"
                )
                await asyncio.sleep(0.02)

    async def work() -> int:
        done = 0
        for n in range(60):
            try:
                await store.commit(commit(delivery(story=f"s{n}")))
                done += 1
            except StoreError as error:
                assert "try again" in str(error)  # noqa: PT017  # the other outcome is fine too
        return done

    _, done = await asyncio.gather(end_all(), work())
    assert len(await store.deliveries(None, [StoryId(f"s{n}") for n in range(60)])) >= done


# ---------------------------------------------------------------- opening


async def test_two_processes_make_the_tables_once(postgres_place: Place) -> None:
    """A migration is one transaction under a lock (faults row 54)."""
    stores = await asyncio.gather(*(postgres_place.open() for _ in range(5)))
    await stores[0].put_actions([])
    assert [await store.chats() for store in stores] == [[]] * 5


async def test_a_migration_that_fails_has_not_happened(postgres_place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Transactional DDL: half a migration is none (faults row 54)."""
    store = await postgres_place.open()
    await store.add_subscription(subscription())
    real = migrations()
    broken = [*real, "alter table chats add column colour text; select 1/0"]
    monkeypatch.setattr("bot.store.postgres.migrations", lambda: broken)
    with pytest.raises(StoreError, match="division by zero"):
        await postgres_place.open()
    monkeypatch.setattr("bot.store.postgres.migrations", lambda: [*real, "alter table chats add column colour text"])
    await postgres_place.open()
    monkeypatch.setattr("bot.store.postgres.migrations", lambda: real)
    with pytest.raises(StoreTooNew, match="newer Tocsin"):
        await postgres_place.open()
    assert len(await store.subscriptions(ANNA)) == 1


async def test_reading_only_makes_no_tables(postgres_place: Place) -> None:
    """`status` on an empty database says so."""
    with pytest.raises(StoreError, match="holds no store"):
        await postgres_place.open(read_only=True)


async def test_an_unreachable_server_is_one_line_without_the_password() -> None:
    """No secret in an error (I8)."""
    with pytest.raises(StoreError, match="PostgreSQL can't be used") as caught:
        await open_store("postgresql://bot:s3cret@127.0.0.1:1/news")
    assert "\n" not in str(caught.value)
    assert "s3cret" not in str(caught.value)


async def test_without_psycopg_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL is optional."""
    for name in [name for name in sys.modules if name.startswith(("bot.store.pg_", "bot.store.postgres"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(StoreError, match=r"pip install 'tocsin\[postgres\]'"):
        await open_store("postgresql://127.0.0.1/news")


async def test_deadlocks_are_tried_again(postgres_place: Place) -> None:
    """Two that wait for each other: one is rolled back by the server and simply runs again."""
    stores = [await postgres_place.open() for _ in range(2)]
    names = [f"e{n}" for n in range(30)]
    for n in range(4):
        await asyncio.gather(
            stores[0].commit(commit(entries=tuple(entry(name, title=str(n)) for name in names))),
            stores[1].commit(commit(entries=tuple(entry(name, title=str(n)) for name in reversed(names)))),
        )
    assert {row.title for row in await stores[0].entries_since(NOW)} == {"3"}

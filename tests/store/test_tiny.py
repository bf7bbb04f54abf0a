# ruff: noqa: ASYNC240  # tests look at files of a few bytes
"""The TinyDB store beyond the port: restarts, refusals, full disks, compaction, size."""

import asyncio
import json
import subprocess
import sys
import tracemalloc
from dataclasses import replace
from pathlib import Path

import pytest
from tinydb import TinyDB, where

from bot.errors import LeaseLost, StoreDamaged, StoreError, StoreFull, StoreLocked, StoreTooNew
from bot.model import Chat, ChatId, EntryId, PollCommit, Settlement, StoryId, Wait
from bot.store import codec, open_store, tiny_path
from bot.store import tiny as tiny_module
from bot.store.disk import Disk
from bot.store.journal import JournalDB
from bot.store.tiny import TinyStore, open_tiny
from tests.store.samples import (
    ANNA,
    BORIS,
    NOW,
    after,
    chat,
    commit,
    delivery,
    entry,
    feed,
    fingerprint,
    sent,
    state,
    story,
    subscription,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "tocsin.json"


async def crash(store: TinyStore) -> None:
    """Lets go of the files as a kill does: nothing is written any more."""
    store.db.storage.files.close()


# ---------------------------------------------------------------- restarts


async def test_claims_of_a_dead_process_fall_due_at_their_old_times(path: Path) -> None:
    """After a kill the alert goes out at once, not when a lease of nobody ends; the attempt stays counted."""
    store = await open_tiny(path)
    rows = [delivery(story="s1", due=after(1)), delivery(story="s2", due=after(2)), delivery(story="s3", due=after(3))]
    await store.commit(commit(*rows))
    [claim] = await store.claim_deliveries(after(9), 3600, 1)
    await store.settle(Settlement(ANNA, claim.epoch, (sent(claim.deliveries[0]),)))
    await crash(store)

    store = await open_tiny(path)
    assert [row.due for row in await store.deliveries(ANNA, [StoryId("s2"), StoryId("s3")])] == [after(2), after(3)]
    assert await store.next_due(NOW) == after(2)
    [again] = await store.claim_deliveries(after(9), 60, 1)
    assert [(row.story, row.attempts) for row in again.deliveries] == [("s2", 2), ("s3", 2)]
    with pytest.raises(LeaseLost):
        await store.settle(Settlement(ANNA, claim.epoch, (sent(claim.deliveries[1]),)))
    await store.close()


async def test_feeds_leased_by_a_dead_process_are_due_again(path: Path) -> None:
    """No source waits for a lease of nobody, and the dead holder's number is never given again."""
    store = await open_tiny(path)
    await store.add_feed(feed(), NOW)
    [late] = await store.claim_feeds(NOW, 3600, 1)
    await crash(store)

    store = await open_tiny(path)
    with pytest.raises(LeaseLost):
        await store.save_feed(state(due=after(1)), late.epoch)
    [again] = await store.claim_feeds(NOW, 60, 1)
    assert again.epoch > late.epoch
    await store.close()


async def test_closing_leaves_everything_in_one_file_that_tinydb_opens(path: Path) -> None:
    """The snapshot is plain TinyDB: rows read well and can be queried."""
    store = await open_tiny(path)
    await store.add_feed(feed(name="Wire"), NOW)
    await store.commit(commit(delivery(), entries=(entry(),)))
    await store.close()

    with TinyDB(path) as stock:
        assert stock.table("feeds").all()[0]["name"] == "Wire"
        found = stock.table("deliveries").search((where("state") == "due") & (where("chat") == "telegram:-100123:7"))
        assert [row["story"] for row in found] == ["s1"]
        assert stock.table("entries").get(where("link") == entry().link)["title"] == entry().title


# ---------------------------------------------------------------- refusals


async def test_addresses_are_read_as_sqlalchemy_reads_them() -> None:
    """Three slashes: here; four: from the root. What is meant otherwise is said."""
    assert tiny_path("tinydb:///data/tocsin.json") == "data/tocsin.json"
    assert tiny_path("tinydb:////var/lib/a%20b.json") == "/var/lib/a b.json"
    for url in ("tinydb://", "tinydb:///", "tinydb://data/tocsin.json"):
        with pytest.raises(StoreError, match=r"tinydb:///data/tocsin\.json"):
            tiny_path(url)
    for url in ("sqlite:///x", "", "data/tocsin.json"):
        with pytest.raises(StoreError, match=r"tinydb:///.*postgresql://"):
            await open_store(url)


async def test_a_second_opening_is_refused_with_the_holder(path: Path) -> None:
    """Faults row 50."""
    store = await open_tiny(path)
    with pytest.raises(StoreLocked, match="in use by process"):
        await open_tiny(path)
    await store.close()


async def test_a_newer_store_is_refused_untouched(path: Path) -> None:
    """A downgrade does not guess (faults row 49, 54)."""
    await (await open_tiny(path)).close()
    with JournalDB(path) as db:
        db.table("meta").update({"version": 99})
    before = path.read_bytes()
    with pytest.raises(StoreTooNew, match="newer Tocsin"):
        await open_tiny(path)
    assert path.read_bytes() == before


async def test_an_old_store_is_migrated_in_one_transaction(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A migration that fails or is killed has not happened (faults row 54)."""
    store = await open_tiny(path)
    await store.put_chat(chat(title="old"))
    await store.close()

    def fails(db: JournalDB) -> None:
        db.table("chats").update({"title": "half"})
        raise StoreError("killed")

    def works(db: JournalDB) -> None:
        db.table("chats").update({"title": "new"})

    monkeypatch.setattr(codec, "VERSION", 2)
    monkeypatch.setattr(tiny_module, "MIGRATIONS", {1: fails})
    with pytest.raises(StoreError, match="killed"):
        await open_tiny(path)
    monkeypatch.setattr(tiny_module, "MIGRATIONS", {1: works})
    store = await open_tiny(path)
    assert await store.chats() == [chat(title="new")]
    await store.close()
    monkeypatch.setattr(tiny_module, "MIGRATIONS", {})
    await (await open_tiny(path)).close()


@pytest.mark.parametrize(
    "content", [b"", b"{", b"\0" * 100, b'{"_default": {"1": {"a": 1}}}', b'{"meta": {"1": {"a": 1}}}']
)
async def test_what_is_not_a_tocsin_store_is_refused_untouched(path: Path, content: bytes) -> None:
    """A wrong path destroys nobody's file."""
    path.write_bytes(content)
    with pytest.raises(StoreDamaged):
        await open_tiny(path)
    assert path.read_bytes() == content


async def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    """One line, no traceback."""
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError):
        await open_tiny(tmp_path / "file" / "store.json")
    with pytest.raises(StoreError, match="there is no store"):
        await open_tiny(tmp_path / "none.json", read_only=True)


# ---------------------------------------------------------------- full disks


class Gate(Disk):
    """A disk that is full when told, and can be made to wait."""

    full = False
    writes = 0
    syncs = 0

    def write(self, fd: int, data: bytes | memoryview, offset: int) -> int:
        self.writes += 1
        if self.full:
            super().write(fd, memoryview(data)[:10], offset)
            raise OSError(28, "No space left on device")
        return super().write(fd, data, offset)

    def datasync(self, fd: int) -> None:
        self.syncs += 1
        super().datasync(fd)


async def test_a_full_disk_undoes_the_commit_and_all_on_top_of_it(path: Path) -> None:
    """Memory shows what the disk holds: nothing rings that is not stored; with space it goes on (faults row 48)."""
    disk = Gate()
    store = await open_tiny(path, disk=disk)
    await store.add_feed(feed(), NOW)
    await store.commit(commit(delivery(story="kept")))
    [lease] = await store.claim_feeds(NOW, 60, 1)
    disk.full = True
    poll = PollCommit(
        state(due=after(99)), lease.epoch, (entry(),), (fingerprint(),), (story(),), (delivery(story="lost"),)
    )
    outcomes = await asyncio.gather(
        store.commit(poll),
        store.add_subscription(subscription()),
        store.claim_deliveries(NOW, 60, 9),
        return_exceptions=True,
    )
    assert [type(outcome) for outcome in outcomes] == [StoreFull] * 3
    assert await store.entries([EntryId("e1")]) == []
    assert await store.deliveries(None, [StoryId("lost")]) == []
    assert await store.subscriptions(ANNA) == []
    assert [row.attempts for row in await store.deliveries(None, [StoryId("kept")])] == [0]
    assert [row.next_poll for _, row in await store.feeds()] == [NOW]
    assert await store.next_due(NOW) == NOW

    disk.full = False
    await store.commit(poll)  # the lease still stands
    [claim] = await store.claim_deliveries(NOW, 60, 9)
    assert [row.story for row in claim.deliveries] == ["kept", "lost"]
    await store.close()
    store = await open_tiny(path)
    assert len(await store.deliveries(None, [StoryId("kept"), StoryId("lost")])) == 2
    await store.close()


def long_commit() -> PollCommit:
    """One entry that rings so many chats that others get turns while it is written."""
    return commit(*(delivery(ChatId("console", str(n)), story="long") for n in range(5000)))


async def test_a_full_disk_before_a_long_commit_undoes_that_too(path: Path) -> None:
    """What was under way when the disk refused what it was built on is not kept in part (faults row 48)."""
    disk = Gate()
    store = await open_tiny(path, disk=disk)
    await store.add_feed(feed(), NOW)
    disk.full = True
    refused = asyncio.create_task(store.put_chat(Chat(ANNA)))
    writing = asyncio.create_task(store.commit(long_commit()))
    await asyncio.wait([refused])
    assert not writing.done()
    disk.full = False
    outcomes = await asyncio.gather(refused, writing, return_exceptions=True)
    assert [isinstance(outcome, StoreError) for outcome in outcomes] == [True, True]
    assert await store.deliveries(None, [StoryId("long")]) == []
    assert await store.chats() == []
    await store.commit(long_commit())
    await store.close()
    store = await open_tiny(path)
    assert len(await store.deliveries(None, [StoryId("long")])) == 5000
    await store.close()


async def test_a_snapshot_during_a_long_commit_holds_nothing_of_it(path: Path) -> None:
    """All of it or nothing, also where the snapshot is made while it is under way and the process is killed then."""
    store = await open_tiny(path)
    await store.put_chat(Chat(ANNA))
    writing = asyncio.create_task(store.commit(long_commit()))
    while not await store.deliveries(None, [StoryId("long")]):
        await asyncio.sleep(0)
    assert "deliveries" not in store._storage.frozen() or not store._storage.frozen()["deliveries"]
    assert store._storage.frozen()["chats"]
    await writing
    assert len(store._storage.frozen()["deliveries"]) == 5000
    await store.close()


async def test_a_long_commit_that_is_cancelled_leaves_no_trace(path: Path) -> None:
    """The process stops in the middle of a great alert: the entry is polled again, and rings everybody then."""
    store = await open_tiny(path)
    writing = asyncio.create_task(store.commit(long_commit()))
    while not await store.deliveries(None, [StoryId("long")]):
        await asyncio.sleep(0)
    writing.cancel()
    await asyncio.gather(writing, return_exceptions=True)
    assert await store.deliveries(None, [StoryId("long")]) == []
    assert await store.next_due(NOW) is None
    await store.close()


async def test_group_commit_shares_one_sync(path: Path) -> None:
    """A hundred tasks wait for a handful of writes, and for nothing less."""
    disk = Gate()
    store = await open_tiny(path, disk=disk)
    before = disk.syncs
    await asyncio.gather(*(store.commit(commit(delivery(ChatId("console", str(n))))) for n in range(100)))
    assert disk.syncs - before <= 4
    await store.close()


async def test_a_cancelled_caller_breaks_nothing(path: Path) -> None:
    """Shutdown cancels tasks in the middle of a commit."""
    store = await open_tiny(path)
    tasks = [asyncio.ensure_future(store.commit(commit(delivery(story=f"s{n}")))) for n in range(50)]
    await asyncio.sleep(0)
    for task in tasks[::2]:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await store.add_subscription(subscription())
    await store.close()
    store = await open_tiny(path)
    rows = await store.deliveries(None, [StoryId(f"s{n}") for n in range(50)])
    assert {f"s{n}" for n in range(1, 50, 2)} <= {row.story for row in rows}
    assert len(await store.subscriptions(ANNA)) == 1
    await store.close()


# ---------------------------------------------------------------- compaction


async def test_compaction_starts_by_itself_and_commits_go_on(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The journal stays small beside the snapshot, and nobody waits for it."""
    monkeypatch.setattr("bot.store.storage.COMPACT_AT", 20_000)
    store = await open_tiny(path)
    for n in range(120):
        await store.commit(commit(entries=(entry("same", summary="x" * 1000, title=str(n)),)))
    assert store.db.storage.files.journal_size < 60_000
    await store.close()
    assert sum(file.stat().st_size for file in path.parent.iterdir()) < 90_000
    store = await open_tiny(path)
    assert [row.title for row in await store.entries([EntryId("same")])] == ["119"]
    await store.close()


async def test_a_snapshot_leaves_out_what_is_not_acknowledged_yet(path: Path) -> None:
    """What may still be refused is in no file but the journal."""
    store = await open_tiny(path)
    await store.put_chat(chat(title="acknowledged"))
    storage = store.db.storage
    with storage.transaction():
        storage.put("chats", 99, b'{"id":"console:x"}')
    assert 99 in storage.tables["chats"]
    assert 99 not in storage.frozen()["chats"]
    await store.close()


async def test_compaction_does_not_hold_up_the_event_loop(path: Path) -> None:
    """With 30,000 entries: the loop is never held for a quarter of a second (I7)."""
    store = await open_tiny(path)
    for start in range(0, 30_000, 1000):
        batch = tuple(entry(f"e{n}", summary="x" * 500) for n in range(start, start + 1000))
        await store.commit(commit(entries=batch))
    loop = asyncio.get_running_loop()
    worst = 0.0

    async def watch() -> None:
        nonlocal worst
        while True:
            before = loop.time()
            await asyncio.sleep(0.005)
            worst = max(worst, loop.time() - before - 0.005)

    watcher = asyncio.create_task(watch())
    await store.compact()
    watcher.cancel()
    await store.close()
    assert worst < 0.25


async def test_retention_forgets_that_a_chat_was_served_once_nothing_is_left_of_it(path: Path) -> None:
    """A bot that has spoken to a million chats does not carry each of them for ever."""
    store = await open_tiny(path)
    await store.commit(commit(delivery(), delivery(BORIS, created=after(99))))
    for claim in await store.claim_deliveries(after(100), 60, 9):
        rows = tuple(sent(row, row.created) for row in claim.deliveries)
        await store.settle(Settlement(claim.chat.id, claim.epoch, rows))
    assert await store.retain(after(50), after(50), after(50)) == 1
    assert [row["chat"] for row in store.db.table("claims")] == ["slack:C0%3A1%25"]
    await store.commit(commit(delivery()))
    assert len(await store.claim_deliveries(after(200), 60, 9)) == 1
    await store.close()


# ---------------------------------------------------------------- size


async def test_a_thousand_feeds_and_ten_thousand_subscriptions_are_small(path: Path) -> None:
    """What the store adds to an idle bot's memory."""
    store = await open_tiny(path)
    await store.sync_feeds([feed(f"https://news-{n}.example.org/rss", name=f"Outlet {n}") for n in range(1000)], NOW)
    adds = [subscription(ChatId("telegram", str(n // 5)), f'"some words {n}" OR other') for n in range(10_000)]
    await asyncio.gather(*(store.add_subscription(row) for row in adds))
    await store.close()
    tracemalloc.start()
    try:
        store = await open_tiny(path)
        held = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert len(await store.subscription_changes(0)) == 10_000
    assert held < 12_000_000
    await store.close()


CHILD = """
import asyncio, sys
from bot.store import open_store
async def main():
    try:
        await open_store("tinydb:///" + sys.argv[1])
    except Exception as error:
        print(type(error).__name__)
asyncio.run(main())
"""


async def test_another_process_is_refused(path: Path) -> None:
    """The lock is between processes, not objects."""
    store = await open_tiny(path)
    outcome = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", CHILD, str(path)], capture_output=True, text=True, check=True
    )
    assert outcome.stdout == "StoreLocked\n"
    await store.close()


async def test_rows_are_compact(path: Path) -> None:
    """What has its default is not written."""
    store = await open_tiny(path)
    await store.commit(commit(delivery(BORIS)))
    [raw] = store.db.storage.tables["deliveries"].values()
    assert set(json.loads(raw)) == {
        "id", "chat", "story", "entry", "kind", "subscriptions", "created", "due", "state",
    }  # fmt: skip
    assert len(raw) < 260
    assert replace(delivery(BORIS)) == (await store.deliveries(BORIS, [StoryId("s1")]))[0]
    await store.close()


# ---------------------------------------------------------------- the pace (PaceStore)


def wait(kind: str = "group", name: str = "telegram:1", until: int = 5) -> Wait:
    return Wait(kind, name, NOW, after(until))


async def test_the_last_wait_of_each_kind_and_name_survives_a_kill(path: Path) -> None:
    """What was drawn counts on in the next process; rows do not pile up with messages."""
    store = await open_tiny(path)
    await store.put_waits([wait(until=1), wait("chat", until=2)])
    await store.put_waits([wait(until=3), wait("blocked", "telegram", 4)])
    await crash(store)
    store = await open_tiny(path)
    found = sorted(await store.waits(), key=lambda each: each.until)
    assert found == [wait("chat", until=2), wait(until=3), wait("blocked", "telegram", 4)]
    await store.close()


async def test_waits_that_are_long_over_go(path: Path) -> None:
    """Retention: a row for each group that was ever written to would never end."""
    store = await open_tiny(path)
    await store.put_waits([wait(until=1), wait(name="telegram:2", until=100)])
    await store.retain(after(50), after(50), after(50))
    assert await store.waits() == [wait(name="telegram:2", until=100)]
    await store.close()


async def test_a_chats_waits_go_with_it(path: Path) -> None:
    """/forget leaves nothing that bears the chat's id, and a group that got a new id has limits of its own."""
    store = await open_tiny(path)
    await store.put_waits([wait(name="telegram:-1"), wait(name="telegram:-2"), wait(name="telegram:-3")])
    await store.forget_chat(ChatId("telegram", "-1"))
    await store.move_chat(ChatId("telegram", "-2"), ChatId("telegram", "-100"))
    await store.forget_chat(ChatId("telegram", "-3", "7"))
    assert await store.waits() == [wait(name="telegram:-3")], "topics share their group's limits"
    await store.close()


async def test_waits_that_cannot_be_read_do_not_keep_the_bot_from_starting(path: Path) -> None:
    """Pace is worth no refusal: a later version may write these rows differently, and go back."""
    store = await open_tiny(path)
    await store.put_waits([wait()])
    await store.close()
    with JournalDB(path) as db:
        db.table("waits").insert({"kind": "group", "name": "telegram:2", "until": "soon"})
    store = await open_tiny(path)
    assert await store.waits() == [wait()]
    await store.close()


async def test_a_table_this_version_does_not_know_is_left_alone(path: Path) -> None:
    """One step back to an older Tocsin opens the store, and forward again finds what was there."""
    await (await open_tiny(path)).close()
    with JournalDB(path) as db:
        db.table("of_tomorrow").insert({"new": True})
    store = await open_tiny(path)
    await store.commit(commit(delivery()))
    await store.close()
    with JournalDB(path, read_only=True) as db:
        assert db.table("of_tomorrow").all() == [{"new": True}]

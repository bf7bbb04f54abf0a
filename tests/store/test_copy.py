"""Moving between stores: every row arrives as it was, or the copy has not happened."""

import asyncio
import os
from pathlib import Path

import pytest

from bot.errors import StoreError
from bot.model import Action, DeliveryKind, DeliveryState, HubLease, Mute, Settlement, StoryId, Wait
from bot.store import open_store
from bot.store.copy import check_store, copy_store
from bot.store.journal import JournalDB
from bot.store.tiny import TinyStore
from tests.store.samples import (
    ANNA,
    BORIS,
    FEED,
    NOW,
    after,
    chat,
    commit,
    delivery,
    entry,
    feed,
    fingerprint,
    receipt,
    sent,
    state,
    story,
    subscription,
)
from tests.store.stores import Place


async def fill(place: Place) -> None:
    """A bit of everything, with a claim left open."""
    store = await place.open()
    await store.sync_feeds([feed("https://b.org", name="B"), feed()], NOW)
    await store.add_feed(feed("https://a.org", origin="added"), NOW)
    for lease in await store.claim_feeds(NOW, 60, 1):
        await store.save_feed(state(lease.feed.id, after(9), last_parsed=NOW), lease.epoch)
    await store.put_hub_lease(HubLease("k1", FEED, "https://hub.org", FEED, "secret", after(9), until=after(99)))
    await store.put_chat(chat(title="é ' \\ %s", paused_until=after(5)))
    await store.put_chat(chat(BORIS, gone="blocked"))
    for n in range(5):
        await store.add_subscription(subscription(ANNA if n % 2 else BORIS, f"query {n}"))
    await store.remove_subscription((await store.subscriptions(BORIS))[-1].id)
    await store.mute(Mute(ANNA, StoryId("s9"), NOW))
    await store.put_actions([Action("a1", ANNA, "why", "s1", NOW)])
    await store.commit(
        commit(
            delivery(story="s1"),
            delivery(story="s2", kind=DeliveryKind.GROW, due=after(1)),
            delivery(story="s3", state=DeliveryState.WAITING),
            delivery(BORIS, "s1"),
            entries=tuple(entry(f"e{n}", seen=after(n)) for n in range(30)),
            fingerprints=tuple(fingerprint(f"e{n}") for n in range(30)),
            stories=(story(), story("s2", merged_into=StoryId("s1"))),
        )
    )
    over, left = Wait("group", "telegram:-5", NOW, after(-1)), Wait("blocked", "telegram", after(-3), after(5.25))
    if isinstance(store, TinyStore):
        await store.put_waits([over, left])
    [claim] = await store.claim_deliveries(after(5), 600, 9)
    await store.settle(Settlement(ANNA, claim.epoch, (sent(claim.deliveries[0]),), (receipt(),)))
    await store.close()


async def everything(place: Place) -> object:
    """What the port shows of it."""
    store = await place.open()
    seen = [
        await store.feeds(),
        await store.hub_leases(),
        await store.chats(),
        await store.subscription_changes(0),
        await store.subscription_changes(1),
        await store.entries_since(after(-99)),
        set(await store.fingerprints(FEED, [f"g-e{n}" for n in range(30)], [], [])),
        await store.open_stories(after(-99)),
        await store.mutes([StoryId("s9")]),
        await store.action("a1", ANNA),
        await store.deliveries(None, [StoryId(f"s{n}") for n in range(5)]),
        await store.receipts(ANNA, [StoryId("s1")]),
        await store.next_due(NOW),
        await store.next_poll(NOW),
    ]
    await store.close()
    return seen


async def test_a_copy_is_the_same_store(tmp_path: Path) -> None:
    """The next subscription even gets the number it would have had."""
    place = Place(f"tinydb:///{tmp_path}/original.json")
    await fill(place)
    file = f"tinydb:///{tmp_path}/copy.json"
    told: list[tuple[int, int]] = []
    counts = await copy_store(place.url, file, NOW, lambda done, total: told.append((done, total)))

    assert counts["entries"] == counts["fingerprints"] == 30
    assert counts["subscriptions"] == 4
    assert counts["removed"] == 1
    assert counts["deliveries"] == 4
    assert told[0][0] == 0
    assert told[-1] == (sum(counts.values()), sum(counts.values()))
    copied = Place(file)
    assert await everything(copied) == await everything(place)
    assert await check_store(file) == []
    assert await check_store(place.url) == []
    store = await copied.open()
    assert (await store.add_subscription(subscription())).id == 6
    [claim] = await store.claim_deliveries(after(5), 60, 9)
    assert [(row.story, row.attempts) for row in claim.deliveries] == [("s2", 2)]
    await store.close()


@pytest.mark.postgres
async def test_a_tinydb_store_moves_up_to_postgresql_and_back(tmp_path: Path, postgres_place: Place) -> None:
    """`db copy` both ways, verified."""
    small = Place(f"tinydb:///{tmp_path}/small.json")
    await fill(small)
    before = await everything(small)
    await copy_store(small.url, postgres_place.url, NOW)
    assert await everything(postgres_place) == before
    assert await check_store(postgres_place.url) == []
    store = await postgres_place.open()
    assert (await store.add_subscription(subscription())).id == 6
    [claim] = await store.claim_deliveries(after(5), 60, 9)
    assert [row.story for row in claim.deliveries] == ["s2"]
    last = (await store.subscription_changes(0))[-1]
    await store.remove_subscription(last.id)
    await store.close()
    back = Place(f"tinydb:///{tmp_path}/back.json")
    await copy_store(postgres_place.url, back.url, NOW)
    with pytest.raises(StoreError, match="already"):
        await copy_store(back.url, postgres_place.url, NOW)


@pytest.mark.postgres
async def test_a_platform_that_asked_to_be_left_alone_still_is_after_a_move(
    tmp_path: Path, postgres_place: Place
) -> None:
    """What was sent, and what a platform asked for, counts over the move as over a restart; what is over does not."""
    small = Place(f"tinydb:///{tmp_path}/small.json")
    await fill(small)
    assert (await copy_store(small.url, postgres_place.url, NOW))["waits"] == 1
    back = Place(f"tinydb:///{tmp_path}/back.json")
    await copy_store(postgres_place.url, back.url, after(2))
    store = await back.open()
    assert isinstance(store, TinyStore)
    assert await store.waits() == [Wait("blocked", "telegram", after(2), after(5.25))]
    await store.close()
    late = Place(f"tinydb:///{tmp_path}/late.json")
    assert (await copy_store(postgres_place.url, late.url, after(6)))["waits"] == 0


async def test_a_target_that_is_not_empty_is_refused(tmp_path: Path) -> None:
    """Nobody's store is overwritten or mixed."""
    source, target = Place(f"tinydb:///{tmp_path}/a.json"), Place(f"tinydb:///{tmp_path}/b.json")
    await fill(source)
    await fill(target)
    before = await everything(target)
    with pytest.raises(StoreError, match="not empty"):
        await copy_store(source.url, target.url, NOW)
    with pytest.raises(StoreError, match="same store"):
        await copy_store(source.url, source.url, NOW)
    assert await everything(target) == before


async def test_a_source_that_is_not_there_is_no_empty_store(tmp_path: Path) -> None:
    """A typing error in the address is said; it neither makes a store nor copies nothing with success."""
    with pytest.raises(StoreError, match="there is no store"):
        await copy_store(f"tinydb:///{tmp_path / 'typo.json'}", f"tinydb:///{tmp_path / 'new.json'}", NOW)
    assert os.listdir(tmp_path) == []  # noqa: PTH208  # pathlib is not for coroutines


async def test_a_store_is_not_copied_onto_itself_however_it_is_spelt(tmp_path: Path) -> None:
    """Source and target are compared as files, not as texts."""
    await fill(Place(f"tinydb:///{tmp_path / 'store.json'}"))
    (tmp_path / "sub").mkdir()
    with pytest.raises(StoreError, match="same store"):
        await copy_store(
            f"tinydb:///{tmp_path / 'store.json'}", f"tinydb:///{tmp_path / 'sub' / '..' / 'store.json'}", NOW
        )


async def test_a_folder_is_no_store(tmp_path: Path) -> None:
    """The file was forgotten in the address: the message says what to write."""
    with pytest.raises(StoreError, match="is a folder: name a file in it"):
        await open_store(f"tinydb:///{tmp_path}")
    assert os.listdir(tmp_path) == []  # noqa: PTH208  # pathlib is not for coroutines


async def test_a_source_in_use_is_refused(tmp_path: Path) -> None:
    """A copy of a moving store would miss what comes meanwhile."""
    source = Place(f"tinydb:///{tmp_path}/a.json")
    store = await source.open()
    with pytest.raises(StoreError, match="in use by process"):
        await copy_store(source.url, f"tinydb:///{tmp_path}/b.json", NOW)
    await store.close()


async def test_check_names_what_is_wrong_and_may_run_beside_the_bot(tmp_path: Path) -> None:
    """`tocsin db check` says which row of which table."""
    place = Place(f"tinydb:///{tmp_path}/a.json")
    store = await place.open()
    await store.commit(commit(delivery()))
    assert await check_store(place.url) == []
    await store.close()

    def harm() -> None:
        with JournalDB(tmp_path / "a.json") as db:
            db.table("deliveries").insert(dict(db.table("deliveries").all()[0]))
            db.table("entries").insert({"id": 7})
            db.table("polls").insert({"feed": "https://x.org", "next_poll": NOW})

    await asyncio.to_thread(harm)
    found = await check_store(place.url)
    assert len(found) == 3
    assert "entries: row 1 can't be read" in found[0]
    assert "is there twice" in found[1]
    assert "is not listed" in found[2]
    with pytest.raises(StoreError, match="tocsin db check"):
        await copy_store(place.url, f"tinydb:///{tmp_path}/b.json", NOW)
    (tmp_path / "c.json").write_bytes(b"{")
    assert "Restore the folder" in (await check_store(f"tinydb:///{tmp_path}/c.json"))[0]

"""What the page shows of a store, the same on every store."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.alerts.outbox import revived
from bot.errors import StoreError
from bot.model import (
    RHYTHM_STEP,
    Delivery,
    DeliveryKind,
    DeliveryState,
    EntryId,
    FeedId,
    PollCommit,
    Settlement,
    Sizes,
    StoryId,
    Volume,
)
from bot.ports import Store
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
    state,
    story,
    subscription,
)
from tests.store.stores import Place


async def test_the_newest_come_first_page_by_page(store: Store) -> None:
    """Stories by what happened last, without those that were merged; rings and rows by creation."""
    stories = [story(f"s{n}", seen=after(n)) for n in range(5)]
    merged = story("gone", seen=after(9), merged_into=StoryId("s0"))
    rows = [delivery(story=f"s{n}", created=after(n)) for n in range(4)]
    grown = delivery(story="s3", kind=DeliveryKind.GROW)
    await store.commit(commit(*rows, grown, stories=(*stories, merged)))
    assert [s.id for s in await store.latest_stories(0, 3)] == ["s4", "s3", "s2"]
    assert [s.id for s in await store.latest_stories(3, 3)] == ["s1", "s0"]
    await store.commit(commit(stories=(replace(stories[0], last_seen=after(20)),)))
    assert [s.id for s in await store.latest_stories(0, 2)] == ["s0", "s4"]
    assert await store.latest_rings(0, 2) == [rows[3], rows[2]]
    assert await store.latest_rings(2, 9) == [rows[1], rows[0]]


async def test_the_outbox_by_state(store: Store) -> None:
    """What is held, given up or done is found without reading all of it."""
    there = {
        state: delivery(story=f"s{n}", state=state, created=after(n), settled=NOW if n > 1 else None)
        for n, state in enumerate(DeliveryState)
    }
    await store.commit(commit(*there.values()))
    due, waiting, sent, folded, _muted, dead = there.values()
    assert await store.outbox({DeliveryState.DUE, DeliveryState.WAITING}, 0, 9) == [waiting, due]
    assert await store.outbox({DeliveryState.DUE, DeliveryState.WAITING}, 1, 9) == [due]
    assert await store.outbox({DeliveryState.DEAD}, 0, 9) == [dead]
    assert await store.outbox({DeliveryState.SENT, DeliveryState.FOLDED}, 0, 1) == [folded]
    await store.commit(commit(replace(waiting, state=DeliveryState.SENT)))
    assert await store.outbox({DeliveryState.WAITING}, 0, 9) == []
    assert {row.story for row in await store.outbox({DeliveryState.SENT}, 0, 9)} == {sent.story, waiting.story}


async def test_subscriptions_and_what_they_bring(store: Store) -> None:
    """The volume of each, since a moment; a changed headline is no match."""
    first = await store.add_subscription(subscription(ANNA, "one"))
    second = await store.add_subscription(subscription(BORIS, "two"))
    assert await store.latest_subscriptions(0, 1) == [second]
    assert await store.latest_subscriptions(1, 5) == [first]

    def mine(**more: Any) -> Delivery:
        return delivery(subscriptions=(first.id,), **more)

    await store.commit(
        commit(
            mine(state=DeliveryState.SENT),
            mine(kind=DeliveryKind.GROW, entry="e2"),
            mine(kind=DeliveryKind.CORRECT, entry="e3"),
            mine(story="s2", created=after(-999)),
            delivery(BORIS, "s1", subscriptions=(second.id,)),
        )
    )
    assert await store.volumes([first, second], after(-1)) == {first.id: Volume(2, 1), second.id: Volume(1, 0)}
    assert await store.volumes([], NOW) == {}
    await store.put_chat(chat())
    assert await store.sizes() == Sizes(0, 0, 0, 1, 2, 0, 0)


async def test_the_rhythm_of_a_source(store: Store) -> None:
    """Entries by the time at which they were published; what retention drops is not counted any more."""
    start = after(0) - timedelta(hours=24)
    made = [
        entry("a", published=after(-23 * 3600)),
        entry("b", published=after(-60)),
        entry("c", published=after(-90), feed=FeedId("https://other.example/")),
        entry("d", published=after(-99 * 3600), seen=after(-98 * 3600)),
    ]
    await store.commit(commit(entries=tuple(made)))
    steps = timedelta(hours=24) // RHYTHM_STEP + 1
    assert await store.rhythm([FEED, FeedId("https://none.example/")], start, steps) == {
        FEED: [1, 0, 0, 1, 0],
        "https://none.example/": [0] * steps,
    }
    await store.commit(commit(entries=(replace(made[1], title="edited"),)))
    assert (await store.rhythm([FEED], start, steps))[FEED] == [1, 0, 0, 1, 0]
    await store.retain(after(60), NOW, NOW)
    assert (await store.rhythm([FEED], start, steps))[FEED] == [0] * steps


async def test_a_paused_feed_is_not_polled_until_it_is_given_back(place: Place) -> None:
    """Whatever a poll under way brings, and whatever the configuration says at the next start."""
    store = await place.open()
    await store.sync_feeds([feed(), feed("https://b.example/")], NOW)
    leased = {lease.feed.id: lease for lease in await store.claim_feeds(NOW, 60, 9)}
    assert await store.pause_feed(FEED, paused=True)
    assert not await store.pause_feed(FeedId("https://none.example/"), paused=True)
    await store.save_feed(replace(leased[FEED].state, next_poll=after(1)), leased[FEED].epoch)
    assert await store.claim_feeds(after(10), 5, 9) == []
    failing = replace(leased["https://b.example/"].state, failures=2)  # type: ignore[index]
    await store.save_feed(failing, leased["https://b.example/"].epoch)  # type: ignore[index]
    sizes = await store.sizes()
    assert (sizes.feeds, sizes.failing, sizes.paused) == (2, 1, 1)
    await store.sync_feeds([feed(name="N"), feed("https://b.example/")], NOW)
    assert [(f.name, f.paused) for f, _ in await store.feeds()] == [("N", True), ("", False)]
    assert [lease.feed.id for lease in await store.claim_feeds(after(10), 5, 9, force=True)] == ["https://b.example/"]
    assert await store.next_poll(after(10)) == after(15)
    await store.close()

    store = await place.open()
    assert FEED not in [lease.feed.id for lease in await store.claim_feeds(after(1000), 5, 9)]
    assert await store.pause_feed(FEED, paused=False)
    assert FEED in [lease.feed.id for lease in await store.claim_feeds(after(2000), 5, 9)]
    await store.close()


async def test_a_row_that_was_given_up_can_be_revived_once(store: Store) -> None:
    """It is due again as if it were new; nothing else is."""
    dead = delivery(state=DeliveryState.DEAD, attempts=96, reason="blocked", settled=NOW)
    other = delivery(story="s2", state=DeliveryState.SENT, settled=NOW)
    await store.commit(commit(dead, other))
    assert not await store.revive(revived(other, after(1)))
    assert not await store.revive(revived(delivery(story="none"), after(1)))
    assert await store.revive(revived(dead, after(1)))
    assert not await store.revive(revived(dead, after(1)))
    assert await store.dead(None, 9) == []
    [claim] = await store.claim_deliveries(after(1), 60, 9)
    row: Delivery = claim.deliveries[0]
    assert (row.story, row.attempts, row.reason, row.settled) == ("s1", 1, "", None)
    await store.settle(Settlement(ANNA, claim.epoch, (replace(row, state=DeliveryState.SENT),)))


async def test_whether_anything_can_be_kept(place: Place) -> None:
    """/readyz asks by writing, not by guessing."""
    store = await place.open()
    await store.commit(PollCommit(state(), None, (entry(),)))
    await store.check_writable()
    assert await store.entries([EntryId("e1")]) == [entry()]
    reader = await place.open(read_only=True)
    with pytest.raises(StoreError):
        await reader.check_writable()

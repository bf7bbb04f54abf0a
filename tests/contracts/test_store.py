"""The Store port, promise by promise, on every store there is."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest

from bot.errors import LeaseLost, StoreError
from bot.model import (
    Action,
    Chat,
    ChatId,
    Delivery,
    DeliveryKind,
    DeliveryState,
    EntryId,
    FeedId,
    HubLease,
    HubState,
    Kind,
    Mute,
    PollCommit,
    Selectors,
    Settlement,
    StoryId,
    SubscriptionId,
    Tally,
    Validators,
    delivery_id,
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
    fingerprint,
    receipt,
    sent,
    state,
    story,
    subscription,
)
from tests.store.stores import Place


async def ids(store: Store, *stories: str) -> list[str]:
    return [row.id for row in await store.deliveries(None, [StoryId(s) for s in stories])]


# ---------------------------------------------------------------- feeds


async def test_feeds_are_listed_in_order_with_their_state(store: Store) -> None:
    """An operator sees the sources as listed; new ones are due at once."""
    listed = [
        feed("https://b.org", name="B", tags=("x", "y"), interval=60.0),
        feed("https://a.org", origin="sample"),
        feed("https://page.org", selectors=Selectors("li > a", caption="img")),
    ]
    await store.sync_feeds(listed, NOW)
    assert await store.add_feed(feed("https://0.org", origin="added"), after(5)) is True
    assert await store.add_feed(feed("https://0.org", origin="added"), after(9)) is False

    assert [row for row, _ in await store.feeds()] == [*listed, feed("https://0.org", origin="added")]
    assert [row.next_poll for _, row in await store.feeds()] == [NOW, NOW, NOW, after(5)]


async def test_sync_keeps_the_state_of_what_stays_and_leaves_added_feeds(store: Store) -> None:
    """Editing the configuration never makes the bot forget where it stands with the sources that stay."""
    await store.sync_feeds([feed("https://a.org"), feed("https://b.org", origin="sample")], NOW)
    await store.add_feed(feed("https://c.org", origin="added"), NOW)
    [lease] = [row for row in await store.claim_feeds(NOW, 60, 10) if row.feed.id == "https://a.org"]
    known = state("https://a.org", after(600), validators=Validators('"x"', "y"), failures=2, skip_hours=(1, 2))
    await store.save_feed(known, lease.epoch)

    await store.sync_feeds([feed("https://d.org"), feed("https://a.org", name="A")], after(1))

    assert [row.id for row, _ in await store.feeds()] == ["https://d.org", "https://a.org", "https://c.org"]
    assert {row.id: kept for row, kept in await store.feeds()}[FeedId("https://a.org")] == known
    assert [row.name for row, _ in await store.feeds()] == ["", "A", ""]


async def test_a_feed_that_left_comes_back_as_new(store: Store) -> None:
    """A source taken out and put back polls its baseline again and rings nobody with old items."""
    await store.sync_feeds([feed()], NOW)
    [lease] = await store.claim_feeds(NOW, 60, 10)
    await store.save_feed(state(due=after(600), last_parsed=NOW), lease.epoch)
    await store.sync_feeds([], NOW)
    assert await store.feeds() == []
    await store.sync_feeds([feed()], after(1))

    assert [kept for _, kept in await store.feeds()] == [state(due=after(1))]


async def test_remove_feed_says_whether_it_was_there(store: Store) -> None:
    """`feeds remove` tells a typo from a success."""
    await store.add_feed(feed(), NOW)
    assert await store.remove_feed(FEED) is True
    assert await store.remove_feed(FEED) is False
    assert await store.next_poll(NOW) is None


async def test_due_feeds_are_leased_to_one_longest_due_first(store: Store) -> None:
    """Two pollers never fetch one source at once, and nobody starves."""
    due = {"https://0.org": 30, "https://1.org": 10, "https://2.org": 20, "https://3.org": 500}
    await store.sync_feeds([feed(address) for address in due], NOW)
    for lease in await store.claim_feeds(NOW, 60, 9):
        await store.save_feed(state(lease.feed.id, after(due[lease.feed.id])), lease.epoch)

    first = await store.claim_feeds(after(100), 60, 2)
    second = await store.claim_feeds(after(100), 60, 9)

    assert [row.feed.id for row in first] == ["https://1.org", "https://2.org"]
    assert [row.feed.id for row in second] == ["https://0.org"]
    assert await store.claim_feeds(after(100), 60, 9) == []


async def test_one_feed_can_be_looked_up_and_taken(store: Store) -> None:
    """What a hub posts goes to its feed at once, and a poll that is under way can't overwrite it."""
    await store.sync_feeds([feed(name="A"), feed("https://b.org")], NOW)
    [late, _] = await store.claim_feeds(NOW, 60, 9)
    assert await store.feed(FEED) == (feed(name="A"), state())
    assert await store.feed(FeedId("https://nowhere.org")) is None
    assert await store.claim_feed(FeedId("https://nowhere.org"), NOW, 60) is None

    taken = await store.claim_feed(FEED, NOW, 60)
    assert taken is not None
    assert (taken.feed, taken.state) == (feed(name="A"), state())
    with pytest.raises(LeaseLost):
        await store.save_feed(state(due=after(5)), late.epoch)
    await store.commit(PollCommit(taken.state, taken.epoch, entries=(entry(),)))
    assert [row.feed.id for row in await store.claim_feeds(after(30), 60, 9)] == [FEED]

    taken = await store.claim_feed(FEED, after(30), 60)
    assert taken is not None
    await store.save_feed(state(gone=True), taken.epoch)
    assert await store.claim_feed(FEED, after(31), 60) is None


async def test_leases_at_hubs_are_kept(place: Place) -> None:
    """A restart must not forget under which address and secret a hub posts, nor when to renew; a feed that left is still
    to be signed off.
    """
    store = await place.open()
    await store.sync_feeds([feed()], NOW)
    first = HubLease("k1", FEED, "https://hub.org", FEED, "s1", NOW)
    second = HubLease("k2", FEED, "https://hub.org", "t", "s2", after(9), HubState.ACTIVE, after(99), 2, "why", NOW)
    other = HubLease("k3", FeedId("https://b.org"), "https://hub.org", "u", "s3", after(5))
    for lease in (first, second, other, replace(first, due=after(2))):
        await store.put_hub_lease(lease)
    await store.remove_feed(FEED)
    await store.close()

    store = await place.open()
    assert await store.hub_leases() == [replace(first, due=after(2)), second, other]
    assert await store.hub_leases(feed=FEED) == [replace(first, due=after(2)), second]
    assert await store.hub_leases(due=after(5)) == [replace(first, due=after(2)), other]
    assert await store.hub_lease("k2") == second
    await store.drop_hub_lease("k2")
    await store.drop_hub_lease("k2")
    assert await store.hub_lease("k2") is None
    assert "s1" not in repr(first)


async def test_a_lease_that_ran_out_is_given_to_another_and_the_late_holder_is_refused(store: Store) -> None:
    """A poller that was asleep for a minute can't overwrite what its successor stored (faults row 52)."""
    await store.sync_feeds([feed()], NOW)
    [late] = await store.claim_feeds(NOW, 60, 1)
    assert await store.claim_feeds(after(59), 60, 1) == []
    [current] = await store.claim_feeds(after(61), 60, 1)
    assert current.epoch > late.epoch

    with pytest.raises(LeaseLost):
        await store.save_feed(state(due=after(999)), late.epoch)
    with pytest.raises(LeaseLost):
        await store.commit(PollCommit(state(due=after(999)), late.epoch, entries=(entry(),)))

    assert await store.entries([EntryId("e1")]) == []
    await store.save_feed(state(due=after(400)), current.epoch)
    with pytest.raises(LeaseLost):  # the lease ended with its save
        await store.save_feed(state(due=after(999)), current.epoch)
    assert [kept.next_poll for _, kept in await store.feeds()] == [after(400)]


async def test_feeds_claimed_by_force_are_leased_no_longer_than_others(store: Store) -> None:
    """`run --once` polls what is not due and what a killed process held; when it is killed itself, minutes are lost."""
    due = {"https://0.org": 500, "https://1.org": 10, "https://2.org": 90_000}
    await store.sync_feeds([feed(address) for address in (*due, "https://gone.org")], NOW)
    for lease in await store.claim_feeds(NOW, 60, 9):
        later = state(lease.feed.id, after(due.get(lease.feed.id, 0)), gone=lease.feed.id not in due)
        await store.save_feed(later, lease.epoch)
    [killed] = await store.claim_feeds(after(20), 60, 9)

    forced = await store.claim_feeds(after(30), 60, 9, force=True)
    assert [row.feed.id for row in forced] == ["https://1.org", "https://0.org", "https://2.org"]
    assert len(await store.claim_feeds(after(31), 60, 2, force=True)) == 2
    with pytest.raises(LeaseLost):
        await store.save_feed(state(killed.feed.id, after(1)), killed.epoch)
    await store.save_feed(state("https://2.org", after(40)), forced[2].epoch)

    assert [row.feed.id for row in await store.claim_feeds(after(89), 60, 9)] == ["https://2.org"]
    assert [row.feed.id for row in await store.claim_feeds(after(92), 60, 9)] == ["https://1.org"]
    assert {row.feed.id for row in await store.claim_feeds(after(501), 60, 9)} == set(due)


async def test_a_holder_whose_feed_was_removed_is_refused(store: Store) -> None:
    """A source removed while it is being fetched does not come back."""
    await store.add_feed(feed(), NOW)
    [lease] = await store.claim_feeds(NOW, 60, 1)
    await store.remove_feed(FEED)

    with pytest.raises(LeaseLost):
        await store.save_feed(state(due=after(1)), lease.epoch)
    assert await store.feeds() == []


async def test_gone_feeds_are_not_polled(store: Store) -> None:
    """410 Gone is obeyed."""
    await store.add_feed(feed(), NOW)
    [lease] = await store.claim_feeds(NOW, 60, 1)
    await store.save_feed(state(gone=True), lease.epoch)

    assert await store.claim_feeds(after(10), 60, 1) == []
    assert await store.next_poll(after(10)) is None


async def test_next_poll_is_the_first_due_time_or_the_end_of_the_lease(store: Store) -> None:
    """The scheduler sleeps exactly as long as it may, also when a poller dies."""
    assert await store.next_poll(NOW) is None
    await store.sync_feeds([feed("https://a.org"), feed("https://b.org")], NOW)
    assert await store.next_poll(after(50)) == NOW
    _a, b = sorted(await store.claim_feeds(NOW, 60, 2), key=lambda row: row.feed.id)
    assert await store.next_poll(NOW) == after(60)
    await store.save_feed(state("https://b.org", after(7)), b.epoch)
    assert await store.next_poll(NOW) == after(7)


async def test_every_part_of_a_feed_state_comes_back(store: Store) -> None:
    """What the schedule wrote is what it reads."""
    full = state(
        due=after(1), url="https://new.org", validators=Validators("e", "l"), body_hash="h", failures=3, error="why",
        failing_since=NOW, last_ok=after(-9), last_parsed=after(-8), last_entry=after(-7), title="T", interval=61.5,
        moved_to="https://m.org", moves=2, publisher_interval=3600.0, skip_hours=(0, 23), skip_days=(6,),
    )  # fmt: skip
    await store.add_feed(feed(), NOW)
    [lease] = await store.claim_feeds(NOW, 60, 1)
    await store.save_feed(full, lease.epoch)

    assert [kept for _, kept in await store.feeds()] == [full]
    [again] = await store.claim_feeds(after(5), 60, 1)
    assert again.state == full


# ---------------------------------------------------------------- entries and stories


async def test_a_commit_stores_all_its_parts(store: Store) -> None:
    """One turn is one commit."""
    full = entry(
        content="long", captions=("c1", "c2"), categories=("k",), authors=("A", "B"), language="en", tags=("t",),
        kind=Kind.DEVELOPMENT, reason="why", news="toll 3 → 11", former_titles=(("old", after(-5)),), baseline=True,
    )  # fmt: skip
    kept = story(merged=(StoryId("s0"),), entries=(EntryId("e1"), EntryId("e2")))
    await store.add_feed(feed(), NOW)
    [lease] = await store.claim_feeds(NOW, 60, 1)
    row = delivery(reason="r", held=True)
    await store.commit(PollCommit(state(due=after(60)), lease.epoch, (full,), (fingerprint(),), (kept,), (row,)))

    assert await store.entries([EntryId("e1")]) == [full]
    assert await store.stories([StoryId("s1")]) == [kept]
    assert await store.fingerprints(FEED, ["g-e1"], [], []) == [fingerprint()]
    assert await store.deliveries(None, [StoryId("s1")]) == [row]
    assert [s.next_poll for _, s in await store.feeds()] == [after(60)]


async def test_a_commit_replaces_what_it_knows_by_id(store: Store) -> None:
    """An edited entry or grown story is one row, not two."""
    await store.commit(commit(entries=(entry(),), stories=(story(),), fingerprints=(fingerprint(),)))
    changed, grown = entry(title="New"), story(entries=(EntryId("e1"), EntryId("e2")), seen=after(9))
    moved = fingerprint(seen=after(9))
    await store.commit(commit(entries=(changed,), stories=(grown,), fingerprints=(moved,)))

    assert await store.entries_since(NOW) == [changed]
    assert await store.open_stories(NOW) == [grown]
    assert await store.fingerprints(FEED, [], ["l-e1"], []) == [moved]


async def test_fingerprints_are_found_by_any_digest_of_their_own_feed(store: Store) -> None:
    """An item with a new guid but its old link is known; another outlet's is not; no digest matches nothing."""
    blank = replace(fingerprint("e3"), guid="", link="")
    await store.commit(
        commit(fingerprints=(fingerprint("e1"), fingerprint("e2"), blank, fingerprint("e9", address="https://x.org")))
    )

    assert await store.fingerprints(FEED, ["g-e1"], ["l-e2"], ["t-e9"]) == [fingerprint("e1"), fingerprint("e2")]
    assert await store.fingerprints(FEED, [], [], ["t-e3"]) == [blank]
    assert await store.fingerprints(FEED, [""], [""], [""]) == []
    assert await store.fingerprints(FEED, [], [], []) == []


async def test_entries_and_stories_come_in_the_order_asked(store: Store) -> None:
    """Callers zip what they asked with what they got; what is not kept is left out."""
    await store.commit(commit(entries=(entry("e1"), entry("e2")), stories=(story("s1"), story("s2"))))

    assert [row.id for row in await store.entries([EntryId("e2"), EntryId("no"), EntryId("e1")])] == ["e2", "e1"]
    assert [row.id for row in await store.stories([StoryId("s2"), StoryId("no"), StoryId("s1")])] == ["s2", "s1"]
    assert await store.entries([]) == []


async def test_entries_since_goes_by_time_seen_whatever_the_order_of_arrival(store: Store) -> None:
    """Also after the clock was set back (faults row 55)."""
    times = {"e1": 10, "e2": 5, "e3": 30, "e4": 20}
    for name, seconds in times.items():
        await store.commit(commit(entries=(entry(name, seen=after(seconds)),)))

    assert [row.id for row in await store.entries_since(after(10))] == ["e1", "e4", "e3"]
    assert await store.entries_since(after(31)) == []


async def test_entries_by_link_are_exact_and_newest_first(store: Store) -> None:
    """`/why URL` finds what was seen at that address."""
    link = "https://example.org/x?a=1#f"
    await store.commit(
        commit(entries=(entry("e1", link=link), entry("e2", link=link, seen=after(3)), entry("e3", link=link + "2")))
    )
    await store.commit(commit(entries=(entry("e4", link=""),)))

    assert [row.id for row in await store.entries_by_link(link)] == ["e2", "e1"]
    assert await store.entries_by_link("") == []


async def test_open_stories_are_recent_and_stand(store: Store) -> None:
    """Clustering is restored from stories that can still grow."""
    await store.commit(
        commit(
            stories=(
                story("old", after(-100)),
                replace(story("grown", after(-90)), last_seen=after(5)),
                story("new", after(1)),
                story("merged", after(2), merged_into=StoryId("new")),
                story("edge", after(0)),
            )
        )
    )

    assert [row.id for row in await store.open_stories(NOW)] == ["grown", "edge", "new"]


async def test_a_commit_inserts_deliveries_only_where_new_or_waiting(store: Store) -> None:
    """Uniqueness of (chat, story, kind): nobody is rung twice, and `min:2` rows can start to ring."""
    waiting = delivery(state=DeliveryState.WAITING, reason="one outlet")
    await store.commit(commit(waiting))
    due = replace(waiting, state=DeliveryState.DUE, reason="", due=after(3))
    await store.commit(commit(due))
    assert await store.deliveries(None, [StoryId("s1")]) == [due]

    await store.commit(commit(replace(due, due=after(99), subscriptions=())))

    assert await store.deliveries(None, [StoryId("s1")]) == [due]


async def test_a_muted_ring_may_be_decided_anew(store: Store) -> None:
    """What was never told rings when another keyword finds the story later; rings are found among other rows."""
    muted = delivery(state=DeliveryState.MUTED, reason="unsubscribed", settled=after(1))
    grow = delivery(kind=DeliveryKind.GROW, entry="e2", reason='of "kind":"ring"')
    await store.commit(commit(muted, grow))
    ring = delivery(entry="e2", due=after(3))
    await store.commit(commit(ring))
    assert await store.rings([StoryId("s1")]) == [ring]
    assert await store.deliveries(None, [StoryId("s1")]) == [ring, grow]


async def test_deliveries_are_in_order_of_creation_by_chat_and_story(store: Store) -> None:
    """The life of an alert reads top to bottom."""
    first = delivery(story="s2", kind=DeliveryKind.GROW, entry="z")
    second = delivery(story="s1")
    third = delivery(BORIS, "s1")
    for row in (first, second, third):
        await store.commit(commit(row))

    assert await store.deliveries(None, [StoryId("s1"), StoryId("s2")]) == [first, second, third]
    assert await store.deliveries(ANNA, [StoryId("s1"), StoryId("s2"), StoryId("s1")]) == [first, second]
    assert await store.deliveries(BORIS, [StoryId("s2")]) == []
    assert await store.deliveries(ANNA, []) == []


# ---------------------------------------------------------------- chats and subscriptions


async def test_chats_are_put_and_found(store: Store) -> None:
    """Settings come back as they were, with every odd character of an address."""
    full = Chat(
        BORIS, "Europe/Istanbul", (time(22), time(7, 30)), "daily 08:00", "tr",
        datetime.max.replace(tzinfo=UTC), "", "A: title % é",
    )  # fmt: skip
    assert await store.chat(BORIS) is None
    await store.put_chat(Chat(BORIS))
    await store.put_chat(full)
    await store.put_chat(Chat(ANNA))

    assert await store.chat(BORIS) == full
    assert await store.chats() == [full, Chat(ANNA)]
    assert await store.chat(ChatId("telegram", "-100123")) is None
    assert await store.chats([ANNA, ChatId("telegram", "-100123"), BORIS]) == [full, Chat(ANNA)]


async def test_subscription_ids_are_given_once(store: Store) -> None:
    """`/unsubscribe 3` typed late never hits a newer subscription."""
    one = await store.add_subscription(subscription())
    two = await store.add_subscription(replace(subscription(query="s-300"), min_outlets=2, updates=False))
    assert one.id != two.id
    assert await store.remove_subscription(two.id) is True
    assert await store.remove_subscription(two.id) is False
    three = await store.add_subscription(subscription(query="x"))

    assert three.id not in {one.id, two.id}
    assert await store.subscriptions(ANNA) == [one, three]
    assert await store.subscriptions(BORIS) == []


async def test_subscriptions_are_updated_while_there(store: Store) -> None:
    """A pause that comes after the removal changes nothing."""
    kept = await store.add_subscription(subscription())
    paused = replace(kept, paused_until=after(60), digest="hourly")
    assert await store.update_subscription(paused) is True
    assert await store.subscriptions(ANNA) == [paused]
    assert await store.update_subscription(replace(paused, id=SubscriptionId(999_999))) is False


async def test_changes_follow_the_subscription_table(store: Store) -> None:
    """The index of every process stays equal to the table, by number."""
    a = await store.add_subscription(subscription(query="a"))
    b = await store.add_subscription(subscription(query="b"))
    start = await store.subscription_changes(0)
    assert [change.subscription for change in start] == [a, b]
    assert [change.version for change in start] == sorted({change.version for change in start})
    last = start[-1].version
    assert await store.subscription_changes(last) == []

    a2 = replace(a, updates=False)
    await store.update_subscription(a2)
    await store.remove_subscription(b.id)
    c = await store.add_subscription(subscription(BORIS, "c"))

    changes = await store.subscription_changes(last)
    assert [(change.id, change.subscription) for change in changes] == [(a.id, a2), (b.id, None), (c.id, c)]
    assert [change.version for change in changes] == sorted({change.version for change in changes})
    assert [change.subscription for change in await store.subscription_changes(0)] == [a2, c]


async def test_forget_chat_deletes_all_that_bears_its_id(store: Store) -> None:
    """`/forget` keeps its word, and leaves others alone."""
    for who in (ANNA, BORIS):
        await store.put_chat(Chat(who))
        await store.add_subscription(subscription(who))
        await store.mute(Mute(who, StoryId("s1"), NOW))
        await store.put_actions([Action(f"act-{who.platform}", who, "why", "s1", NOW)])
        await store.commit(commit(delivery(who)))
    for claim in await store.claim_deliveries(NOW, 60, 9):
        rows = tuple(sent(row) for row in claim.deliveries)
        await store.settle(Settlement(claim.chat.id, claim.epoch, rows, (receipt(claim.chat.id),)))
    last = (await store.subscription_changes(0))[-1].version

    await store.forget_chat(ANNA)

    assert await store.chats() == [Chat(BORIS)]
    assert await store.subscriptions(ANNA) == []
    assert [row.chat for row in await store.mutes([StoryId("s1")])] == [BORIS]
    assert await store.action("act-telegram", ANNA) is None
    assert await store.action("act-slack", BORIS) is not None
    assert [row.chat for row in await store.deliveries(None, [StoryId("s1")])] == [BORIS]
    assert await store.receipts(ANNA, [StoryId("s1")]) == []
    assert await store.receipts(BORIS, [StoryId("s1")]) == [receipt(BORIS)]
    assert [change.subscription for change in await store.subscription_changes(last)] == [None]


async def test_forgetting_a_chat_whose_alert_is_in_hand_voids_the_claim(store: Store) -> None:
    """Nothing of a forgotten chat comes back with the answer of the platform."""
    await store.commit(commit(delivery()))
    [claim] = await store.claim_deliveries(NOW, 60, 1)
    await store.forget_chat(ANNA)

    with pytest.raises(LeaseLost):
        await store.settle(Settlement(ANNA, claim.epoch, (sent(claim.deliveries[0]),), (receipt(),)))
    assert await ids(store, "s1") == []


async def test_mutes_and_actions(store: Store) -> None:
    """Buttons work for the chat they were shown in, and for no other."""
    await store.mute(Mute(ANNA, StoryId("s1"), NOW))
    await store.mute(Mute(ANNA, StoryId("s1"), NOW))
    await store.mute(Mute(BORIS, StoryId("s2"), NOW))
    assert await store.mutes([StoryId("s1")]) == [Mute(ANNA, StoryId("s1"), NOW)]
    assert len(await store.mutes([StoryId("s2"), StoryId("s1"), StoryId("s2")])) == 2

    act = Action("id-1", ANNA, "mute", "s1", NOW)
    await store.put_actions([act])
    await store.put_actions([act])
    await store.put_actions([])
    assert await store.action("id-1", ANNA) == act
    assert await store.action("id-1", BORIS) is None
    assert await store.action("id-2", ANNA) is None


# ---------------------------------------------------------------- the outbox


async def test_a_claim_counts_the_attempt_and_moves_due_before_it_returns(store: Store) -> None:
    """A worker that dies with the claim leaves a counted attempt, and the row comes back."""
    await store.put_chat(chat(title="Anna"))
    await store.commit(commit(delivery()))
    [claim] = await store.claim_deliveries(after(1), 60, 5)

    assert claim.chat == chat(title="Anna")
    assert claim.deliveries == (delivery(attempts=1, due=after(61)),)
    assert await store.deliveries(ANNA, [StoryId("s1")]) == list(claim.deliveries)
    assert await store.claim_deliveries(after(60), 60, 5) == []
    [again] = await store.claim_deliveries(after(61), 60, 5)
    assert [row.attempts for row in again.deliveries] == [2]


async def test_rows_are_claimed_when_due_and_only_in_state_due(store: Store) -> None:
    """Held, waiting and finished rows stay where they are."""
    await store.commit(
        commit(
            delivery(story="s1", due=after(100)),
            delivery(story="s2", state=DeliveryState.WAITING),
            delivery(story="s3", state=DeliveryState.MUTED),
            delivery(BORIS, "s4"),
        )
    )

    [claim] = await store.claim_deliveries(after(50), 60, 9)
    assert [row.story for row in claim.deliveries] == ["s4"]
    [claim] = await store.claim_deliveries(after(100), 60, 9)
    assert [row.story for row in claim.deliveries] == ["s1"]
    assert await store.claim_deliveries(after(109), 60, 9) == []


async def test_chats_longest_due_first_rows_in_order_of_creation(store: Store) -> None:
    """Nobody starves, and a chat reads its alerts in order."""
    cleo = ChatId("console", "me")
    await store.commit(commit(delivery(ANNA, "s1", due=after(30)), delivery(BORIS, "s1", due=after(20))))
    await store.commit(commit(delivery(ANNA, "s2", due=after(25)), delivery(cleo, "s1", due=after(10))))

    first = await store.claim_deliveries(after(60), 60, 2)
    rest = await store.claim_deliveries(after(60), 60, 2)

    assert [claim.chat.id for claim in first] == [cleo, BORIS]
    assert [claim.chat.id for claim in rest] == [ANNA]
    assert [row.story for row in rest[0].deliveries] == ["s1", "s2"]


async def test_one_chat_is_in_one_claim_only(store: Store) -> None:
    """A row that falls due while its chat is in hand waits for its turn: order per chat."""
    await store.commit(commit(delivery(story="s1")))
    [claim] = await store.claim_deliveries(NOW, 60, 9)
    await store.commit(commit(delivery(story="s2")))
    assert await store.claim_deliveries(after(1), 60, 9) == []
    assert await store.next_due(after(1)) == after(60)

    await store.settle(Settlement(ANNA, claim.epoch, (sent(claim.deliveries[0]),)))

    assert await store.next_due(after(1)) == NOW
    [second] = await store.claim_deliveries(after(2), 60, 9)
    assert [row.story for row in second.deliveries] == ["s2"]


async def test_a_claim_is_settled_step_by_step(store: Store) -> None:
    """One claim, several sends: the chat is free with the last row, and rows not sent yet stay claimed."""
    await store.commit(commit(delivery(story="s1"), delivery(story="s2"), delivery(story="s3")))
    [claim] = await store.claim_deliveries(NOW, 60, 9)
    one, two, three = claim.deliveries
    await store.settle(Settlement(ANNA, claim.epoch, (sent(one),), (receipt(),)))
    assert await store.claim_deliveries(after(30), 60, 9) == []
    await store.settle(Settlement(ANNA, claim.epoch, (replace(two, due=after(5)),)))
    assert await store.claim_deliveries(after(30), 60, 9) == []
    await store.settle(Settlement(ANNA, claim.epoch, (sent(three),)))

    [again] = await store.claim_deliveries(after(30), 60, 9)
    assert [row.story for row in again.deliveries] == ["s2"]
    assert [row.attempts for row in again.deliveries] == [2]


async def test_a_chat_that_waits_is_not_given_out_before(store: Store) -> None:
    """Order: what comes while a chat waits must not overtake what waits, whichever process looks."""
    await store.commit(commit(delivery(ANNA, "s1")))
    [claim] = await store.claim_deliveries(NOW, 60, 1)
    await store.commit(commit(delivery(BORIS, "s1")))
    waiting = replace(claim.deliveries[0], due=after(300))
    await store.settle(Settlement(claim.chat.id, claim.epoch, (waiting,), wait=after(300)))
    await store.commit(commit(delivery(ANNA, "s2")))
    assert [c.chat.id for c in await store.claim_deliveries(after(299), 1, 10)] == [BORIS]
    assert await store.next_due(after(299)) == after(300)
    [claim] = [c for c in await store.claim_deliveries(after(300), 60, 10) if c.chat.id == ANNA]
    assert [row.story for row in claim.deliveries] == ["s1", "s2"]
    await store.settle(Settlement(ANNA, claim.epoch, tuple(replace(r, due=NOW) for r in claim.deliveries)))
    assert ANNA in [c.chat.id for c in await store.claim_deliveries(after(300), 60, 10)]


async def test_a_late_settle_is_refused_and_changes_nothing(store: Store) -> None:
    """A worker paused for a minute can't unmark what its successor sent (faults row 52)."""
    await store.commit(commit(delivery()))
    [late] = await store.claim_deliveries(NOW, 60, 9)
    [current] = await store.claim_deliveries(after(61), 60, 9)
    assert current.epoch > late.epoch

    with pytest.raises(LeaseLost):
        await store.settle(Settlement(ANNA, late.epoch, (sent(late.deliveries[0]),), (receipt(),), gone="blocked"))

    assert await store.deliveries(ANNA, [StoryId("s1")]) == list(current.deliveries)
    assert await store.receipts(ANNA, [StoryId("s1")]) == []
    assert await store.chat(ANNA) is None
    await store.settle(Settlement(ANNA, current.epoch, (sent(current.deliveries[0]),)))


async def test_a_late_settle_of_a_lease_nobody_took_is_taken(store: Store) -> None:
    """Slow is not wrong: the message was sent, and no one else has the row."""
    await store.commit(commit(delivery()))
    [claim] = await store.claim_deliveries(NOW, 1, 9)
    await store.settle(Settlement(ANNA, claim.epoch, (sent(claim.deliveries[0]),)))
    assert await store.claim_deliveries(after(5), 60, 9) == []


async def test_settle_keeps_receipts_by_message(store: Store) -> None:
    """Edits and replies find the message; a later edit replaces what is known of it."""
    await store.commit(commit(delivery(story="s1"), delivery(story="s2")))
    [claim] = await store.claim_deliveries(NOW, 60, 9)
    await store.settle(Settlement(ANNA, claim.epoch, (sent(claim.deliveries[0]),), (receipt(message="m1"),)))
    edited = replace(receipt(message="m1"), edited=after(3), shown="digest")
    reply = receipt(message="m2", at=after(9))
    other = receipt(story="s2", message="m2", at=after(9))
    await store.settle(Settlement(ANNA, claim.epoch, (sent(claim.deliveries[1]),), (reply, other, edited)))

    assert await store.receipts(ANNA, [StoryId("s1")]) == [edited, reply]
    assert set(await store.receipts(ANNA, [StoryId("s1"), StoryId("s2")])) == {edited, reply, other}
    assert await store.receipt_of(ANNA, "m1") == edited
    assert await store.receipt_of(ANNA, "m9") is None
    assert await store.receipt_of(BORIS, "m1") is None


async def test_a_chat_that_is_gone_is_not_given_out_until_it_is_back(store: Store) -> None:
    """Blocked means silence after one try, and nothing of it is lost (faults row 61)."""
    await store.put_chat(chat(title="kept"))
    await store.commit(commit(delivery(story="s1"), delivery(story="s2")))
    [claim] = await store.claim_deliveries(NOW, 60, 9)
    back = replace(claim.deliveries[0], due=after(5))
    await store.settle(Settlement(ANNA, claim.epoch, (back,), gone="blocked"))

    assert await store.chat(ANNA) == chat(title="kept", gone="blocked")
    assert await store.claim_deliveries(after(1000), 60, 9) == []
    assert await store.next_due(after(1000)) is None
    await store.commit(commit(delivery(story="s3")))
    assert await store.claim_deliveries(after(1000), 60, 9) == []

    await store.put_chat(chat(title="kept"))
    [again] = await store.claim_deliveries(after(1000), 60, 9)
    assert [row.story for row in again.deliveries] == ["s1", "s2", "s3"]


async def test_gone_is_kept_for_a_chat_without_settings(store: Store) -> None:
    """Also a chat that never set anything is left in peace."""
    await store.commit(commit(delivery()))
    [claim] = await store.claim_deliveries(NOW, 60, 9)
    assert claim.chat == Chat(ANNA)
    await store.settle(Settlement(ANNA, claim.epoch, claim.deliveries, gone="kicked"))

    assert await store.chat(ANNA) == Chat(ANNA, gone="kicked")
    assert await store.claim_deliveries(after(1000), 60, 9) == []


NEW = ChatId("telegram", "-1009999", "7")


async def test_a_moved_chat_takes_every_row_along(store: Store) -> None:
    """Group → supergroup: once, atomically, and the alert that met the move is sent there (faults row 62)."""
    await store.put_chat(chat(title="Anna", digest="hourly"))
    sub = await store.add_subscription(subscription())
    await store.mute(Mute(ANNA, StoryId("s9"), NOW))
    await store.put_actions([Action("act", ANNA, "why", "s1", NOW)])
    await store.commit(commit(delivery(story="s1"), delivery(story="s2", kind=DeliveryKind.GROW), delivery(BORIS)))
    [claim] = [c for c in await store.claim_deliveries(NOW, 60, 9) if c.chat.id == ANNA]
    last = (await store.subscription_changes(0))[-1].version
    one, two = claim.deliveries
    done = sent(one)
    await store.settle(Settlement(ANNA, claim.epoch, (done,), (receipt(),), moved_to=NEW))

    assert await store.chat(ANNA) is None
    assert await store.chat(NEW) == chat(NEW, title="Anna", digest="hourly")
    assert await store.subscriptions(NEW) == [replace(sub, chat=NEW)]
    changes = await store.subscription_changes(last)
    assert [change.subscription for change in changes] == [replace(sub, chat=NEW)]
    assert await store.mutes([StoryId("s9")]) == [Mute(NEW, StoryId("s9"), NOW)]
    assert await store.action("act", NEW) == Action("act", NEW, "why", "s1", NOW)
    assert await store.receipts(NEW, [StoryId("s1")]) == [receipt(NEW)]
    assert await store.deliveries(ANNA, [StoryId("s1"), StoryId("s2")]) == []
    first, second = await store.deliveries(NEW, [StoryId("s1"), StoryId("s2")])
    assert first == replace(done, chat=NEW, id=delivery_id(NEW, done.story, done.kind, done.entry))
    assert second.id == delivery_id(NEW, two.story, two.kind, two.entry)
    assert [row.chat for row in await store.deliveries(BORIS, [StoryId("s1")])] == [BORIS]
    [again] = await store.claim_deliveries(after(1), 60, 9)
    assert again.chat.id == NEW
    assert [(row.story, row.attempts) for row in again.deliveries] == [("s2", 2)]


async def test_a_moved_chat_joins_what_is_at_the_new_id(store: Store) -> None:
    """Both ids may have spoken before the platform said they are one: nothing rings twice."""
    await store.put_chat(chat(title="old"))
    await store.put_chat(chat(NEW, title="new"))
    kept = await store.add_subscription(subscription(NEW, "idlib"))
    twin = await store.add_subscription(subscription(ANNA, "idlib"))
    own = await store.add_subscription(subscription(ANNA, "s-300"))
    for who in (ANNA, NEW):
        await store.mute(Mute(who, StoryId("s9"), NOW))
    await store.commit(commit(delivery(ANNA, "s1"), delivery(ANNA, "s2"), delivery(ANNA, "s3")))
    await store.commit(commit(delivery(NEW, "s1"), delivery(NEW, "s2", state=DeliveryState.SENT, settled=NOW)))
    [claim] = [c for c in await store.claim_deliveries(NOW, 60, 9) if c.chat.id == ANNA]
    await store.settle(Settlement(ANNA, claim.epoch, (sent(claim.deliveries[0]),), moved_to=NEW))

    assert await store.chats() == [chat(NEW, title="new")]
    assert await store.subscriptions(NEW) == [kept, replace(own, chat=NEW)]
    assert twin.id not in [row.id for row in await store.subscriptions(NEW)]
    assert await store.mutes([StoryId("s9")]) == [Mute(NEW, StoryId("s9"), NOW)]
    rows = {row.story: row.state for row in await store.deliveries(NEW, [StoryId("s1"), StoryId("s2"), StoryId("s3")])}
    assert rows == {"s1": "sent", "s2": "sent", "s3": "due"}
    assert await store.deliveries(ANNA, [StoryId("s1"), StoryId("s2"), StoryId("s3")]) == []


async def test_move_chat_is_idempotent_and_voids_claims_of_the_old_id(store: Store) -> None:
    """Service messages say the same thing twice, in any order."""
    await store.put_chat(chat(title="x"))
    await store.commit(commit(delivery()))
    [claim] = await store.claim_deliveries(NOW, 60, 9)
    await store.move_chat(ANNA, NEW)
    await store.move_chat(ANNA, NEW)
    await store.move_chat(NEW, NEW)

    with pytest.raises(LeaseLost):
        await store.settle(Settlement(ANNA, claim.epoch, (sent(claim.deliveries[0]),)))
    assert await store.chats() == [chat(NEW, title="x")]
    [again] = await store.claim_deliveries(after(1), 60, 9)
    assert again.chat.id == NEW


async def test_held_rows_are_released_where_nobody_has_them(store: Store) -> None:
    """Quiet hours that were switched off hold nothing any more; what is in a worker's hands stays there."""
    await store.put_chat(chat())
    held = replace(delivery(due=after(900)), held=True)
    waits = delivery(story="s2", due=after(900))
    other = replace(delivery(BORIS, story="s1", due=after(900)), held=True)
    await store.commit(commit(held, waits, other))

    assert await store.release_held(ANNA, after(5)) == 1
    assert await store.release_held(ANNA, after(5)) == 0
    [claim] = await store.claim_deliveries(after(5), 60, 9)
    assert [row.story for row in claim.deliveries] == ["s1"]
    assert await store.release_held(ANNA, after(6)) == 0
    assert await store.claim_deliveries(after(6), 60, 9) == []


async def test_next_due_looks_at_what_may_be_claimed(store: Store) -> None:
    """The deliverer sleeps until there is work, and never spins on work it can't have."""
    assert await store.next_due(NOW) is None
    await store.commit(commit(delivery(due=after(9)), delivery(BORIS, due=after(5))))
    assert await store.next_due(NOW) == after(5)
    await store.put_chat(chat(BORIS, gone="blocked"))
    assert await store.next_due(NOW) == after(9)
    [claim] = await store.claim_deliveries(after(10), 60, 9)
    assert await store.next_due(NOW) == after(70)
    await store.settle(Settlement(ANNA, claim.epoch, (replace(claim.deliveries[0], due=after(20)),)))
    assert await store.next_due(NOW) == after(20)
    await store.forget_chat(ANNA)
    assert await store.next_due(NOW) is None


async def test_a_claim_holds_at_most_200_rows(store: Store) -> None:
    """A backlog is worked off in pieces, oldest first."""
    rows = [delivery(story=f"s{n}", due=after(-n)) for n in range(250)]
    await store.commit(commit(*rows))
    [claim] = await store.claim_deliveries(NOW, 60, 9)
    assert [row.story for row in claim.deliveries] == [f"s{n}" for n in range(200)]
    assert await store.claim_deliveries(NOW, 60, 9) == []
    await store.settle(Settlement(ANNA, claim.epoch, tuple(sent(row) for row in claim.deliveries)))
    [rest] = await store.claim_deliveries(NOW, 60, 9)
    assert [row.story for row in rest.deliveries] == [f"s{n}" for n in range(200, 250)]


async def test_alerts_by_time(store: Store) -> None:
    """The silence watch sees every ring and update of the last weeks, whatever became of it, and nothing else."""
    rings = [delivery(story=f"s{n}", entry=f"e{n}", created=after(n)) for n in (0, 10, 20)]
    grown = delivery(story="s1", entry="e9", kind=DeliveryKind.GROW, created=after(30))
    given_up = delivery(BORIS, "s10", entry="e10", created=after(10), state=DeliveryState.DEAD)
    update = delivery(story="s1", entry="e8", kind=DeliveryKind.DEVELOP, created=after(40))
    await store.commit(commit(*rings, given_up, grown, update))

    found = await store.alerts_since(after(10))
    assert [(row.chat, row.created) for row in found] == [
        (ANNA, after(10)),
        (ANNA, after(20)),
        (BORIS, after(10)),
        (ANNA, after(40)),
    ]


async def test_counts_and_the_oldest_held(store: Store) -> None:
    """`/status` is honest about what is sent, held, waiting and given up."""
    rows = [
        delivery(story="s1", created=after(-100), due=after(900), held=True),
        delivery(story="s2", created=after(1)),
        delivery(story="s3", kind=DeliveryKind.GROW, created=after(2), state=DeliveryState.FOLDED, settled=NOW),
        delivery(story="s4", kind=DeliveryKind.GROW, created=after(2), subscriptions=()),
        delivery(story="s5", created=after(-200_000), state=DeliveryState.SENT, settled=NOW),
        delivery(story="s6", created=after(-200_000), state=DeliveryState.WAITING),
        delivery(BORIS, "s1", created=after(3), state=DeliveryState.DEAD, settled=NOW, held=True),
    ]
    await store.commit(commit(*rows))

    ring, grow = DeliveryKind.RING, DeliveryKind.GROW
    dead = {Tally(ring, DeliveryState.DEAD, held=True, matched=True): 1}
    old = {Tally(ring, DeliveryState.SENT, held=False, matched=True): 1}
    mine = {
        Tally(ring, DeliveryState.DUE, held=True, matched=True): 1,
        Tally(ring, DeliveryState.DUE, held=False, matched=True): 1,
        Tally(ring, DeliveryState.WAITING, held=False, matched=True): 1,
        Tally(grow, DeliveryState.FOLDED, held=False, matched=True): 1,
        Tally(grow, DeliveryState.DUE, held=False, matched=False): 1,
    }
    assert await store.counts(None, NOW) == {**mine, **dead}
    assert await store.counts(ANNA, NOW) == mine
    assert await store.counts(ANNA, after(-500_000)) == {**mine, **old}
    assert await store.counts(BORIS, NOW) == dead
    # whole days are counted as rows come and go
    day = datetime(2026, 3, 1, tzinfo=UTC)
    assert await store.counts(None, day) == {**mine, **dead}
    assert await store.counts(None, day - timedelta(days=9)) == {**mine, **dead, **old}
    [claim] = await store.claim_deliveries(after(1000), 60, 9)
    done = tuple(replace(sent(row), held=False) for row in claim.deliveries)
    await store.settle(Settlement(ANNA, claim.epoch, done))
    settled = {
        Tally(ring, DeliveryState.SENT, held=False, matched=True): 2,
        Tally(grow, DeliveryState.SENT, held=False, matched=False): 1,
        Tally(ring, DeliveryState.WAITING, held=False, matched=True): 1,
        Tally(grow, DeliveryState.FOLDED, held=False, matched=True): 1,
    }
    assert await store.counts(None, day) == {**settled, **dead}
    await store.forget_chat(ANNA)
    assert await store.counts(None, day) == dead


async def test_the_oldest_held(store: Store) -> None:
    """`/status` says how long the longest has waited."""
    await store.commit(commit(delivery(created=after(-100), due=after(900), held=True), delivery(story="s2")))
    assert await store.oldest_held(None) == after(-100)
    assert await store.oldest_held(BORIS) is None


async def test_dead_rows_newest_first(store: Store) -> None:
    """What was given up can be looked at."""
    rows = [delivery(story=f"s{n}", state=DeliveryState.DEAD, reason="r", created=after(n)) for n in range(3)]
    await store.commit(commit(*rows, delivery(BORIS, state=DeliveryState.DEAD, created=after(9))))

    assert await store.dead(ANNA, 2) == [rows[2], rows[1]]
    assert [row.chat for row in await store.dead(None, 9)] == [BORIS, ANNA, ANNA, ANNA]
    assert await store.dead(ChatId("console", "x"), 9) == []


# ---------------------------------------------------------------- retention and the rest


async def test_retention_drops_what_is_old_and_keeps_what_is_needed(store: Store) -> None:
    """A store stays small without ever making an old item new."""
    old, new = after(-100), after(100)
    await store.add_feed(feed(), NOW)
    [lease] = await store.claim_feeds(NOW, 60, 1)
    await store.commit(
        PollCommit(
            state(last_parsed=after(-150)), lease.epoch,
            (entry("old", seen=old), entry("new", seen=new)),
            (
                fingerprint("in-last-body", seen=old),  # within two days of the feed's last body
                fingerprint("old", seen=after(-3 * 86400)),
                fingerprint("new", seen=new),
                fingerprint("unlisted", seen=old, address="https://gone.org"),
            ),
            (story("old", old), story("new", new)),
            (
                delivery(story="old", created=old, state=DeliveryState.SENT, settled=old),
                delivery(story="still", created=old, state=DeliveryState.SENT, settled=new),
                delivery(story="due", created=old),  # of a chat that never came back: its story is not kept
                delivery(story="waits", created=old, state=DeliveryState.WAITING),
                delivery(story="new", created=old, state=DeliveryState.WAITING),
            ),
        )
    )  # fmt: skip
    await store.put_actions([Action("old", ANNA, "why", "x", old), Action("new", ANNA, "why", "x", new)])
    [claim] = await store.claim_deliveries(old, 60, 1)
    back = replace(claim.deliveries[0], due=after(1))
    await store.settle(
        Settlement(ANNA, claim.epoch, (back,), (receipt(story="old", at=old), receipt(story="still", at=old)))
    )

    assert await store.retain(NOW, NOW, NOW) == 9

    assert [row.id for row in await store.entries_since(after(-9999))] == ["new"]
    assert [row.id for row in await store.open_stories(after(-9999))] == ["new"]
    names = ["in-last-body", "old", "new"]
    kept = await store.fingerprints(FEED, [f"g-{name}" for name in names], [], [])
    assert [row.entry for row in kept] == ["in-last-body", "new"]
    assert await store.fingerprints(FeedId("https://gone.org"), ["g-unlisted"], [], []) == []
    stories = [StoryId(name) for name in ("old", "still", "due", "waits", "new")]
    assert [row.story for row in await store.deliveries(None, stories)] == ["still", "new"]
    assert [row.story for row in await store.receipts(ANNA, stories)] == ["still"]
    assert await store.action("old", ANNA) is None
    assert await store.action("new", ANNA) is not None
    assert await store.retain(NOW, NOW, NOW) == 0


async def test_what_was_acknowledged_is_there_after_reopening(place: Place) -> None:
    """A restart changes nothing but who holds what."""
    store = await place.open()
    await store.sync_feeds([feed()], NOW)
    await store.put_chat(chat())
    await store.add_subscription(subscription())
    await store.commit(commit(delivery(), entries=(entry(),), stories=(story(),), fingerprints=(fingerprint(),)))
    changes = await store.subscription_changes(0)
    await store.close()

    store = await place.open()
    assert [row for row, _ in await store.feeds()] == [feed()]
    assert await store.chats() == [chat()]
    assert await store.subscription_changes(0) == changes
    assert await store.entries_since(NOW) == [entry()]
    assert await store.open_stories(NOW) == [story()]
    assert await store.deliveries(None, [StoryId("s1")]) == [delivery()]
    gone = await store.add_subscription(subscription(query="z"))
    await store.remove_subscription(gone.id)
    await store.close()

    store = await place.open()
    assert (await store.add_subscription(subscription(query="y"))).id not in {changes[0].id, gone.id}
    assert next(c.subscription for c in await store.subscription_changes(changes[-1].version)) is None
    await store.close()


async def test_reading_only_shows_the_store_beside_its_owner_and_refuses_writes(place: Place) -> None:
    """`tocsin status` works while the bot runs, and can't disturb it."""
    store = await place.open()
    await store.put_chat(chat(title="seen"))
    reader = await place.open(read_only=True)
    assert await reader.chats() == [chat(title="seen")]
    with pytest.raises(StoreError):
        await reader.put_chat(chat(title="changed"))
    with pytest.raises(StoreError):
        await reader.claim_deliveries(NOW, 60, 1)
    await reader.close()
    await store.put_chat(chat(title="later"))
    assert await store.chats() == [chat(title="later")]
    await store.close()


async def test_concurrent_writes_are_all_kept(store: Store) -> None:
    """Many tasks commit at once; every one of them is on disk when it returns."""
    rows: list[Delivery] = [delivery(ChatId("console", str(n))) for n in range(60)]
    await asyncio.gather(
        *(store.commit(commit(row)) for row in rows),
        *(store.add_subscription(subscription(ANNA, f"q{n}")) for n in range(20)),
        store.compact(),
    )
    assert len(await store.deliveries(None, [StoryId("s1")])) == 60
    assert len({row.id for row in await store.subscriptions(ANNA)}) == 20
    claims = await asyncio.gather(*(store.claim_deliveries(NOW, 60, 7) for _ in range(10)))
    chats = [claim.chat.id for part in claims for claim in part]
    assert len(chats) == len(set(chats)) == 60


async def test_text_of_any_language_and_length(store: Store) -> None:
    """Arabic, emoji, line separators and 200 KB come back byte for byte."""
    wild = entry(title="إدلب \u2028 👩‍👩‍👧 \\ \" ' %s {0} $1", summary="x" * 200_000, content="\u0085\t\n")
    await store.commit(commit(entries=(wild,)))
    assert await store.entries([wild.id]) == [wild]


async def test_an_unknown_feed_commits_without_a_lease(store: Store) -> None:
    """WebSub pushes reach the store whether or not the feed is still listed, and list nothing."""
    await store.commit(commit(entries=(entry(),)))
    assert await store.feeds() == []
    assert [row.id for row in await store.entries_since(NOW)] == ["e1"]

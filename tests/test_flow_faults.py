"""What costs an alert or rings twice: waiting, changing one's mind, merging, and trouble between the steps of the flows."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.alerts.account import account
from bot.alerts.plan import OUTAGE
from bot.commands import Commands
from bot.deliver.lane import LEASE
from bot.errors import StoreFull
from bot.model import (
    Chat,
    ChatGone,
    ChatId,
    DeliveryState,
    Entry,
    EntryId,
    FeedId,
    FeedState,
    Incoming,
    Limits,
    Message,
    NotModified,
    ParsedFeed,
    Placement,
    PollCommit,
    RetryLater,
    SendOutcome,
    Settlement,
    Story,
    StoryId,
    Subscription,
    SubscriptionId,
    Validators,
)
from bot.store.disk import Disk
from bot.store.tiny import TinyStore, open_tiny
from tests.e2e.backlog import fill
from tests.emulators.common import most_within
from tests.fakes import FakeClock, RecordingMessenger
from tests.test_flow import PRIZE, SHELLS, SHELLS_2, SHELLS_3
from tests.test_poll import FakeFetcher, until
from tests.test_poll import World as Polls
from tests.world import HERE, World, item

NIGHT = datetime(2026, 3, 2, 23, tzinfo=UTC)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    world = await World(tmp_path).open()
    yield world
    await world.store.close()


@pytest.fixture
async def night(tmp_path: Path) -> AsyncIterator[World]:
    """Eleven in the evening, in a chat that is quiet until seven and listens for two words."""
    world = await World(tmp_path, FakeClock(NIGHT)).open()
    await world.baseline()
    await world.say("/subscribe Idlib, lighthouse")
    await world.say("/quiet 22:00-07:00")
    yield world
    await world.store.close()


# ---------------------------------------------------------------- order and waiting


async def test_a_chat_that_must_wait_is_left_alone_until_then(world: World) -> None:
    """Row 58: a platform that says "in 300 s" means the chat, also for what comes meanwhile; then all in order (I3)."""
    await world.baseline()
    await world.say("/subscribe Idlib, lighthouse")
    world.chat.outcomes = [RetryLater("slow down", after=300.0)]
    await world.poll("North Wire", SHELLS)
    await world.deliver()
    world.clock.advance(10)
    await world.poll("Harbour Post", PRIZE)
    await world.deliver()
    assert world.sends() == []
    world.clock.advance(291)
    await world.deliver()
    assert world.sends() == [SHELLS.title, PRIZE.title]


async def test_an_update_never_overtakes_its_alert(world: World) -> None:
    """I3: while the alert backs off, its development waits behind it and then comes as a reply."""
    await world.baseline()
    await world.say("/subscribe Idlib")
    world.chat.outcomes = [RetryLater("bad gateway")]
    await world.poll("North Wire", SHELLS)
    await world.deliver()
    await world.poll("Levant Daily", SHELLS_3)
    await world.deliver()
    assert world.sends() == []
    world.clock.advance(10)
    await world.deliver()
    assert world.sends()[0] == SHELLS.title
    assert [reply for _, what, _, _, reply, _ in world.chat.log if what == "send"] == ["", "1"]


async def test_a_claim_that_ends_costs_its_chat_no_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """I6: a moment of the pace that is booked and not used would keep a chat with much to be told waiting for another."""
    monkeypatch.setattr("bot.deliver.lane.LEASE", 2.4)
    monkeypatch.setattr("bot.alerts.plan.BURST", 100)
    world = await World(tmp_path).open()
    world.chat.limits = Limits(length=4096, chat_rate=1.0, chat_burst=1)
    await world.baseline()
    await world.say("/subscribe Idlib, lighthouse, harbour")
    await world.poll("North Wire", SHELLS, PRIZE, item("Crane collapses in Oslo harbour, driver unhurt"))
    began = world.clock.monotonic()
    await world.deliver()
    assert len(world.sends()) == 3
    assert world.clock.monotonic() - began < 2.5


async def test_a_group_at_its_pace_keeps_the_order(tmp_path: Path) -> None:
    """I3 and I5: what is given back for the pace of a group is not overtaken by what arrives a moment later."""
    world = await World(tmp_path).open()
    world.chat.limits = Limits(length=4096, group_rate=20.0)
    group = ChatId("telegram", "-5")
    await world.baseline()
    await world.say("/subscribe harbour", chat=group)
    stories = [
        item("Crane collapses in Oslo harbour, driver unhurt"),
        item("Museum ship finds a berth in Riga harbour after ten years"),
        item("Humpback whale lingers off Bergen harbour mouth"),
        item("Dockers vote to strike at Rostock harbour from Friday"),
    ]
    await world.poll("North Wire", stories[0])
    await world.deliver()
    await world.poll("North Wire", *stories[:2])
    await world.deliver()
    world.clock.advance(1.0)
    await world.poll("North Wire", *stories[:3])
    await world.deliver()
    world.clock.advance(1.0)
    await world.poll("North Wire", *stories)
    await world.deliver()
    for _ in range(3):
        world.clock.advance(20)
        await world.deliver()
    assert world.sends() == [s.title for s in stories]
    await world.store.close()


@pytest.mark.parametrize("days", [4, 6])
async def test_what_was_held_for_days_survives_a_hiccup(days: int, world: World) -> None:
    """Row 25, row 58: giving up counts from the tries, not from the days that a digest was collected."""
    await world.baseline()
    await world.say("/subscribe Idlib")
    due = world.clock.now() + timedelta(days=days)
    await world.say(f"/digest weekly {due:%a %H:%M}".lower())
    world.clock.advance(60)
    await world.poll("North Wire", SHELLS)
    await world.deliver()
    world.clock.advance(days * 86_400)
    world.chat.outcomes = [RetryLater("bad gateway")]
    await world.deliver()
    world.clock.advance(60)
    await world.deliver()
    assert len(world.sends()) == 1
    assert await world.store.dead(HERE, 9) == []


async def test_a_platform_that_is_down_for_good_is_given_up(world: World) -> None:
    """After three days of tries a row is dead and named by /status; nothing retries for ever."""
    await world.baseline()
    await world.say("/subscribe Idlib")
    await world.poll("North Wire", SHELLS)
    for _ in range(400):
        world.chat.outcomes = [RetryLater("bad gateway")]
        await world.deliver()
        world.clock.advance(1200)
    assert [row.state for row in await world.store.dead(HERE, 9)] == [DeliveryState.DEAD]


async def test_a_cron_job_delivers_after_every_pause(tmp_path: Path) -> None:
    """`run --once` every hour: there is no later in which to catch up, so what was missed is told at once."""
    clock = FakeClock()
    start = clock.now()
    world = await World(tmp_path, clock, away=(start - 2 * OUTAGE, start)).open()
    await world.baseline()
    await world.say("/subscribe Idlib")
    await world.poll("North Wire", replace(SHELLS, published=start - OUTAGE))
    world.deliverer.caught_up()
    await world.deliver()
    assert world.sends() == [SHELLS.title]
    await world.store.close()


async def test_a_chat_that_speaks_again_is_served_at_once(world: World) -> None:
    """Row 61: what waited for a chat that was gone comes when it speaks, not when something else next wakes us."""
    await world.baseline()
    await world.say("/subscribe Idlib")
    world.chat.outcomes = [ChatGone("blocked")]
    await world.poll("North Wire", SHELLS)
    await world.deliver()
    woken: list[bool] = []
    world.commands = Commands(store=world.store, clock=world.clock, wake=lambda: woken.append(True))
    await world.say("/subscriptions")
    assert woken


class StillClock(FakeClock):
    """Every nap is over in a moment, and no time passes."""

    async def sleep(self, seconds: float) -> None:
        self.naps = [*getattr(self, "naps", []), seconds]
        await asyncio.sleep(0.001)


async def test_what_nobody_announced_is_found_within_a_minute(tmp_path: Path) -> None:
    """Rows that another process put into the store bring no wake-up here: nothing waits for ever."""
    clock = StillClock()
    world = await World(tmp_path, clock).open()
    await world.baseline()
    await world.say("/subscribe Idlib")
    world.deliverer.wake = lambda: None  # type: ignore[method-assign]
    world.ingest._wake = lambda: None
    running = asyncio.create_task(world.deliverer.run())
    await asyncio.sleep(0.01)
    await world.poll("North Wire", SHELLS)
    for _ in range(200):
        await asyncio.sleep(0.01)
        if world.sends():
            break
    await world.deliverer.stop(1)
    running.cancel()
    assert world.sends() == [SHELLS.title]
    assert max(clock.naps) == 60.0
    await world.store.close()


# ---------------------------------------------------------------- changed one's mind


async def test_unsubscribed_while_held(night: World) -> None:
    """I4: the morning's message has nothing of a keyword that was stopped at night."""
    await night.poll("North Wire", SHELLS)
    await night.poll("Harbour Post", PRIZE)
    await night.deliver()
    await night.say("/unsubscribe lighthouse")
    night.clock.advance(8 * 3600)
    await night.deliver()
    [(*_, text)] = night.chat.log
    assert SHELLS.title in text
    assert PRIZE.title not in text


async def test_snoozed_while_held(night: World) -> None:
    """A keyword that is paused when its turn comes stays silent, alone or among others."""
    await night.poll("North Wire", SHELLS)
    await night.poll("Harbour Post", PRIZE)
    await night.deliver()
    await night.say("/pause lighthouse 24h")
    night.clock.advance(8 * 3600)
    await night.deliver()
    [(*_, text)] = night.chat.log
    assert PRIZE.title not in text
    await night.say("/pause Idlib 24h")
    assert account(await night.store.counts(HERE, NIGHT)).muted == 1


async def test_no_update_after_unsubscribing(world: World) -> None:
    """I4: an update that was on its way when its keyword was stopped, and that matched nothing itself, is dropped."""
    await world.baseline()
    await world.say("/subscribe market Idlib")
    await world.poll("North Wire", SHELLS)
    await world.deliver()
    world.clock.advance(7200)
    toll = replace(
        SHELLS_3,
        title="Toll in Ariha shelling rises to 14",
        summary="Five of the wounded died, hospital officials said, raising Tuesday's toll from nine to 14 after rockets struck Ariha, rescuers said.",
    )
    await world.poll("Levant Daily", toll)
    await world.say("/unsubscribe 1")
    await world.deliver()
    assert world.sends() == [SHELLS.title]


async def test_another_keyword_takes_over_what_is_held(night: World) -> None:
    """A query edited at night (stopped, and subscribed in other words) swallows nothing that comes after the edit."""
    await night.poll("North Wire", SHELLS)
    await night.deliver()
    await night.say("/unsubscribe Idlib")
    await night.say("/subscribe Ariha")
    await night.poll("Harbour Post", SHELLS_2)
    await night.deliver()
    night.clock.advance(8 * 3600)
    await night.deliver()
    assert world_text(night).count("Ariha") >= 1


async def test_an_urgent_keyword_does_not_wait_for_the_digest_of_another(world: World) -> None:
    """A story held for one keyword's digest rings at once when another keyword, without a digest, matches it."""
    await world.baseline()
    await world.say("/subscribe Idlib, workers")
    await world.say("/digest 1 daily 08:00")
    await world.poll("North Wire", SHELLS)
    await world.deliver()
    assert world.sends() == []
    await world.poll("Harbour Post", SHELLS_2)
    await world.deliver()
    assert world.sends() == [SHELLS.title]
    world.clock.advance(86_400)
    await world.deliver()
    assert len(world.sends()) == 1


async def test_an_edit_rings_only_for_words_that_it_brings(world: World) -> None:
    """A subscription does not ring for what was there before it, however often outlets polish their texts."""
    await world.baseline()
    await world.poll("North Wire", SHELLS)
    await world.say("/subscribe Idlib")
    await world.poll("North Wire", replace(SHELLS, summary=SHELLS.summary + " More follows."))
    await world.deliver()
    assert world.sends() == []


async def test_a_snoozed_keyword_does_not_ring_with_the_second_outlet(world: World) -> None:
    """`min:2`, first outlet seen, then snoozed: the second outlet must not wake it."""
    await world.baseline()
    await world.say("/subscribe Idlib min:2")
    await world.poll("North Wire", SHELLS)
    await world.say("/pause 1 2h")
    await world.poll("Harbour Post", replace(SHELLS_2, summary=SHELLS_2.summary.replace(", in Idlib province,", "")))
    await world.deliver()
    assert world.sends() == []


def world_text(world: World) -> str:
    return "\n".join(text for *_, text in world.chat.log)


# ---------------------------------------------------------------- late merges


async def merge(world: World, first: str, second: str) -> None:
    """The story with the second headline turns out to be the one with the first."""
    stories = {s.title: s for s in await world.store.open_stories(datetime.min.replace(tzinfo=UTC))}
    into, taken = stories[first], stories[second]
    entries = [replace(e, story=into.id) for e in await world.store.entries(taken.entries)]
    whole = replace(into, entries=(*into.entries, *taken.entries), merged=(taken.id,))
    state = FeedState(FeedId("https://elsewhere.example/"), world.clock.now())
    change = PollCommit(state, None, tuple(entries), (), (whole, replace(taken, merged_into=into.id)))
    await world.store.commit(change)
    world.ingest._stories = None


async def test_a_story_that_merged_while_its_alert_waited_rings_once(world: World) -> None:
    """One story, one alert: also when the second alert was on its way before anybody knew."""
    await world.baseline()
    await world.say("/subscribe Idlib, lighthouse")
    await world.poll("North Wire", SHELLS)
    await world.deliver()
    await world.poll("Harbour Post", PRIZE)
    await merge(world, SHELLS.title, PRIZE.title)
    await world.deliver()
    assert world.sends() == [SHELLS.title]
    await world.poll("Levant Daily", replace(PRIZE, link="https://l.example/7", guid="7"))
    await world.deliver()
    assert len(world.sends()) == 1
    assert "also" in world.edits()[-1]


async def test_stories_that_merged_overnight_are_told_once(night: World) -> None:
    """A digest names a story once, whatever it was called when its alerts were held."""
    await night.poll("North Wire", SHELLS)
    await night.poll("Harbour Post", PRIZE)
    await night.deliver()
    await merge(night, SHELLS.title, PRIZE.title)
    await night.poll("North Wire", SHELLS, item("Idlib road reopens after two years", "The highway past Idlib opened."))
    await night.deliver()
    night.clock.advance(8 * 3600)
    await night.deliver()
    assert "2 stories" in world_text(night)
    assert PRIZE.title not in world_text(night)


async def test_a_mute_holds_for_what_merged_into_the_story(world: World) -> None:
    """Who muted a story hears nothing of its other half either."""
    await world.baseline()
    await world.say("/subscribe Idlib, lighthouse")
    await world.poll("North Wire", SHELLS)
    await world.deliver()
    mute = next(b.action for row in world.chat.shown["1"][1].buttons for b in row if b.label == "Mute story")
    await world.say("", action=mute)
    await world.poll("Harbour Post", PRIZE)
    await merge(world, SHELLS.title, PRIZE.title)
    await world.deliver()
    assert world.sends() == [SHELLS.title]


# ---------------------------------------------------------------- the clock


@pytest.mark.parametrize("restart", [False, True])
async def test_a_clock_set_back_by_a_day_is_no_silent_day(restart: bool, tmp_path: Path) -> None:
    """Row 55: feeds that were scheduled by a clock a day ahead are polled as soon as they would have been."""
    store = await open_tiny(tmp_path / "store.json")
    polls = Polls(store)
    feeds = ["https://a.example/", "https://b.example/"]
    await polls.list(*feeds)
    fetcher = FakeFetcher({feed: NotModified(Validators()) for feed in feeds})
    poller = polls.poller(fetcher)
    polls.clock.time += timedelta(days=1)
    await poller.tick()
    await until(lambda: poller.counts.polled == 2)
    polls.clock.time -= timedelta(days=1)
    if restart:
        poller = polls.poller(fetcher)
    await poller.tick()
    assert len(fetcher.asked) == 2  # nor is everything polled at once
    for _ in range(15):
        polls.clock.advance(60)
        await poller.tick()
        await poller.drain(1)
        poller._closed = False
    assert {url for url, *_ in fetcher.asked[2:]} == set(feeds)
    await store.close()


async def test_a_full_disk_does_not_keep_the_clock_from_being_followed(tmp_path: Path) -> None:
    """Row 48 with row 55: when the moved due times can't be stored, the next look tries again."""
    store = await open_tiny(tmp_path / "store.json")
    polls = Polls(store)
    await polls.list("https://a.example/")
    fetcher = FakeFetcher({"https://a.example/": NotModified(Validators())})
    poller = polls.poller(fetcher)
    polls.clock.time += timedelta(days=1)
    await poller.tick()
    await until(lambda: poller.counts.polled == 1)
    polls.clock.time -= timedelta(days=1)
    real = store.save_feed

    async def full(*_: object) -> None:
        raise StoreFull("no space left")

    store.save_feed = full  # type: ignore[method-assign,assignment]
    with pytest.raises(StoreFull):
        await poller.tick()
    store.save_feed = real  # type: ignore[method-assign]
    for _ in range(30):
        polls.clock.advance(60)
        await poller.tick()
        await poller.drain(1)
        poller._closed = False
    assert len(fetcher.asked) > 1
    await store.close()


# ---------------------------------------------------------------- the event loop


async def turns_during(work: Awaitable[object]) -> int:
    """How often others had a turn meanwhile."""
    turns, running = 0, asyncio.ensure_future(work)
    while not running.done():
        turns += 1
        await asyncio.sleep(0)
    await running
    return turns


async def test_reading_back_a_big_store_leaves_turns_to_others(world: World) -> None:
    """I7: after a start with many stories and subscriptions, and with /latest, the event loop is never held for long."""
    now = world.clock.now()
    feed = FeedId("https://elsewhere.example/")
    entries = [
        Entry(
            EntryId(f"e{n}"), feed, "Elsewhere", f"Bridge {n} opens to trains", f"https://e.example/{n}", str(n), "",
            now, now, story=StoryId(f"se{n}"), language="en",
        )
        for n in range(600)
    ]  # fmt: skip
    stories = [Story(e.story, e.title, now, now, (e.id,)) for e in entries]
    await world.store.commit(PollCommit(FeedState(feed, now), None, tuple(entries), (), tuple(stories)))
    for n in range(300):
        await world.store.add_subscription(Subscription(SubscriptionId(0), HERE, f"word{n}", now))
    assert await turns_during(world.ingest._story_index()) > 30
    assert await turns_during(world.ingest._follow_subscriptions()) > 20
    assert await turns_during(world.say("/latest nothing")) > 8


async def test_one_entry_for_thousands_of_chats_leaves_turns_to_others(world: World) -> None:
    """I7: deciding on three thousand alerts, and writing them, is done in parts; who writes meanwhile is not mixed in."""
    await world.baseline()
    now = world.clock.now()
    for number in range(3000):
        chat = ChatId("telegram", str(number))
        await world.store.put_chat(Chat(chat))
        await world.store.add_subscription(Subscription(SubscriptionId(0), chat, "Idlib", now))
    await world.poll("North Wire")

    async def also() -> None:
        for number in range(30):
            await asyncio.sleep(0)
            await world.store.put_chat(Chat(ChatId("slack", f"C{number}")))

    other = asyncio.create_task(also())
    assert await turns_during(world.poll("North Wire", SHELLS)) > 25
    await other
    assert sum((await world.store.counts(None, now)).values()) == 3000
    assert len(await world.store.chats()) == 3030
    assert await turns_during(world.poll("North Wire", replace(SHELLS, title="Ten dead in Ariha, Idlib"))) > 25


async def test_a_story_that_was_stopped_in_time_rings_for_another_keyword(night: World) -> None:
    """A ring that was dropped unsent, because its keyword was, must not swallow the story for what comes after."""
    await night.poll("North Wire", SHELLS)
    await night.deliver()
    await night.say("/unsubscribe Idlib")
    night.clock.advance(8 * 3600)
    await night.deliver()
    assert night.sends() == []
    await night.say("/subscribe Ariha")
    await night.poll("Harbour Post", SHELLS_2)
    await night.deliver()
    assert night.sends() == [SHELLS_2.title]


# ---------------------------------------------------------------- the disk


class Refusing(Disk):
    """A disk that is full while `full`."""

    full = False

    def write(self, fd: int, data: bytes | memoryview, offset: int) -> int:
        if self.full:
            raise OSError(28, "No space left on device")
        return super().write(fd, data, offset)


async def test_a_disk_that_was_full_for_an_hour_costs_nothing(world: World) -> None:
    """Row 48: polls, alerts and commands are refused meanwhile, nothing is sent unrecorded, and all goes on by itself."""
    await world.baseline()
    await world.say("/subscribe Idlib, lighthouse")
    assert isinstance(world.store, TinyStore)
    disk = world.store.db.storage.files.disk = Refusing()
    await world.poll("North Wire", SHELLS)
    disk.full = True
    for _ in range(12):
        with pytest.raises(StoreFull):
            await world.deliver()
        [leased] = [
            one for one in await world.store.claim_feeds(world.clock.now(), 60, 100) if one.feed.name == "Harbour Post"
        ]
        with pytest.raises(StoreFull):
            await world.ingest(leased, replace(leased.state, title="tried"), ParsedFeed("", (PRIZE,)))
        assert "store is not available" in (await world.say("/subscribe whale")).message.text
        world.clock.advance(300)
    assert world.sends() == []
    disk.full = False
    await world.poll("Harbour Post", PRIZE)
    assert "added" in (await world.say("/subscribe whale")).message.text
    await world.deliver()
    assert world.sends() == [SHELLS.title, PRIZE.title]
    assert len(await world.store.subscriptions(HERE)) == 3


async def test_a_send_that_the_disk_can_not_record_is_repeated_once(world: World) -> None:
    """Row 48: the disk fills between the claim and its settlement: one duplicate at most, and none while it is full."""
    await world.baseline()
    await world.say("/subscribe Idlib")
    assert isinstance(world.store, TinyStore)
    disk = world.store.db.storage.files.disk = Refusing()
    await world.poll("North Wire", SHELLS)
    real = world.chat.send

    async def fills(*args: Any, **more: Any) -> Any:
        disk.full = True
        return await real(*args, **more)

    world.chat.send = fills  # type: ignore[method-assign]
    await world.deliver()
    world.chat.send = real  # type: ignore[method-assign]
    for _ in range(12):
        world.clock.advance(300)
        with pytest.raises(StoreFull):
            await world.deliver()
    assert len(world.sends()) == 1
    disk.full = False
    world.clock.advance(300)
    await world.deliver()
    await world.deliver()
    assert len(world.sends()) == 2


async def test_while_one_message_can_not_be_recorded_no_other_chat_is_sent_any(world: World) -> None:
    """I2: each message that the store can't record may come twice, so there is no second one; then all go on."""
    await world.baseline()
    chats = [ChatId("telegram", str(number)) for number in (1, 2)]
    for chat in chats:
        await world.store.put_chat(Chat(chat))
        await world.store.add_subscription(Subscription(SubscriptionId(0), chat, "Idlib", world.clock.now()))
    await world.poll("North Wire", SHELLS)
    first, second = await world.store.claim_deliveries(world.clock.now(), LEASE, 9)
    settle = world.store.settle
    serving: list[asyncio.Task[None]] = []
    waiting: set[object] = set()

    async def sleep(seconds: float) -> None:
        if seconds:
            waiting.add(asyncio.current_task())
        await asyncio.sleep(0)

    async def refuses(settlement: Settlement) -> None:
        if settlement.chat == first.chat.id:
            if not serving:
                serving.append(asyncio.create_task(world.deliverer._lanes.serve(second)))
            if serving[0] not in waiting and len(world.chat.log) == 1:
                raise StoreFull("no space left")
            assert [chat for _, _, chat, *_ in world.chat.log] == [first.chat.id]
        await settle(settlement)

    world.store.settle = refuses  # type: ignore[method-assign]
    world.clock.sleep = sleep  # type: ignore[method-assign]
    await world.deliverer._lanes.serve(first)
    await serving[0]
    assert [chat for _, _, chat, *_ in world.chat.log] == [first.chat.id, second.chat.id]


async def test_a_clock_set_back_does_not_hold_what_waits_for_seconds(night: World) -> None:
    """Row 55: a retry of a few seconds stays one; what is held until the morning stays held."""
    await night.say("/quiet off")
    night.clock.time += timedelta(days=1)
    night.deliverer._skew += 86_400
    night.chat.outcomes = [RetryLater("bad gateway")]
    await night.poll("North Wire", SHELLS)
    await night.deliver()
    night.clock.time -= timedelta(days=1)
    night.clock.advance(30)
    await night.deliver()
    assert night.sends() == [SHELLS.title]
    await night.say("/quiet 22:00-07:00")
    await night.poll("Harbour Post", PRIZE)
    await night.deliver()
    night.clock.time -= timedelta(hours=1)
    night.clock.advance(30)
    await night.deliver()
    assert len(night.sends()) == 1
    night.clock.advance(10 * 3600)
    await night.deliver()
    assert len(night.sends()) == 2


async def test_an_entry_that_clustering_chokes_on_still_rings(tmp_path: Path) -> None:
    """A bug met by one hostile entry must not cost its alert, nor the feed's other entries, now or later."""
    world = await World(tmp_path).open()
    await world.baseline()
    await world.say("/subscribe Idlib")
    index = await world.ingest._story_index()
    place = index.place

    def choke(entry: Entry) -> Placement:
        if "poison" in entry.title:
            raise ZeroDivisionError
        return place(entry)

    index.place = choke  # type: ignore[method-assign]
    poison, other = item("A poison headline about Idlib"), item("Bakers strike in Idlib over flour")
    assert await world.poll("North Wire", poison, other) == 2
    assert await world.poll("North Wire", poison, other) == 0
    await world.deliver()
    assert sorted(world.sends()) == sorted([poison.title, other.title])
    await world.store.close()


# ---------------------------------------------------------------- settings that change what is held


@pytest.mark.parametrize(
    ("command", "sent"),
    [("/quiet off", 2), ("/quiet 01:00-02:00", 2), ("/timezone Asia/Tokyo", 2), ("/quiet 22:30-06:00", 0)],
)
async def test_what_is_held_follows_the_quiet_hours(command: str, sent: int, night: World) -> None:
    """Held for quiet hours that are over, or elsewhere: it comes now, and does not wait for the old morning."""
    await night.poll("North Wire", SHELLS)
    await night.poll("Harbour Post", PRIZE)
    await night.deliver()
    assert night.sends() == []
    await night.say(command)
    await night.deliver()
    assert sum(title in world_text(night) for title in (SHELLS.title, PRIZE.title)) == sent
    night.clock.advance(8 * 3600)
    await night.deliver()
    assert all(world_text(night).count(title) == 1 for title in (SHELLS.title, PRIZE.title))


@pytest.mark.parametrize("command", ["/digest off", "/digest 1 off", "/digest 1 hourly"])
async def test_what_is_held_follows_the_digest(command: str, world: World) -> None:
    """A digest that was switched off, for the chat or for a keyword, or comes sooner now, does not keep its stories."""
    await world.baseline()
    await world.say("/subscribe Idlib")
    await world.say("/digest weekly mon 08:00")
    world.clock.advance(60)
    await world.poll("North Wire", SHELLS)
    await world.deliver()
    assert world.sends() == []
    await world.say(command)
    world.clock.advance(3600)
    await world.deliver()
    assert SHELLS.title in world_text(world)


async def test_a_digest_that_stays_is_not_sent_early(world: World) -> None:
    """Looking again at what is held, because something else was changed, rings nothing before its time."""
    await world.baseline()
    await world.say("/subscribe Idlib, lighthouse")
    await world.say("/digest 1 daily 08:00")
    await world.poll("North Wire", SHELLS)
    await world.deliver()
    for command in ("/pause 2 1h", "/resume", "/quiet 22:00-07:00", "/timezone Europe/Berlin"):
        await world.say(command)
        await world.deliver()
    assert world.sends() == []
    world.clock.advance(24 * 3600)
    await world.deliver()
    assert len(world.sends()) == 1


async def test_a_clock_that_was_days_ahead_closes_no_story(world: World) -> None:
    """Row 55: what was open before the clock ran ahead is open again when it is set right: a copy does not ring anew."""
    await world.baseline()
    await world.say("/subscribe Idlib")
    await world.poll("North Wire", SHELLS)
    await world.deliver()
    world.clock.time += timedelta(days=5)
    await world.poll("Coast Radio", item("Dockers vote to strike at Rostock harbour from Friday"))
    world.clock.time -= timedelta(days=5)
    world.clock.advance(600)
    await world.poll("Harbour Post", SHELLS_2)
    await world.deliver()
    assert world.sends() == [SHELLS.title]


async def test_row_63_who_subscribed_a_group_is_told_that_it_stopped(world: World) -> None:
    """Only that chat stops, its admin hears why in private and once, and nobody else does."""
    group = ChatId("telegram", "-100", "5")
    for who, chat in (("7", group), ("8", HERE)):
        incoming = Incoming(chat, who, "/subscribe Idlib", private=chat is HERE, title="Newsroom")
        assert await world.commands.answer(incoming)
    await world.baseline()
    world.chat.gone = {group: "Bad Request: TOPIC_CLOSED"}
    await world.poll("North Wire", SHELLS)
    await world.deliver()
    told = [(chat, text) for _, _, chat, _, _, text in world.chat.log if "any more" in text]
    assert [chat for chat, _ in told] == [ChatId("telegram", "7")]
    assert "Newsroom" in told[0][1]
    assert "TOPIC_CLOSED" in told[0][1]
    stored = await world.store.chat(group)
    assert stored is not None
    assert stored.gone
    assert len(await world.store.subscriptions(group)) == 1
    assert any(chat == HERE and "Nine" in text for _, _, chat, _, _, text in world.chat.log)


# ---------------------------------------------------------------- a platform that is away


class Downtime(RecordingMessenger):
    """A platform that answers nothing useful while it is `down`, and counts how often it was asked."""

    down = True
    asked = 0

    async def send(self, chat: ChatId, message: Message, reply_to: str = "") -> SendOutcome:
        self.asked += 1
        return RetryLater("bad gateway") if self.down else await super().send(chat, message, reply_to)


async def test_an_hour_without_the_platform_with_thousands_queued(tmp_path: Path) -> None:
    """Row 59: no storm while it is away; afterwards everything arrives once, as few messages, at the permitted pace.

    Nothing is dropped for being old before 72 hours and 96 tries; the newest do not overtake (I3).
    """
    world = World(tmp_path)
    world.chat = platform = Downtime("telegram", world.clock, Limits(length=4096, platform_rate=30.0, chat_rate=1.0))
    await world.open()
    chats, alerts = 30, 1500
    titles = await fill(world.store, chats, alerts, world.clock.now())
    for _ in range(60):
        await world.deliver()
        world.clock.advance(60)
    assert platform.asked <= chats * 15  # 5 s, doubling to 15 minutes
    platform.down = False
    for _ in range(30):
        await world.deliver()
        world.clock.advance(60)
    for number in range(1, chats + 1):
        texts = [text for _, what, chat, *_, text in platform.log if what == "send" and chat.address == str(number)]
        told = [
            title for text in texts for line in text.splitlines() for title in titles if line.startswith(f"• {title} (")
        ]
        assert told == titles
        assert len(texts) <= 3
    times = sorted(when.timestamp() for when, what, *_ in platform.log if what == "send")
    assert most_within(times, 1.0) <= 30
    await world.store.close()

"""The life of an alert through the real flows and the real store: ring, grow, develop, correct, rest, hold, restart."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.alerts.account import account
from bot.model import ChatGone, ChatId, ChatMoved, DeliveryState, Message, ParsedEntry, ParsedFeed, Refused, RetryLater
from tests.fakes import FakeClock
from tests.store.stores import Place
from tests.world import HERE, World, item

SHELLS = item(
    "Nine killed as shells hit market in Ariha",
    "Rockets struck a crowded market in Ariha in Idlib province on Tuesday, killing nine people, rescuers said.",
)
SHELLS_2 = item(
    "Shelling of Ariha market kills nine, rescuers say",
    "Nine people were killed when rockets hit a market in Ariha, in Idlib province, on Tuesday, rescue workers said.",
    link="https://h.example/1",
)
SHELLS_3 = item(
    "Toll in Ariha market shelling rises to 14",
    "Five of the wounded died, hospital officials said, raising the toll from Tuesday's rockets on the market in Ariha, Idlib province, from nine to 14.",
    link="https://l.example/1",
)
PRIZE = item(
    "Novelist wins prize for story of a lighthouse",
    "A first novel about a lighthouse keeper's daughter won the country's oldest book prize on Monday evening.",
)


@pytest.fixture
async def world(tmp_path: Path, place: Place) -> AsyncIterator[World]:
    """The same flows on each store."""
    world = await World(tmp_path, url=place.url).open()
    yield world
    await world.store.close()


async def test_the_first_poll_rings_nobody(world: World) -> None:
    """Row 23: a new source brings its backlog; nobody wants 500 alerts."""
    await world.say("/subscribe Idlib")
    assert await world.poll("North Wire", SHELLS) == 1
    await world.deliver()
    assert world.sends() == []
    assert [e.title for e in await world.store.entries_since(datetime.min.replace(tzinfo=UTC))] == [SHELLS.title]


async def test_ten_copies_ring_once_and_grow(world: World) -> None:
    """The promise of the house: one story, one alert, which names those who join."""
    await world.baseline()
    await world.say("/subscribe Idlib")
    await world.poll("North Wire", SHELLS)
    await world.deliver()
    await world.poll("Harbour Post", SHELLS_2)
    await world.deliver()
    assert world.sends() == [SHELLS.title]
    assert len(world.edits()) == 1
    assert "also Harbour Post" in world.edits()[0]
    await world.poll("Harbour Post", SHELLS_2, SHELLS)
    await world.deliver()
    assert len(world.sends()) == 1


async def test_unchanged_poll_does_nothing(world: World) -> None:
    """Row 22: entries seen before are never new again, also when they vanish and slide back in."""
    await world.baseline()
    await world.say("/subscribe Idlib")
    assert await world.poll("North Wire", SHELLS) == 1
    assert await world.poll("North Wire", SHELLS, PRIZE) == 1
    await world.deliver()
    assert await world.poll("North Wire", PRIZE) == 0
    assert await world.poll("North Wire", SHELLS, PRIZE) == 0
    await world.deliver()
    assert world.sends() == [SHELLS.title]


async def test_a_development_comes_as_a_reply(world: World) -> None:
    """A new toll is news, and it belongs under the first message."""
    await world.baseline()
    await world.say("/subscribe Idlib")
    await world.poll("North Wire", SHELLS)
    await world.deliver()
    world.clock.advance(7200)
    await world.poll("Levant Daily", SHELLS_3)
    await world.deliver()
    assert [(what, reply) for _, what, _, _, reply, _ in world.chat.log] == [("send", ""), ("send", "1")]
    assert world.sends()[1].startswith("Update")


async def test_a_changed_headline_is_struck_through(world: World) -> None:
    """Row 21: an edit is an edit of the message, never a new alert."""
    await world.baseline()
    await world.say("/subscribe Idlib")
    await world.poll("North Wire", SHELLS)
    await world.deliver()
    await world.poll("North Wire", replace(SHELLS, title="Ten killed as shells hit market in Ariha"))
    await world.deliver()
    assert len(world.sends()) == 1
    message = world.chat.shown["1"][1]
    assert [s.text for s in message.spans if s.strike] == [SHELLS.title]
    assert "headline changed by North Wire" in message.text


async def test_an_edit_that_brings_the_keyword_rings(world: World) -> None:
    """A missed alert is costly: a keyword that an edit brings in rings, once."""
    await world.baseline()
    await world.say("/subscribe lighthouse keeper whale")
    await world.poll("North Wire", PRIZE)
    changed = replace(PRIZE, summary=PRIZE.summary + " It begins with a whale.")
    await world.poll("North Wire", changed)
    await world.poll("North Wire", replace(changed, summary=changed.summary + " And ends with it."))
    await world.deliver()
    assert world.sends() == [PRIZE.title]


async def test_no_ring_is_lost_or_doubled_by_restarts(world: World) -> None:
    """Closed and opened between every two steps, the same alerts arrive once."""
    await world.baseline()
    await world.restart()
    await world.say("/subscribe Idlib, lighthouse")
    await world.restart()
    await world.poll("North Wire", SHELLS)
    await world.restart()
    await world.poll("Harbour Post", SHELLS_2, PRIZE)
    await world.restart()
    await world.deliver()
    await world.restart()
    await world.poll("North Wire", SHELLS, PRIZE)
    await world.deliver()
    assert sorted(world.sends()) == sorted([SHELLS.title, PRIZE.title])


async def test_one_ring_names_all_keywords(world: World) -> None:
    """However many subscriptions of a chat match, it rings once and names them."""
    await world.baseline()
    await world.say("/subscribe Idlib, Ariha, rockets")
    await world.poll("North Wire", SHELLS)
    await world.deliver()
    assert len(world.sends()) == 1
    text = world.chat.log[0][-1]
    assert all(word in text for word in ("Idlib", "Ariha", "rockets"))
    bold = {s.text for s in world.chat.shown["1"][1].spans if s.bold}
    assert {"Idlib", "Ariha"} <= bold


async def test_min_two_rings_with_the_second_outlet(world: World) -> None:
    """Corroboration: silent until an independent outlet carries it too."""
    await world.baseline()
    await world.say("/subscribe Idlib min:2")
    await world.poll("North Wire", SHELLS)
    await world.deliver()
    assert world.sends() == []
    await world.poll("Harbour Post", SHELLS_2)
    await world.deliver()
    assert len(world.sends()) == 1


async def test_muted_story_and_snoozed_keyword_stay_silent(world: World) -> None:
    """The buttons under an alert do what they say, through their opaque ids."""
    await world.baseline()
    await world.say("/subscribe Idlib")
    await world.poll("North Wire", SHELLS)
    await world.deliver()
    buttons = {b.label: b.action for row in world.chat.shown["1"][1].buttons for b in row}
    assert all(len(action.encode()) <= 64 for action in buttons.values())
    await world.say("", action=buttons["Mute story"])
    await world.poll("Levant Daily", SHELLS_3)
    await world.deliver()
    assert len(world.chat.log) == 1
    snooze = next(action for label, action in buttons.items() if label.startswith("Snooze"))
    await world.say("", action=snooze)
    other = item(
        "Aid convoy turned back on the road to Idlib city", "Trucks with flour for Idlib were stopped at a crossing."
    )
    await world.poll("North Wire", other)
    await world.deliver()
    assert len(world.chat.log) == 1


async def test_buttons_of_another_chat_do_nothing(world: World) -> None:
    """Row 37: an id from another chat, or a guessed one, is expired here."""
    await world.baseline()
    await world.say("/subscribe Idlib")
    await world.poll("North Wire", SHELLS)
    await world.deliver()
    action = world.chat.shown["1"][1].buttons[0][1].action
    other = ChatId("telegram", "666")
    for forged in (action, "mute:1", "x" * 64):
        reply = await world.say("", chat=other, action=forged)
        assert "expired" in reply.message.text
    assert (
        await world.store.mutes([s.id for s in await world.store.open_stories(datetime.min.replace(tzinfo=UTC))]) == []
    )


async def test_quiet_hours_hold_and_never_drop(tmp_path: Path) -> None:
    """What comes at night comes as one message in the morning."""
    world = await World(tmp_path, FakeClock(datetime(2026, 3, 2, 23, tzinfo=UTC))).open()
    await world.baseline()
    await world.say("/subscribe Idlib, lighthouse")
    await world.say("/quiet 22:00-07:00")
    await world.poll("North Wire", SHELLS)
    await world.poll("Harbour Post", PRIZE)
    await world.deliver()
    assert world.sends() == []
    assert account(await world.store.counts(HERE, datetime.min.replace(tzinfo=UTC))).held == 2
    world.clock.advance(8 * 3600)
    await world.deliver()
    assert len(world.sends()) == 1
    text = world.chat.log[0][-1]
    assert SHELLS.title in text
    assert PRIZE.title in text
    await world.store.close()


async def test_daily_digest_collects(world: World) -> None:
    """A digest carries each story once, at the local time asked for."""
    await world.baseline()
    await world.say("/subscribe Idlib, lighthouse")
    await world.say("/digest daily 08:00")
    await world.poll("North Wire", SHELLS)
    await world.poll("Harbour Post", SHELLS_2, PRIZE)
    await world.poll("Levant Daily", SHELLS_3)
    await world.deliver()
    assert world.sends() == []
    world.clock.advance(20 * 3600)
    await world.deliver()
    assert len(world.sends()) == 1
    assert world.sends()[0].startswith("Your news")
    assert world.chat.log[0][-1].count(SHELLS.title) == 1
    world.clock.advance(24 * 3600)
    await world.deliver()
    assert len(world.sends()) == 1


async def test_a_digest_tells_what_a_story_has_come_to(world: World) -> None:
    """A story that grew and developed while it was collected is one item: outlets counted, the latest news beside it."""
    await world.baseline()
    await world.say("/subscribe Idlib")
    await world.say("/digest daily 08:00")
    await world.poll("North Wire", SHELLS)
    await world.poll("Harbour Post", SHELLS_2)
    await world.poll("Levant Daily", SHELLS_3)
    world.clock.advance(20 * 3600)
    await world.deliver()
    [(*_, text)] = world.chat.log
    assert "(3 outlets)\n  Update: toll 9 → 14" in text
    assert text.count("•") == 1


async def test_after_an_outage_one_message_catches_up(tmp_path: Path) -> None:
    """The backlog of a night without power is one message, not a burst."""
    clock = FakeClock()
    away = (clock.now() - timedelta(hours=4), clock.now())
    world = await World(tmp_path, clock, away=away).open()
    await world.baseline()
    await world.say("/subscribe Idlib, lighthouse, ferry")
    ferry = item("Ferry runs aground off the northern cape", "All 80 passengers of the ferry were taken off.")
    old = clock.now() - timedelta(hours=1)
    await world.poll("North Wire", *(replace(i, published=old) for i in (SHELLS, PRIZE, ferry)))
    await world.deliver()
    assert world.sends() == []
    clock.advance(120)
    await world.deliver()
    assert len(world.sends()) == 1
    assert world.sends()[0].startswith("While I was away")
    fresh = item("Idlib road reopens after two years", "The highway past Idlib opened to trucks again.")
    await world.poll("North Wire", fresh)
    await world.deliver()
    assert world.sends()[-1] == fresh.title
    await world.store.close()


async def test_a_flood_in_one_moment_is_one_message(world: World) -> None:
    """Row 23: a feed that comes back with all its items new must not send dozens of messages."""
    await world.baseline()
    await world.say("/subscribe harbour")
    headlines = (
        "Crane collapses in Oslo harbour, driver unhurt",
        "Gdynia dredging contract goes to Dutch firm, harbour master says",
        "Museum ship finds a berth in Riga harbour after ten years",
        "Fuel tax for ferries doubles; Kiel harbour protests",
        "Humpback whale lingers off Bergen harbour mouth",
        "Dockers vote to strike at Rostock harbour from Friday",
        "Oil sheen reported near Narvik harbour ore terminal",
        "Customs seize two tonnes of cocaine in Aarhus harbour",
        "Regatta returns to Visby harbour with record entries",
        "Ice crushes pontoon in Tallinn harbour",
        "Malmo harbour to house floating school",
        "Pilot boat named after lighthouse keeper joins Turku harbour",
    )
    items = [item(headline) for headline in headlines]
    await world.poll("North Wire", *items)
    await world.deliver()
    assert len(world.sends()) == 1
    assert all(i.title in world.chat.log[0][-1] for i in items)


async def test_every_outcome_of_a_send(world: World) -> None:
    """429 waits and arrives; a refused text dies alone; others go on."""
    await world.baseline()
    await world.say("/subscribe Idlib, lighthouse")
    world.chat.outcomes = [RetryLater("slow down", after=30.0)]
    await world.poll("North Wire", SHELLS)
    await world.deliver()
    assert world.sends() == []
    world.clock.advance(29)
    await world.deliver()
    assert world.sends() == []
    world.clock.advance(1.5)
    world.chat.outcomes = [Refused("can't parse")]
    await world.poll("Harbour Post", PRIZE)
    await world.deliver()
    assert world.sends() == [PRIZE.title]
    dead = await world.store.dead(HERE, 10)
    assert [(row.state, row.reason) for row in dead] == [(DeliveryState.DEAD, "can't parse")]


async def test_blocked_chat_keeps_its_settings_and_resumes(world: World) -> None:
    """Row 61: one try, then silence; what waited arrives when the person comes back."""
    await world.baseline()
    await world.say("/subscribe Idlib")
    world.chat.outcomes = [ChatGone("blocked")]
    await world.poll("North Wire", SHELLS)
    await world.deliver()
    world.clock.advance(86_400)
    await world.deliver()
    assert world.sends() == []
    chat = await world.store.chat(HERE)
    assert chat is not None
    assert chat.gone == "blocked"
    await world.say("/subscriptions")
    await world.deliver()
    assert world.sends() == [SHELLS.title]


async def test_a_migrated_group_moves_once(world: World) -> None:
    """Row 62: every row follows, and the message arrives at the new id."""
    await world.baseline()
    await world.say("/subscribe Idlib")
    new = ChatId("telegram", "-1001")
    world.chat.outcomes = [ChatMoved(new)]
    await world.poll("North Wire", SHELLS)
    await world.deliver()
    assert [chat for _, _, chat, *_ in world.chat.log] == [new]
    assert [s.query for s in await world.store.subscriptions(new)] == ["Idlib"]
    assert await world.store.subscriptions(HERE) == []
    await world.poll("Harbour Post", SHELLS_2)
    await world.deliver()
    assert len(world.sends()) == 1


async def test_a_lost_answer_costs_at_most_one_duplicate(world: World) -> None:
    """Row 46: the platform took it, the answer was lost, and the process died: once more, not twice."""
    await world.baseline()
    await world.say("/subscribe Idlib")
    await world.poll("North Wire", SHELLS)
    claims = await world.store.claim_deliveries(world.clock.now(), 60, 10)
    assert len(claims) == 1
    await world.chat.send(HERE, Message(()))  # sent, and the process is gone
    await world.restart()
    world.clock.advance(61)  # on PostgreSQL a dead process's claim ends with its lease
    await world.deliver()
    await world.restart()
    await world.deliver()
    assert len(world.sends()) == 2


async def test_an_adapter_that_raises_loses_nothing(world: World) -> None:
    """A bug in an adapter is a retry, and never stops the drain."""
    await world.baseline()
    await world.say("/subscribe Idlib")
    world.chat.outcomes = [None]  # type: ignore[list-item]
    real = world.chat.send

    async def broken(*_args: object, **_more: object) -> None:
        world.chat.send = real  # type: ignore[method-assign]
        raise RuntimeError("bug")

    world.chat.outcomes = []
    world.chat.send = broken  # type: ignore[method-assign,assignment]
    await world.poll("North Wire", SHELLS)
    await world.deliver()
    world.clock.advance(60)
    await world.deliver()
    assert world.sends() == [SHELLS.title]


async def test_two_feeds_at_once_ring_once(world: World) -> None:
    """The turnstile: two polls that finish together can't both find "no such story"."""
    await world.baseline()
    await world.say("/subscribe Idlib")
    now = world.clock.now()
    leased = {one.feed.name: one for one in await world.store.claim_feeds(now, 60, 10)}

    def take(outlet: str, new: ParsedEntry) -> Awaitable[int]:
        one = leased[outlet]
        return world.ingest(one, replace(one.state, last_parsed=now), ParsedFeed(outlet, (new,)))

    await asyncio.gather(take("North Wire", SHELLS), take("Harbour Post", SHELLS_2))
    await world.deliver()
    assert len(world.sends()) == 1


async def test_a_failed_commit_is_taken_again(world: World) -> None:
    """Disk full at the commit: nothing is remembered as seen, and the next poll brings it again."""
    await world.baseline()
    await world.say("/subscribe Idlib")
    real = world.store.commit

    async def full(_commit: object) -> None:
        from bot.errors import StoreFull

        raise StoreFull("no space left")

    world.store.commit = full  # type: ignore[method-assign,assignment]
    with pytest.raises(Exception, match="no space"):
        await world.poll("North Wire", SHELLS)
    world.store.commit = real  # type: ignore[method-assign]
    world.clock.advance(3600)
    await world.poll("North Wire", SHELLS)
    await world.deliver()
    assert world.sends() == [SHELLS.title]

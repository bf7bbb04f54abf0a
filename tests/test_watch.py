"""The silence watch over a real store: told once, then as it doubles, to whom it concerns, when it may."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, time, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bot.model import RetryLater
from bot.pace import LocalPace
from bot.watch import SilenceWatch
from tests.world import HERE, World, item

DAY = 86_400.0
#: ten events that have nothing in common but the place
NEWS = (
    ("Idlib harbourless, yet its fishmongers thrive", "Trucks bring sea bass overnight."),
    ("Olive harvest begins around Idlib", "Growers expect twice the oil of last autumn."),
    ("Surgeons reattach boy's hand", "The operation took eleven hours at an Idlib clinic."),
    ("Mosaic of the sixth century found", "Road workers near Idlib struck a Byzantine floor."),
    ("Idlib chess club wins regional title", "Its youngest player is nine."),
    ("Sandstorm grounds aircraft", "Visibility in Idlib fell below fifty metres on Tuesday."),
    ("Bakers strike over flour price", "Ovens stayed cold across Idlib this morning."),
    ("Idlib poet shortlisted for prize", "The jury praised her elegies."),
    ("Power line from the north restored", "Lights came back in Idlib after a fortnight."),
    ("Locusts seen east of Idlib", "Farmers lit fires to keep the swarm away."),
)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    world = await World(tmp_path).open()
    yield world
    await world.store.close()


def watch(world: World, away: tuple[datetime, datetime] | None = None) -> SilenceWatch:
    return SilenceWatch(
        store=world.store,
        messengers={"telegram": world.chat},
        pace=LocalPace(world.clock),
        clock=world.clock,
        away=away,
    )


async def rung(world: World) -> None:
    """`Idlib` rang every six hours, by turns from two outlets; `ferry` never."""
    await world.say("/subscribe Idlib, ferry")
    await world.baseline()
    for n, (title, summary) in enumerate(NEWS):
        world.clock.advance(6 * 3600)
        await world.poll(("North Wire", "Coast Radio")[n % 2], item(title, summary))
        await world.deliver()
    assert len(world.sends()) == len(NEWS)
    world.chat.log.clear()


async def fail(world: World, outlet: str) -> None:
    """The outlet's feed can't be read from now on."""
    for leased in await world.store.claim_feeds(world.clock.now() + timedelta(days=36_500), 60, 100):
        bad = leased.feed.name == outlet
        state = replace(leased.state, failures=3, error="certificate expired", failing_since=world.clock.now())
        await world.store.save_feed(state if bad else leased.state, leased.epoch)


async def test_a_keyword_that_goes_silent_is_told_with_its_sources(world: World) -> None:
    """How it used to ring, for how long it has not, and which sources fail; again only when that has doubled."""
    await rung(world)
    looking = watch(world)
    world.clock.advance(DAY)
    await fail(world, "Coast Radio")
    told = []
    for day in range(2, 20):
        world.clock.advance(DAY)
        await looking.tick()
        told += [(day, text) for *_, text in world.chat.log]
        world.chat.log.clear()
    assert [day for day, _ in told] == [3, 6, 12]
    assert told[0][1] == (
        "Idlib usually rings 4 times a day, and has been silent for 3 days. "
        "1 of the 2 sources that carried it fail: Coast Radio since Fri 00:00 (certificate expired)."
    )
    (button,) = [b for _, message in world.chat.shown.values() for row in message.buttons for b in row][-1:]
    assert button.label == "No such alarms for it"


async def test_a_restart_tells_nothing_twice(world: World) -> None:
    """That it was told is on disk."""
    await rung(world)
    world.clock.advance(3 * DAY)
    await watch(world).tick()
    await world.restart()
    await watch(world).tick()
    assert len(world.chat.log) == 1


async def test_it_waits_for_a_time_that_suits(world: World) -> None:
    """Not in quiet hours, not while paused, not while the platform says no: the next look tells it."""
    await rung(world)
    looking = watch(world)
    world.clock.advance(3 * DAY)
    chat = await world.store.chat(HERE)
    assert chat is not None
    local = world.clock.now().time()
    for setting in (
        replace(chat, quiet=(time(local.hour), time((local.hour + 2) % 24))),
        replace(chat, paused_until=world.clock.now() + timedelta(hours=1)),
        replace(chat, gone="blocked"),
    ):
        await world.store.put_chat(setting)
        await looking.tick()
        assert world.chat.log == []
    await world.store.put_chat(chat)
    world.chat.outcomes.append(RetryLater("busy", 1))
    await looking.tick()
    assert world.chat.log == []
    await looking.tick()
    assert len(world.chat.log) == 1


async def test_it_is_off_for_who_does_not_want_it(world: World) -> None:
    """By command for one, by the button, and back on."""
    await rung(world)
    looking = watch(world)
    reply = await world.say("/silence 1 off")
    assert reply.message.text == "Silence is no longer told for 1 subscription."
    assert "silence is not told" in (await world.say("/subscriptions")).message.text
    world.clock.advance(4 * DAY)
    await looking.tick()
    assert world.chat.log == []
    await world.say("/silence on")
    await looking.tick()
    (_, message) = [*world.chat.shown.values()][-1]
    pressed = await world.say("", action=message.buttons[0][0].action)
    assert "Idlib" in pressed.message.text
    assert [s.alarm for s in await world.store.subscriptions(HERE)] == [False, True]


async def test_time_away_is_no_silence(world: World) -> None:
    """After three days off the bot does not complain that it heard nothing."""
    await rung(world)
    began = world.clock.now()
    world.clock.advance(3 * DAY)
    await watch(world, (began, world.clock.now())).tick()
    assert world.chat.log == []


async def test_a_source_that_answers_with_nothing_new_is_told_in_the_log(world: World) -> None:
    """Polls go well, and yet a wire that brought an entry an hour brings none; one that fails is told elsewhere."""
    await world.baseline()
    for hour in range(10):
        world.clock.advance(3600)
        for outlet in ("North Wire", "Coast Radio", "Plain Facts"):
            await world.poll(outlet, item(f"{outlet} bulletin {hour}", link=f"https://n.example/{outlet}/{hour}"))
    await fail(world, "Coast Radio")
    looking = watch(world)
    with capture_logs() as logs:
        for _ in range(20):
            world.clock.advance(3600)
            await world.poll("Plain Facts", item(f"Bulletin {world.clock.now()}", link=str(world.clock.now())))
            await looking.tick()
    told = [(entry["source"], entry["days"]) for entry in logs if entry["event"] == "source silent"]
    assert told == [("North Wire", 0.4), ("North Wire", 0.8)]

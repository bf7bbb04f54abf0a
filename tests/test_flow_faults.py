"""What costs an alert or rings twice: waiting, changing one's mind, merging, and trouble between the steps of the flows."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.alerts.plan import OUTAGE
from bot.commands import Commands
from bot.model import ChatGone, ChatId, DeliveryState, Limits, RetryLater
from tests.fakes import FakeClock
from tests.test_flow import PRIZE, SHELLS, SHELLS_3
from tests.world import HERE, World, item

NIGHT = datetime(2026, 3, 2, 23, tzinfo=UTC)
CONVOY = item("Aid convoy turned back at a crossing", "Trucks with flour were stopped on the road.")


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

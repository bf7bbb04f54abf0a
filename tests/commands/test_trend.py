"""/trend: counts by day and outlet, in the chat's days; the picture, and the words for those who can't see it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.world import World, item


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    world = await World(tmp_path).open()
    await world.baseline()
    yield world
    await world.store.close()


async def test_a_chart_with_its_numbers(world: World) -> None:
    """Two outlets on three days: totals, the busiest day, who is which number; and what is not kept is said."""
    await world.poll("North Wire", item("Idlib market reopens"), item("Ferry late again"))
    world.clock.advance(86_400)
    await world.poll("North Wire", item("Poet from Idlib wins"), item("Idlib bakers strike over flour"))
    await world.poll("Harbour Post", item("Olive harvest starts in Idlib"))

    reply = await world.say("/trend Idlib 3d")
    text = reply.message.text
    assert text.startswith(
        "Idlib, 1 Mar – 3 Mar: 4 mentions in 4 stories; most on 3 Mar: 3.\n1 North Wire (3), 2 Harbour Post (1)"
    )
    assert text.endswith("\nNothing is kept from before 2 Mar.")
    picture = reply.message.attachment
    assert picture is not None
    assert (picture.kind, picture.content[:4]) == ("image/png", b"\x89PNG")
    assert picture.text == "Mentions a day: 1 Mar 0, 2 Mar 1, 3 Mar 3"


async def test_many_outlets_are_folded_into_others(world: World) -> None:
    """Five are named, the rest is one number."""
    for n in range(8):
        outlet = ("North Wire", "Harbour Post", "Levant Daily", "Coast Radio", "Plain Facts")[n % 5]
        await world.poll(outlet, item(f"Idlib {n}", link=f"https://n.example/{n}"))
    assert "others" not in (await world.say("/trend Idlib")).message.text


async def test_a_chart_of_fewer_days_than_asked_for_says_so(world: World) -> None:
    """Who asks for 400 days and gets 90 is told; who gets all of them is not."""
    await world.poll("North Wire", item("Idlib"))
    assert "\nA chart has 90 days at most." in (await world.say("/trend Idlib 400d")).message.text
    assert "at most" not in (await world.say("/trend Idlib 90d")).message.text


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("/trend", "/trend Idlib 30d"),
        ("/trend 30d", "Nothing in the last 14 days for 30d"),
        ("/trend whale 2d", "Nothing in the last 2 days for whale"),
        ("/trend whale 900d", "Nothing in the last 90 days for whale.\nA chart has 90 days at most."),
        ('/trend "air', "I can't read this query"),
    ],
)
async def test_what_can_not_be_drawn(world: World, typed: str, says: str) -> None:
    """Words instead of an empty picture."""
    reply = await world.say(typed)
    assert says in reply.message.text
    assert reply.message.attachment is None


async def test_days_are_the_chats_own(world: World) -> None:
    """At 23:00 UTC it is tomorrow in Istanbul."""
    await world.say("/timezone Europe/Istanbul")
    world.clock.advance(11 * 3600)
    await world.poll("North Wire", item("Idlib at night"))
    assert "most on 3 Mar: 1" in (await world.say("/trend Idlib 2d")).message.text

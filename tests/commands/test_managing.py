"""A channel managed from the private chat with its admin."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.model import Chat, ChatId, Incoming, Reply
from tests.world import HERE, World

WIRE = Chat(ChatId("telegram", "-1007"), title="The Wire")


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    world = await World(tmp_path).open()
    world.chat.rooms = {("u1", "@thewire"): WIRE, ("u1", "-1007"): WIRE}
    yield world
    await world.store.close()


async def queries(world: World, chat: ChatId) -> list[str]:
    return [s.query for s in await world.store.subscriptions(chat)]


def button(reply: Reply, label: str) -> str:
    rows = reply.message.buttons
    return next(b.action for row in rows for b in row if label in b.label)


@pytest.mark.parametrize("name", ["@thewire", "https://t.me/thewire", "t.me/thewire", "-1007"])
async def test_commands_are_about_the_channel_until_it_ends(world: World, name: str) -> None:
    """Subscribing, listing, pressing and stopping: all for the channel, and afterwards for the person again."""
    assert "The Wire" in (await world.say(f"/manage {name}")).message.text
    added = await world.say("/subscribe Idlib")
    assert added.message.text.startswith("The Wire\n")
    await world.say("/subscribe")
    assert "added" in (await world.say("S-300")).message.text
    assert await queries(world, WIRE.id) == ["Idlib", "S-300"]
    assert await queries(world, HERE) == []
    await world.say("", action=button(added, "Undo"))
    assert await queries(world, WIRE.id) == ["S-300"]
    await world.say("/timezone Istanbul")
    await world.say("/manage off")
    await world.say("/subscribe ferry")
    assert await queries(world, HERE) == ["ferry"]
    wire = await world.store.chat(WIRE.id)
    assert wire is not None
    assert (wire.title, wire.timezone) == ("The Wire", "Europe/Istanbul")


async def test_who_manages_is_remembered_over_a_restart(world: World) -> None:
    """The room is in the store, not in memory; /manage offers what the person managed before."""
    await world.say("/manage @thewire")
    await world.restart()
    await world.say("/subscribe Idlib")
    assert await queries(world, WIRE.id) == ["Idlib"]
    await world.say("/manage off")
    offered = await world.say("/manage")
    await world.say("", action=button(offered, "The Wire"))
    await world.say("/subscribe S-300")
    assert await queries(world, WIRE.id) == ["Idlib", "S-300"]


async def test_who_is_no_admin_any_more_reads_and_changes_nothing(world: World) -> None:
    """The right is asked for each time; when it is gone, the chat is the person's own again."""
    await world.say("/manage @thewire")
    added = await world.say("/subscribe Idlib")
    world.chat.rooms.clear()
    for attempt in ({"text": "/subscriptions"}, {"text": "", "action": button(added, "Undo")}):
        reply = await world.say(**attempt)  # type: ignore[arg-type]
        assert "Idlib" not in reply.message.text
    assert await queries(world, WIRE.id) == ["Idlib"]
    await world.say("/subscribe ferry")
    assert await queries(world, HERE) == ["ferry"]


@pytest.mark.parametrize("name", ["@other", "-1", "nonsense of words", "https://evil.example/x", "-" + "9" * 40])
async def test_only_what_the_person_administers_can_be_managed(world: World, name: str) -> None:
    """Nothing of another's channel is shown, and what is typed next is about the own chat."""
    assert "admin" in (await world.say(f"/manage {name}")).message.text
    await world.say("/subscribe Idlib")
    assert await queries(world, HERE) == ["Idlib"]


async def test_another_person_is_not_offered_the_channel(world: World) -> None:
    """What one admin manages is nobody else's business."""
    await world.say("/manage @thewire")
    reply = await world.commands.answer(Incoming(ChatId("telegram", "9"), "u9", "/manage"))
    assert reply is not None
    assert "The Wire" not in reply.message.text
    assert reply.message.buttons == ()


async def test_groups_are_told_to_use_the_private_chat(world: World) -> None:
    """Managing from a group would mix two rooms."""
    assert "private" in (await world.say("/manage @thewire", private=False)).message.text


async def test_who_makes_the_bot_an_admin_is_asked_what_to_tell(world: World) -> None:
    """One press from being made an admin of a channel to its first subscription."""
    reply = await world.commands.added(Incoming(HERE, "u1"), WIRE)
    assert reply is not None
    assert "The Wire" in reply.message.text
    await world.say("", action=button(reply, "Choose"))
    await world.say("/subscribe Idlib")
    assert await queries(world, WIRE.id) == ["Idlib"]


async def test_a_name_that_is_known_is_kept(world: World) -> None:
    """A server that does not describe the room must not turn its name into a number."""
    await world.say("/manage @thewire")
    world.chat.rooms["u1", "-1007"] = Chat(WIRE.id)
    assert (await world.say("/subscribe Idlib")).message.text.startswith("The Wire\n")
    assert "The Wire" in (await world.say("/manage -1007")).message.text
    wire = await world.store.chat(WIRE.id)
    assert wire is not None
    assert wire.title == "The Wire"

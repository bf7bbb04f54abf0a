"""A list of feeds (OPML) sent as a file."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.commands import Commands
from bot.model import File, Reply
from tests.world import World

LIST = """<?xml version="1.0"?><opml version="2.0"><body>
<outline text="Coast"><outline text="Coast Radio News" xmlUrl="https://coastradio.example/feed"/></outline>
<outline text="Hill" xmlUrl="https://user:hunter2@hill.example/feed?token=hunter3"/>
<outline text="North Wire" xmlUrl="https://north.example/rss"/></body></opml>"""


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    world = await World(tmp_path).open()
    yield world
    await world.store.close()


def file(text: str | None, name: str = "feeds.opml") -> File:
    async def read() -> bytes | None:
        return None if text is None else text.encode()

    return File(name, read)


async def listed(world: World) -> set[str]:
    return {feed.id for feed, _state in await world.store.feeds()}


def button(reply: Reply) -> str:
    return reply.message.buttons[0][0].action


async def test_what_is_new_is_offered_and_added_at_a_press(world: World) -> None:
    """Nothing is read before somebody says so; what is read already is counted; row 15: no secret is shown."""
    before = await listed(world)
    reply = await world.say("", file=file(LIST))
    assert "3 feeds" in reply.message.text
    assert "I read 1 already" in reply.message.text
    assert "Coast Radio News" in reply.message.text
    assert "hunter" not in reply.message.text
    assert await listed(world) == before
    pressed = await world.say("", action=button(reply))
    assert "2 sources added" in pressed.message.text
    assert await listed(world) - before == {
        "https://coastradio.example/feed",
        "https://user:hunter2@hill.example/feed?token=hunter3",
    }
    feed = next(feed for feed, _ in await world.store.feeds() if "coastradio" in feed.id)
    assert (feed.name, feed.tags, feed.origin) == ("Coast Radio News", ("Coast",), "added")
    assert "0 sources added" in (await world.say("", action=button(reply))).message.text
    assert "I read all of them already" in (await world.say("", file=file(LIST))).message.text


async def test_row_35_only_admins_are_offered_it(world: World) -> None:
    """A member of a group neither gets the offer nor may press another's."""
    refused = await world.say("", file=file(LIST), admin=False, private=False)
    assert "Only admins" in refused.message.text
    offered = await world.say("", file=file(LIST))
    before = await listed(world)
    assert "Only admins" in (await world.say("", action=button(offered), admin=False)).message.text
    assert await listed(world) == before


@pytest.mark.parametrize(
    "text",
    [
        None, "", "<rss/>", "not a list at all \x00", '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><opml>&e;</opml>',
        "<opml><body/></opml>", "<opml>" + "<outline text='a'>" * 100,
    ],
)  # fmt: skip
async def test_row_70_what_is_no_list_is_explained(world: World, text: str | None) -> None:
    """Too large, entities, another format: one sentence, no button, nothing read from anywhere."""
    reply = await world.say("", file=file(text))
    assert reply.message.text
    assert reply.message.buttons == ()
    assert "passwd" not in reply.message.text


async def test_a_long_list_is_taken_in_part_and_says_so(world: World) -> None:
    """The first 500; what chats may add in all has an end too."""
    text = "".join(f'<outline text="F{n}" xmlUrl="https://h{n}.example/f"/>' for n in range(600))
    reply = await world.say("", file=file(f"<opml><body>{text}</body></opml>"))
    assert "600 feeds" in reply.message.text
    assert "first 500" in reply.message.text
    assert "500 sources added" in (await world.say("", action=button(reply))).message.text


async def test_the_operator_can_keep_sources_to_themselves(world: World) -> None:
    """[sources] from_chats = false."""
    closed = Commands(store=world.store, clock=world.clock, feeds_from_chats=False)
    offered = await world.say("", file=file(LIST))
    world.commands = closed
    assert "operator" in (await world.say("", file=file(LIST))).message.text
    before = await listed(world)
    await world.say("", action=button(offered))
    assert await listed(world) == before

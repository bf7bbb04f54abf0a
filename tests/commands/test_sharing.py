"""Shared links: what they carry, whom they subscribe, and that nothing else can be smuggled through them."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.model import ChatId
from tests.world import HERE, World

LINK = "https://t.me/tocsin_test_bot"
THERE = ChatId("telegram", "2")
LONG = '"air defence" -exercise (Idlib OR Aleppo OR Hama) lang:en source:north.example'


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    world = await World(tmp_path).open()
    yield world
    await world.store.close()


async def queries(world: World, chat: ChatId) -> list[str]:
    return [s.query for s in await world.store.subscriptions(chat)]


@pytest.mark.parametrize("query", ["Idlib", "С-300", '"air defence" -exercise', LONG, "دمشق", "min:2 Idlib"])
async def test_a_link_subscribes_whoever_opens_it(world: World, query: str) -> None:
    """The payload keeps to 64 of [A-Za-z0-9_-], for any query; a person and a group get the same subscription."""
    await world.say(f"/subscribe {query}")
    reply = await world.say("/share", bot_link=LINK)
    links = [span.link for span in reply.message.spans if span.link]
    payloads = {re.fullmatch(rf"{LINK}\?start(?:group)?=([A-Za-z0-9_-]{{1,64}})", link)[1] for link in links}  # type: ignore[index]
    assert len(links) == 2
    assert len(payloads) == 1
    answer = await world.say(f"/start {payloads.pop()}", chat=THERE)
    assert "One subscription added" in answer.message.text
    assert await queries(world, THERE) == await queries(world, HERE)


async def test_a_link_changes_nothing_in_a_group_for_others(world: World) -> None:
    """`?startgroup=` is a changing command like any other: admins only."""
    await world.say("/subscribe Idlib")
    text = (await world.say("/share 1", bot_link=LINK)).message.text
    payload = text.rpartition("=")[2]
    assert world.commands.changes(_incoming(f"/start {payload}"))
    reply = await world.say(f"/start {payload}", chat=THERE, admin=False, private=False)
    assert "Only admins" in reply.message.text
    assert await queries(world, THERE) == []


@pytest.mark.parametrize(
    "payload",
    ["share_12", "x", "q", "q====", "q_w", "qAAAA", "s" + "0" * 24, "q" + "A" * 63, "../..", "{0}", "ref-abc"],
)
async def test_words_that_are_no_link_of_ours_only_greet(world: World, payload: str) -> None:
    """Anything may stand behind ?start=; nothing is subscribed, nothing breaks."""
    reply = await world.say(f"/start {payload}", chat=THERE)
    assert "/subscribe" in reply.message.text
    assert await queries(world, THERE) == []


async def test_without_a_link_others_are_told_what_to_send(world: World) -> None:
    """Slack and the console have no such links."""
    assert "nothing to share" in (await world.say("/share")).message.text
    await world.say("/subscribe Idlib")
    assert "/subscribe Idlib" in (await world.say("/share")).message.text
    assert "no subscription" in (await world.say("/share 7")).message.text


async def test_the_button_under_a_fresh_subscription_shares_it(world: World) -> None:
    """One press from subscribing to passing it on."""
    reply = await world.say("/subscribe Idlib")
    share = next(b.action for row in reply.message.buttons for b in row if b.label == "Share")
    assert LINK in (await world.say("", action=share, bot_link=LINK)).message.text


def _incoming(text: str):  # type: ignore[no-untyped-def]
    from bot.model import Incoming

    return Incoming(THERE, "u2", text, admin=False, private=False)

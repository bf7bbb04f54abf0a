"""Every chat command over the real store: what people type, what they read, who may, and what stays unchanged."""

import json
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import time
from pathlib import Path

import pytest

from bot.commands import _ELSEWHERE, COMMANDS
from bot.commands.helping import _TOPICS
from bot.model import ChatId, Incoming
from tests.test_flow import PRIZE, SHELLS, SHELLS_2, SHELLS_3
from tests.world import HERE, World


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    world = await World(tmp_path).open()
    yield world
    await world.store.close()


async def queries(world: World, chat: ChatId = HERE) -> list[str]:
    return [s.query for s in await world.store.subscriptions(chat)]


async def test_subscribe_answers_with_the_last_seven_days(world: World) -> None:
    """A person sees at once whether the query means what they meant."""
    await world.poll("North Wire", SHELLS, PRIZE)
    await world.poll("Harbour Post", SHELLS_2)
    reply = (await world.say('/subscribe Idlib, "air defence" -exercise')).message
    assert reply.text.startswith("Two subscriptions added.")
    assert "would have rung once in the last 7 days (2 entries in 1 story)" in reply.text
    assert SHELLS_2.title in reply.text or SHELLS.title in reply.text
    assert "nothing in the last 7 days" in reply.text
    assert await queries(world) == ["Idlib", '"air defence" -exercise'] or len(await queries(world)) == 2
    undo = next(b.action for row in reply.buttons for b in row if b.label == "Undo")
    await world.say("", action=undo)
    assert await queries(world) == []


async def test_subscribing_twice_keeps_one(world: World) -> None:
    """The same query in other words is the same subscription."""
    await world.say("/subscribe Idlib")
    assert "already" in (await world.say("/subscribe  Idlib ")).message.text
    assert await queries(world) == ["Idlib"]


async def test_a_mistake_shows_the_place(world: World) -> None:
    """One bad query adds nothing, says where it goes wrong, and offers what was meant."""
    reply = (await world.say("/subscribe S-300, (Idlib OR Aleppo -football")).message
    lines = reply.text.split("\n")
    assert lines[0].startswith("I can't read this query")
    assert lines[2].strip() == "^"
    assert await queries(world) == []


async def test_bare_subscribe_asks_and_takes_the_next_line(world: World) -> None:
    """On a phone people send the command first and the word afterwards."""
    assert "What should I listen for?" in (await world.say("/subscribe")).message.text
    await world.say("Idlib")
    assert await queries(world) == ["Idlib"]


async def test_plain_words_are_answered_with_an_offer(world: World) -> None:
    """Plain text changes nothing by itself."""
    assert "/subscribe Idlib" in (await world.say("Idlib")).message.text
    assert await queries(world) == []


async def test_unsubscribe_by_number_query_and_button(world: World) -> None:
    """All the ways people try."""
    await world.say("/subscribe Idlib, S-300, ferry")
    await world.say("/unsubscribe 2")
    await world.say("/unsubscribe idlib")
    buttons = (await world.say("/unsubscribe")).message.buttons
    await world.say("", action=buttons[0][0].action)
    assert await queries(world) == []
    assert "nothing to stop" in (await world.say("/unsubscribe 1")).message.text


async def test_wrong_numbers_and_names_are_explained(world: World) -> None:
    """Nothing is removed by guessing."""
    await world.say("/subscribe Idlib")
    for text in (
        "/unsubscribe 2",
        "/unsubscribe 0",
        "/unsubscribe Aleppo",
        "/pause 7",
        "/resume nothing",
        "/digest 9 hourly",
    ):
        assert "/subscriptions" in (await world.say(text)).message.text, text
    assert await queries(world) == ["Idlib"]
    assert "Did you mean /unsubscribe Idlib" in (await world.say("/unsubscribe Idlb")).message.text


async def test_unknown_command_is_guessed(world: World) -> None:
    """A typo gets the right name, not silence."""
    assert "/subscribe" in (await world.say("/subscibe Idlib")).message.text
    assert "/help" in (await world.say("/xyzzy")).message.text


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("/list", "/subscriptions"), ("/mute", "/pause"), ("/settings", "/help chat"), ("/stop", "/pause")],
)
async def test_words_of_other_bots_lead_here(world: World, typed: str, meant: str) -> None:
    """Who brings habits along is told the name here, and not the one that is spelt alike."""
    assert f"Did you mean {meant}?" in (await world.say(typed)).message.text


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("hi", "Tell me what to listen for"),
        ("Привет!", "Tell me what to listen for"),
        ("List", "Did you mean /subscriptions?"),
        ("list of ships", "To be told about this, send /subscribe list of ships"),
    ],
)
async def test_a_greeting_is_no_keyword(world: World, typed: str, says: str) -> None:
    """Who says hello in a private chat is greeted, and who says a command's word without a slash is led to it."""
    assert says in (await world.say(typed, private=True)).message.text


async def test_what_others_are_called_here_is_there(world: World) -> None:
    """What is suggested works."""
    for meant in _ELSEWHERE.values():
        assert "I don't know" not in (await world.say(f"/{meant}")).message.text


async def test_help_has_every_command_under_a_topic(world: World) -> None:
    """A command is looked for under its heading, not behind the last one."""
    assert {name for _heading, names in _TOPICS.values() for name in names} == COMMANDS.keys() - {"start"}


async def test_the_quota_is_named(world: World) -> None:
    """Row 33: ten thousand subscriptions by one chat are refused, and nothing of the line is added."""
    await world.say("/subscribe " + ", ".join(f"word{n}" for n in range(200)))
    reply = await world.say("/subscribe onemore")
    assert "200 of at most 200" in reply.message.text
    assert len(await queries(world)) == 200


async def test_only_admins_change(world: World) -> None:
    """Row 35: everyone reads, admins change; presses too."""
    await world.say("/subscribe Idlib")
    for name, (_, changes, _, _) in COMMANDS.items():
        reply = await world.say(f"/{name} 1", admin=False)
        assert ("Only admins" in reply.message.text) is changes, name
    assert await queries(world) == ["Idlib"]


async def test_pause_and_resume(world: World) -> None:
    """Paused is silent, recorded as such, and ends by itself or by /resume."""
    await world.baseline()
    await world.say("/subscribe Idlib, lighthouse")
    await world.say("/pause 1 2h")
    await world.poll("North Wire", SHELLS, PRIZE)
    await world.deliver()
    assert world.sends() == [PRIZE.title]
    assert "paused" in (await world.say(f"/why {SHELLS.link}")).message.text
    await world.say("/pause")
    assert "Everything rings again" in (await world.say("/resume")).message.text
    chat = await world.store.chat(HERE)
    assert chat is not None
    assert chat.paused_until is None
    world.clock.advance(60)
    await world.poll("Levant Daily", SHELLS_3)
    await world.deliver()
    assert len(world.sends()) == 2


async def test_settings_are_kept_and_read_back(world: World) -> None:
    """What is set is what is stored, also after a restart."""
    await world.say("/subscribe Idlib")
    await world.say("/quiet 22:00–07:00")
    await world.say("/timezone istanbul")
    await world.say("/digest weekly mon 8:05")
    await world.say("/digest 1 hourly")
    await world.say("/updates 1 off")
    await world.restart()
    chat = await world.store.chat(HERE)
    assert chat is not None
    assert (chat.quiet, chat.timezone, chat.digest) == ((time(22), time(7)), "Europe/Istanbul", "weekly mon 08:05")
    subscription = (await world.store.subscriptions(HERE))[0]
    assert (subscription.digest, subscription.updates) == ("hourly", False)


async def test_updates_says_how_it_is_set(world: World) -> None:
    """Alone it shows the present setting, as the other settings do."""
    assert (await world.say("/updates")).message.text.startswith("Say /updates off or /updates on")
    await world.say("/subscribe Idlib, S-300, flood")
    assert (await world.say("/updates")).message.text.startswith("Updates on for 3 subscriptions. Say /updates off")
    await world.say("/updates 2 off")
    assert (
        "Updates on for 2 subscriptions. Updates off for 1 subscription. Say"
        in (await world.say("/updates")).message.text
    )
    await world.say("/updates off")
    assert (await world.say("/updates")).message.text.startswith("Updates off for 3 subscriptions. Say")


async def test_full_hours_need_no_minutes(world: World) -> None:
    """People write "22-7" and "daily 8"."""
    await world.say("/quiet 22-7:30")
    await world.say("/digest daily 8")
    chat = await world.store.chat(HERE)
    assert chat is not None
    assert (chat.quiet, chat.digest) == ((time(22), time(7, 30)), "daily 08:00")


@pytest.mark.parametrize(
    "text",
    [
        "/quiet 25-7",
        "/digest daily 25",
        "/quiet 25:00-07:00",
        "/quiet 7",
        "/quiet",
        "/timezone Mars/Base",
        "/digest sometimes",
        "/digest daily 25:00",
        "/updates maybe",
        "/pause soon",
    ],
)
async def test_wrong_settings_change_nothing(world: World, text: str) -> None:
    """Bad input gets an example, not a half-made setting."""
    await world.say("/subscribe Idlib")
    before = await world.store.chat(HERE)
    reply = await world.say(text)
    assert "/" in reply.message.text or "can be" in reply.message.text
    assert await world.store.chat(HERE) == before


async def test_why_both_ways(world: World) -> None:
    """Why it rang, why that one did not, and what was never seen."""
    await world.poll("Coast Radio", replace(PRIZE, link="https://c.example/old"))
    await world.baseline()
    await world.say("/subscribe Idlib")
    await world.poll("North Wire", SHELLS, PRIZE)
    await world.deliver()
    await world.poll("Harbour Post", SHELLS_2)
    await world.deliver()
    rang = (await world.say("/why", message="1")).message.text
    assert "Rang for Idlib" in rang
    assert '"Idlib" in the summary, character' in rang
    assert "1 entry since" in rang
    assert (await world.say("/why")).message.text == rang
    assert "repeat of" in (await world.say(f"/why {SHELLS_2.link}")).message.text
    assert "rang at" in (await world.say(f"/why {SHELLS.link}")).message.text
    assert "No subscription here matches" in (await world.say(f"/why {PRIZE.link}")).message.text
    assert "Not fetched" in (await world.say("/why https://nowhere.example/x")).message.text


async def test_why_for_what_was_there_before(world: World) -> None:
    """A backlog entry matches but did not ring; the person is told the reason."""
    await world.poll("North Wire", SHELLS)
    await world.say("/subscribe Idlib")
    assert "when I first read this source" in (await world.say(f"/why {SHELLS.link}")).message.text


async def test_latest_lists_stories_not_entries(world: World) -> None:
    """Two outlets on one event are one line."""
    await world.poll("North Wire", SHELLS, PRIZE)
    await world.poll("Harbour Post", SHELLS_2)
    text = (await world.say("/latest Idlib")).message.text
    assert text.count("•") == 1
    assert "1 other" in text
    assert (await world.say("/latest")).message.text.count("•") == 2
    assert "Nothing in the last 7 days" in (await world.say("/latest whale")).message.text


async def test_sources_and_status_tell_the_truth(world: World) -> None:
    """The account adds up, and a failing source is named with its age."""
    await world.baseline()
    await world.say("/subscribe Idlib")
    await world.poll("North Wire", SHELLS)
    await world.deliver()
    await world.poll("Harbour Post", SHELLS_2)
    await world.deliver()
    leased = (await world.store.claim_feeds(world.clock.now(), 60, 1))[0]
    await world.store.save_feed(
        replace(leased.state, failures=3, error="certificate expired", failing_since=world.clock.now()), leased.epoch
    )
    text = (await world.say("/status")).message.text
    assert "2 entries for your keywords → 1 rang, 1 made an alert grow, 0 folded, 0 held, 0 failed" in text
    assert "certificate expired" in text
    assert "4 of 5 sources" in text
    assert "certificate expired" in (await world.say("/sources")).message.text


async def test_mydata_and_forget(world: World) -> None:
    """A chat can see all that is kept about it, and have it deleted after one confirmation."""
    await world.say("/subscribe Idlib")
    reply = await world.say("/mydata")
    assert reply.private
    assert reply.message.attachment is not None
    mine = json.loads(reply.message.attachment.content)
    assert mine["subscriptions"][0]["query"] == "Idlib"
    assert mine["chat"]["id"] == {"platform": "telegram", "address": "1", "thread": ""}
    reply = await world.say("/forget")
    assert await queries(world) == ["Idlib"]
    await world.say("", action=reply.message.buttons[0][0].action)
    assert await queries(world) == []
    assert await world.store.chat(HERE) is None


async def test_chats_do_not_see_each_other(world: World) -> None:
    """Nothing leaks between chats."""
    other = ChatId("telegram", "2")
    await world.say("/subscribe Idlib")
    await world.say("/subscribe ferry", chat=other)
    assert await queries(world, other) == ["ferry"]
    assert "Idlib" not in (await world.say("/subscriptions", chat=other)).message.text
    await world.say("/forget yes", chat=other)
    assert await queries(world) == ["Idlib"]


async def test_a_flood_of_commands_is_answered_once(world: World) -> None:
    """Row 34: one "slow down", then silence; others are answered all the while."""
    answers = [await world.commands.answer(Incoming(HERE, "flooder", "/help")) for _ in range(1000)]
    told = [a for a in answers if a is not None and "Slow down" in a.message.text]
    assert len(told) == 1
    assert sum(a is not None for a in answers) <= 35
    assert await world.commands.answer(Incoming(HERE, "other", "/help")) is not None
    world.clock.advance(20)
    assert await world.commands.answer(Incoming(HERE, "flooder", "/help")) is not None


async def test_groups_hear_only_commands(world: World) -> None:
    """Plain talk in a group is not for the bot."""
    assert await world.commands.answer(Incoming(HERE, "u", "hello all", private=False)) is None


@pytest.mark.parametrize(
    "text",
    [
        "/subscribe {0.__class__}",
        "/subscribe {{7*7}}",
        "/why https://x.example/{0}",
        "/help " + "x" * 5000,
        "/subscribe " + "(" * 100_000,
        "/",
        "/@",
        "/subscribe \x00\u202e",
    ],
)
async def test_hostile_input_gets_a_calm_answer(world: World, text: str) -> None:
    """Rows 31 and 32: no template is ever filled from a person's text, and nothing crashes."""
    reply = await world.commands.answer(Incoming(HERE, "u", text))
    assert reply is None or "Something went wrong" not in reply.message.text


async def test_long_lists_page(world: World) -> None:
    """Two hundred subscriptions are read a page at a time, in place."""
    await world.say("/subscribe " + ", ".join(f"word{n}" for n in range(60)))
    first = await world.say("/subscriptions")
    assert "1–25 of 60" in first.message.text
    second = await world.say("", action=first.message.buttons[0][0].action)
    assert second.replace
    assert "26–50 of 60" in second.message.text


def test_every_command_is_documented() -> None:
    """docs/commands.md and the command table name the same commands."""
    page = (Path(__file__).parents[2] / "docs" / "commands.md").read_text()
    documented = set(re.findall(r"^\| `/(\w+)", page, re.MULTILINE))
    assert documented == COMMANDS.keys()
    assert all(what for _, _, _, what in COMMANDS.values())

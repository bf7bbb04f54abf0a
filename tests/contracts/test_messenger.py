"""The contract of bot.ports.Messenger, held by every chat adapter with its real SDK over real sockets."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from bot.chats.plain import clean
from bot.model import Button, ChatGone, Incoming, Message, Refused, Reply, RetryLater, Sent, Span
from tests.chats.rig import Desk, eventually, hearing, text
from tests.contracts.messengers import RIGS, Rig

ALERT = Message(
    (
        Span("Monitors enter Idlib", bold=True, link="https://north.example/1?a=1&b=2"),
        Span("\nObservers crossed into "),
        Span("Idlib", bold=True),
        Span(" on Tuesday.\nNorth Wire · 14:02 · for "),
        Span("Idlib", code=True),
    ),
    ((Button("Why", "w1"), Button("Mute", "m1")),),
)


@pytest.fixture(params=sorted(RIGS))
async def rig(request: pytest.FixtureRequest) -> AsyncIterator[Rig]:
    async with RIGS[request.param]() as found:
        yield found


async def sent(rig: Rig, message: Message, reply_to: str = "") -> str:
    outcome = await rig.messenger.send(rig.chat, message, reply_to)
    assert isinstance(outcome, Sent), outcome
    return outcome.message


def bare(words: str) -> str:
    """Without the marks that a platform may put around looks."""
    return words.replace("*", "").replace("`", "").replace("\u2068", "").replace("\u2069", "")


async def test_a_message_arrives_with_its_words_and_links(rig: Rig) -> None:
    """What a person reads is the text of the message; a linked headline leads to its story."""
    assert await sent(rig, ALERT)
    shown = bare(rig.reads()[0])
    for line in bare(ALERT.text).split("\n"):
        assert line in shown
    assert any("https://north.example/1?a=1" in link for link in rig.links())


async def test_ids_tell_messages_apart_in_order(rig: Rig) -> None:
    """Every message has an id of its own, and they stand in the order sent."""
    ids = [await sent(rig, text(f"number {n}")) for n in range(3)]
    assert len(set(ids)) == 3
    shown = "\n".join(rig.reads())
    assert shown.index("number 0") < shown.index("number 1") < shown.index("number 2")


async def test_an_edit_shows_the_new_text_under_the_same_id(rig: Rig) -> None:
    """Editing answers Sent with the id it was given, also when nothing changes."""
    message = await sent(rig, text("one outlet"))
    changed = text("one outlet, also a second")
    assert await rig.messenger.edit(rig.chat, message, changed) == Sent(message)
    assert await rig.messenger.edit(rig.chat, message, changed) == Sent(message)
    assert "also a second" in rig.reads()[-1]
    if not rig.append_only:
        assert len(rig.reads()) == 1


@pytest.mark.parametrize("message", ["999999", "1700000000.000001", "no id at all", ""])
async def test_an_edit_of_what_is_not_there_is_refused(rig: Rig, message: str) -> None:
    """The outbox then knows that it must not wait for this message."""
    if rig.append_only:
        pytest.skip("what is printed can't be gone")
    assert isinstance(await rig.messenger.edit(rig.chat, message, text("x")), Refused)


async def test_replies_survive_the_loss_of_their_target(rig: Rig) -> None:
    """An alert is never lost because the message it answers is gone, or its id is of another time."""
    first = await sent(rig, text("first"))
    for target in (first, "999999", "no id at all"):
        await sent(rig, text(f"under {target}"), target)
    shown = "\n".join(rig.reads())
    assert all(f"under {target}" in shown for target in (first, "999999", "no id at all"))


@pytest.mark.parametrize(
    "nasty",
    [
        "<b>bold</b> &amp; <a href='tg://user?id=1'>x</a>",
        "<!channel> <@U1> <http://evil.example|bank>",
        "{0.__class__} {{7*7}} %s \\n",
        "a\u202eb\u200bc\x1b[31md\x00e",
    ],
    ids=["html", "slack", "templates", "hidden"],
)
async def test_rows_24_26_29_32_hostile_text_is_only_text(rig: Rig, nasty: str) -> None:
    """The characters of a feed are shown as they are, those that steer are gone, and nothing becomes a link."""
    await sent(rig, text(f"start {nasty} end"))
    shown = rig.reads()[0]
    wanted = clean(nasty) if "\x1b" not in nasty else "d"
    assert wanted in shown
    assert not any(steering in shown for steering in "\u202e\x1b\x00")
    assert rig.links() == []


@pytest.mark.parametrize(
    "link", ["javascript:alert(1)", "tg://user?id=1", "data:text/html,x", "file:///etc/passwd", "https://"]
)
async def test_row_27_only_web_links_can_be_touched(rig: Rig, link: str) -> None:
    """Any other scheme leaves the words and no link."""
    await sent(rig, Message((Span("story", link=link),)))
    assert "story" in rig.reads()[0]
    assert rig.links() == []


async def test_row_28_a_text_of_any_length_is_sent(rig: Rig) -> None:
    """200 KB with markup in every character: cut to the platform's measure, never refused."""
    await sent(rig, Message((Span("begin "), Span("<&>👨\u200d👩\u200d👧e\u0301" * 20_000, bold=True))))
    assert bare(rig.reads()[0]).startswith("begin <&>")


async def test_what_people_do_is_heard_and_answered(rig: Rig) -> None:
    """Lines and presses come with chat, person and message; answers stand where they were asked for."""
    desk = Desk(lambda incoming: Reply(text(f"answer to {incoming.text or incoming.action}")))
    async with hearing(rig.messenger, desk):
        message = await sent(rig, ALERT)
        rig.says("/latest Idlib")
        await eventually(lambda: any("answer to /latest Idlib" in words for words in rig.reads()))
        rig.presses(message, "Mute")
        await eventually(lambda: any("answer to m1" in words for words in rig.reads()))
    line, press = desk.heard
    assert (line.chat, line.text, line.action, line.private) == (rig.chat, "/latest Idlib", "", True)
    assert (press.chat, press.text, press.action, press.message) == (rig.chat, "", "m1", message)
    assert line.user == press.user != ""


async def test_a_bug_in_a_command_does_not_deafen(rig: Rig) -> None:
    """An exception of the handler is one lost answer."""
    if rig.append_only:
        pytest.skip("the console has one line of work, and the flows never raise")

    def reply(incoming: Incoming) -> Reply:
        if incoming.text == "/status":
            raise RuntimeError("bug")
        return Reply(text("still here"))

    async with hearing(rig.messenger, Desk(reply)):
        rig.says("/status")
        rig.says("/help")
        await eventually(lambda: any("still here" in words for words in rig.reads()))


async def test_listening_ends_at_once(rig: Rig) -> None:
    """Cancelled while nobody speaks: SIGTERM must not wait for a long poll."""
    desk = Desk()
    async with hearing(rig.messenger, desk) as task:
        rig.says("/help")
        await eventually(lambda: desk.heard and any("heard /help" in words for words in rig.reads()))
        started = time.monotonic()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert time.monotonic() - started < 2.0


async def test_row_61_a_chat_that_cannot_be_written_to_is_gone(rig: Rig) -> None:
    """One try, and only this chat."""
    if not rig.breaks("gone"):
        pytest.skip("this platform has no such answer")
    assert isinstance(await rig.messenger.send(rig.chat, text("x")), ChatGone)
    assert isinstance(await rig.messenger.send(rig.other, text("x")), Sent)


async def test_row_58_a_limit_is_passed_on_exactly(rig: Rig) -> None:
    """The seconds the platform asked for, for the chat it asked about."""
    if not rig.breaks("limited"):
        pytest.skip("this platform has no limits")
    outcome = await rig.messenger.send(rig.chat, text("x"))
    assert isinstance(outcome, RetryLater)
    assert (outcome.after, outcome.platform_wide) == (7.0, False)
    assert isinstance(await rig.messenger.send(rig.other, text("x")), Sent)


async def test_row_60_an_odd_answer_is_no_verdict(rig: Rig) -> None:
    """HTML where JSON should be: later, and no exception."""
    if not rig.breaks("odd"):
        pytest.skip("this platform gives no answers")
    assert isinstance(await rig.messenger.send(rig.chat, text("x")), RetryLater)
    await sent(rig, text("now"))


async def test_nobody_there_is_later(rig: Rig) -> None:
    """A platform that can't be reached never costs a message, and never raises."""
    assert rig.breaks("down")
    for _ in range(2):
        assert isinstance(await rig.messenger.send(rig.chat, text("x")), RetryLater)


async def test_limits_and_kinds_of_chats(rig: Rig) -> None:
    """What the outbox plans with; a private chat is no group."""
    assert rig.messenger.platform == rig.chat.platform
    assert rig.messenger.limits.length >= 1000
    assert not rig.messenger.is_group(rig.chat)


async def test_closing_twice_is_harmless(rig: Rig) -> None:
    """Shutdown may meet a messenger that never ran, or is closed already."""
    await rig.messenger.close()
    await rig.messenger.close()

"""The Slack adapter with the real SDKs over real sockets, against the loopback Slack."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from bot.chats.manifest import slack_manifest
from bot.chats.slack import SlackMessenger
from bot.chats.slack_events import SHORTCUT, suggestion
from bot.chats.slack_texts import CANT_CHECK, NOT_HERE, SLOW_DOWN
from bot.clock import SystemClock
from bot.model import (
    Button,
    ChatGone,
    ChatId,
    Incoming,
    Message,
    Refused,
    Reply,
    RetryLater,
    Sent,
    Span,
    Subscription,
    SubscriptionId,
)
from bot.web.server import WebServer
from tests.chats.rig import Desk, eventually, hearing, text
from tests.emulators.slack_api import APP_TOKEN, BOT_TOKEN, SIGNING_SECRET, SlackApi
from tests.emulators.slack_blocks import read


def chat(address: str) -> ChatId:
    return ChatId("slack", address)


@pytest.fixture
async def slack() -> AsyncIterator[SlackApi]:
    async with SlackApi() as emulator:
        emulator.person("U1")
        emulator.person("U2", is_restricted=True)
        emulator.channel("C1")
        emulator.channel("C2", "other")
        emulator.channel("C9", "elsewhere", member=False)
        emulator.im("U1", "D1")
        yield emulator


def make(slack: SlackApi, **more: Any) -> SlackMessenger:
    return SlackMessenger(BOT_TOKEN, clock=SystemClock(), base_url=slack.base_url, **{"app_token": APP_TOKEN, **more})


@contextlib.asynccontextmanager
async def connected(slack: SlackApi, desk: Desk, **more: Any) -> AsyncIterator[SlackMessenger]:
    messenger = make(slack, **more)
    async with hearing(messenger, desk):
        await eventually(lambda: slack.state()["sockets"])
        yield messenger


@contextlib.asynccontextmanager
async def sender(slack: SlackApi) -> AsyncIterator[SlackMessenger]:
    messenger = make(slack)
    try:
        yield messenger
    finally:
        await messenger.close()


def reads(slack: SlackApi, where: str) -> list[str]:
    return [read(message) for message in slack.shown(where)]


# ---------------------------------------------------------------- hearing


async def test_slash_commands_are_acknowledged_first_and_answered_to_the_asker(slack: SlackApi) -> None:
    """Acks in far less than 3 s although the work takes longer; answers are ephemeral; /tocsin speaks for all."""
    desk = Desk(delay=0.5)
    async with connected(slack, desk):
        slack.slash("/subscribe", 'Idlib, "air defence" -x &lt;y&gt;', "U1", "C1")
        slack.slash("/tocsin", "Status", "U1", "C1")
        slack.slash("/news-latest", "Idlib", "U1", "C1")
        slack.slash("/tocsin", "", "U1", "D1")
        await eventually(lambda: len(slack.whispers()) == 4)
    lines = [incoming.text for incoming in desk.heard]
    assert sorted(lines) == sorted(['/subscribe Idlib, "air defence" -x <y>', "/status", "/latest Idlib", "/help"])
    assert all(answer["response_type"] == "ephemeral" for answer in slack.whispers())
    assert all(seconds < 0.4 for seconds in slack.state()["ack_seconds"])
    assert slack.shown("C1") == []


async def test_mentions_and_direct_messages(slack: SlackApi) -> None:
    """A mention is answered in its thread, a direct message where it was written; no slash is needed."""
    desk = Desk()
    async with connected(slack, desk):
        slack.mention("subscribe Idlib &amp; co", "U1", "C1")
        slack.mention("", "U1", "C2")
        slack.dm("latest <https://a.example/x|a.example/x>", "U1")
        slack.dm("Aleppo", "U1")
        await eventually(lambda: len(desk.heard) == 4 and slack.shown("D1")[1:])
        asked = next(m for m in slack.channels["C1"].messages.values() if m["user"] == "U1")
        assert (await eventually(lambda: slack.shown("C1")))[0]["thread_ts"] == asked["ts"]
    lines = {incoming.text: incoming for incoming in desk.heard}
    assert set(lines) == {"/subscribe Idlib & co", "/help", "/latest https://a.example/x", "Aleppo"}
    assert lines["Aleppo"].private
    assert not lines["/help"].private
    assert "thread_ts" not in slack.shown("D1")[0]


async def test_a_call_by_name_is_never_met_with_silence(slack: SlackApi) -> None:
    """Words that the flows have no answer to get the help."""
    desk = Desk(lambda incoming: Reply(text("help")) if incoming.text.startswith("/") else None)
    async with connected(slack, desk):
        slack.mention("hello", "U1", "C1")
        await eventually(lambda: reads(slack, "C1") == ["help"])


async def test_row_39_the_same_event_has_one_effect(slack: SlackApi) -> None:
    """Envelopes, events and commands that come again are acknowledged and do nothing."""
    desk = Desk()
    async with connected(slack, desk):
        for number in (slack.slash("/subscribe", "Idlib", "U1", "C1"), slack.dm("help", "U1")):
            await eventually(lambda n=number: slack.envelopes[n].acked)  # type: ignore[misc]
            slack.again(number)
        await eventually(lambda: all(envelope.acked for envelope in slack.envelopes))
        await eventually(lambda: slack.shown("D1"))
        await asyncio.sleep(0.1)
    assert sorted(incoming.text for incoming in desk.heard) == ["/help", "/subscribe Idlib"]


async def test_no_envelope_is_lost_over_disconnects_and_cut_sockets(slack: SlackApi) -> None:
    """`disconnect` opens the next socket before the last is gone; a cut one is replaced; all is acknowledged."""
    desk = Desk(lambda _: None)
    async with connected(slack, desk):
        for round_ in range(4):
            slack.slash("/latest", f"before {round_}", "U1", "C1")
            if round_ % 2:
                await slack.disconnect()
            else:
                slack.cut()
            slack.slash("/latest", f"after {round_}", "U1", "C1")
            await eventually(lambda: len(slack.log.of("(socket)")) > round_ + 1)  # noqa: B023
        await eventually(lambda: all(envelope.acked for envelope in slack.envelopes))
        await eventually(lambda: len(desk.heard) == 8)
    assert len({incoming.text for incoming in desk.heard}) == 8
    assert len(slack.log.of("apps.connections.open")) < 12


async def test_the_next_socket_is_open_before_the_last_is_gone(slack: SlackApi) -> None:
    """Slack warns a while before it hangs up: nobody may find the bot without a socket."""
    async with connected(slack, Desk()):
        await slack.disconnect("warning")
        await eventually(lambda: len(slack.log.of("(socket)")) == 2, 0.8)
        assert slack.state()["sockets"] == 2


async def test_it_stops_at_once(slack: SlackApi) -> None:
    """Cancelled while the socket is silent, it is gone within a second."""
    async with connected(slack, Desk()) as _:
        started = time.monotonic()
    assert time.monotonic() - started < 1.5
    await eventually(lambda: not slack.state()["sockets"])


async def test_what_was_acknowledged_is_answered_although_it_stops(slack: SlackApi) -> None:
    """SIGTERM in the middle of a command: Slack will not send it again, so it is finished first."""
    desk = Desk(delay=0.3)
    async with connected(slack, desk):
        slack.slash("/subscribe", "Idlib", "U1", "C1")
        await eventually(lambda: slack.envelopes[0].acked and desk.heard)
    assert [read(whisper) for whisper in slack.whispers()] == ["heard /subscribe Idlib"]


async def test_row_35_guests_change_nothing_in_channels(slack: SlackApi) -> None:
    """Full members may, guests may not, everybody may in direct messages; rights are asked for once a minute."""
    slack.im("U2", "D2")
    desk = Desk()
    async with connected(slack, desk):
        for user, channel in (("U1", "C1"), ("U1", "C1"), ("U2", "C1"), ("U2", "D2")):
            slack.slash("/subscribe", "x", user, channel)
        slack.slash("/latest", "x", "U1", "C1")
        await eventually(lambda: len(desk.heard) == 5)
    rights = sorted((i.user, i.chat.address, i.admin) for i in desk.heard if i.text == "/subscribe x")
    assert rights == [("U1", "C1", True), ("U1", "C1", True), ("U2", "C1", False), ("U2", "D2", True)]
    assert len(slack.log.of("users.info")) <= 3  # two people, one of them in two places at once


async def test_row_35_rights_that_cannot_be_checked_change_nothing(slack: SlackApi) -> None:
    """When Slack does not say who somebody is, the person is told."""
    slack.fault(method="users.info", error="internal_error", times=0)
    desk = Desk()
    async with connected(slack, desk):
        slack.slash("/subscribe", "x", "U1", "C1")
        await eventually(lambda: [read(w) for w in slack.whispers()] == [CANT_CHECK])
    assert desk.heard == []


async def test_a_subscription_where_alerts_could_not_arrive_is_not_made(slack: SlackApi) -> None:
    """Slash commands work in channels without the bot; it says so before anybody waits for alerts in vain."""
    desk = Desk()
    async with connected(slack, desk):
        slack.slash("/subscribe", "x", "U1", "C9")
        slack.slash("/subscribe", "x", "U1", "Dforeign")
        await eventually(lambda: [read(w) for w in slack.whispers()] == [NOT_HERE] * 2)
        slack.invite("C9")
        slack.slash("/subscribe", "y", "U1", "C9")
        await eventually(lambda: desk.heard)
    assert [incoming.text for incoming in desk.heard] == ["/subscribe y"]


async def test_presses_edit_answer_in_the_thread_or_whisper(slack: SlackApi) -> None:
    """The three ways in which a press is answered, and again under a whisper."""

    def reply(incoming: Incoming) -> Reply | None:
        return {
            "edit": Reply(text("changed"), replace=True),
            "why": Reply(text("because"), private=True),
            "tell": Reply(text("all may know")),
        }.get(incoming.action)

    desk = Desk(reply)
    buttons = ((Button("Why", "why"), Button("Tell", "tell")), (Button("Edit", "edit"),))
    async with connected(slack, desk) as messenger:
        sent = await messenger.send(chat("C1"), Message((Span("alert"),), buttons))
        assert isinstance(sent, Sent)
        slack.press("C1", sent.message, "U2", label="Why")
        await eventually(lambda: [read(w) for w in slack.whispers("C1")] == ["because"])
        slack.press("C1", sent.message, "U1", label="Tell")
        await eventually(lambda: reads(slack, "C1") == ["alert", "all may know"])
        assert slack.shown("C1")[1]["thread_ts"] == sent.message
        slack.press("C1", sent.message, "U1", label="Edit")
        await eventually(lambda: reads(slack, "C1")[0] == "changed")
    assert {(i.user, i.action, i.message, i.chat.address) for i in desk.heard} == {
        ("U2", "why", sent.message, "C1"),
        ("U1", "tell", sent.message, "C1"),
        ("U1", "edit", sent.message, "C1"),
    }


async def test_buttons_of_a_whisper_replace_it(slack: SlackApi) -> None:
    """An ephemeral answer has no message to edit; its response address replaces it."""
    menu = Reply(Message((Span("pick"),), ((Button("Go", "go"),),)))
    desk = Desk(lambda incoming: Reply(text("gone"), replace=True) if incoming.action else menu)
    async with connected(slack, desk):
        slack.slash("/unsubscribe", "", "U1", "C1")
        shown = await eventually(slack.whispers)
        slack.press("C1", shown[0]["ts"], "U1", label="Go")
        await eventually(lambda: len(slack.whispers()) == 2)
    assert slack.whispers()[1]["replace_original"] is True
    assert read(slack.whispers()[1]) == "gone"


async def test_rows_37_38_forged_and_stale_presses_reach_the_handler_as_they_are(slack: SlackApi) -> None:
    """The action comes with the message's own channel and the presser; a message that is gone breaks nothing."""
    desk = Desk(lambda _: Reply(text("That button is too old."), replace=True))
    async with connected(slack, desk):
        slack.press("C1", "1.000001", "U1", action="9|slack:C2|unsubscribe")
        await eventually(lambda: reads(slack, "C1") == ["That button is too old."])
    assert (desk.heard[0].chat, desk.heard[0].action) == (chat("C1"), "9|slack:C2|unsubscribe")


class Manager(Desk):
    """Subscriptions as the real commands would keep them, changed by the lines that App Home sends."""

    async def answer(self, incoming: Incoming) -> Reply | None:
        self.heard.append(incoming)
        verb, _, rest = incoming.text.partition(" ")
        number, _, value = rest.removeprefix("#").partition(" ")
        at = next((i for i, s in enumerate(self.subscriptions) if str(int(s.id)) == number), -1)
        if verb == "/subscribe":
            number_ = SubscriptionId(len(self.subscriptions) + 1)
            self.subscriptions.append(Subscription(number_, incoming.chat, rest, datetime.now(UTC)))
        elif verb == "/unsubscribe":
            self.subscriptions.pop(at)
        elif verb in {"/pause", "/resume"} and at >= 0:
            until = datetime.now(UTC) + timedelta(days=9) if verb == "/pause" else None
            self.subscriptions[at] = replace(self.subscriptions[at], paused_until=until)
        elif verb == "/digest":
            self.subscriptions[at] = replace(self.subscriptions[at], digest=value)
        elif verb == "/updates":
            self.subscriptions[at] = replace(self.subscriptions[at], updates=value == "on")
        return Reply(text(f"did {incoming.text}"))


def home_of(slack: SlackApi, user: str = "U1") -> str:
    return json.dumps(slack.homes.get(user, {}).get("blocks", []), ensure_ascii=False)


async def test_app_home_adds_pauses_sets_and_removes(slack: SlackApi) -> None:
    """Every subscription has its buttons; modals add and set; each change shows its answer and the list as it is now."""
    desk = Manager()

    def contains(words: str) -> bool:
        return words in home_of(slack)

    async with connected(slack, desk):
        slack.home("U1")
        await eventually(lambda: "Nothing yet" in home_of(slack))
        for query, shown in (("Idlib", "Idlib"), ("S-300 & <co>", "S-300 &amp; &lt;co&gt;")):
            slack.home("U1", label="Add")
            await eventually(lambda: slack.modals)
            slack.submit("U1", query)
            await eventually(partial(contains, f"did /subscribe {shown}"))
        slack.home("U1", label="Pause", nth=2)  # the first pauses all
        await eventually(lambda: "`S-300 &amp; &lt;co&gt;` · paused" in home_of(slack))
        slack.home("U1", label="Options", nth=1)
        modal = await eventually(lambda: slack.modals.get("U1"))
        assert "S-300" in json.dumps(modal)
        slack.submit("U1", digest="daily 08:00", pause="no", updates="off")
        await eventually(lambda: "· digest daily 08:00 · no updates" in home_of(slack))
        slack.home("U1", label="Remove")
        await eventually(lambda: "`Idlib`" not in home_of(slack))
        slack.home("U1", label="Options")
        await eventually(lambda: slack.modals.get("U1"))
        calls = len(desk.heard)
        slack.submit("U1")
        await eventually(lambda: all(envelope.acked for envelope in slack.envelopes))
    assert len(desk.heard) == calls, "what was left as it is changes nothing"
    assert {incoming.chat for incoming in desk.heard} == {chat("D1")}
    assert [s.query for s in desk.subscriptions] == ["S-300 & <co>"]


async def test_app_home_turns_pages_and_survives_what_is_gone(slack: SlackApi) -> None:
    """Thirty subscriptions fit; the page stays after a change; a button of what is gone shows the list as it is."""
    desk = Manager()
    now = datetime.now(UTC)
    desk.subscriptions = [
        Subscription(SubscriptionId(n), chat("D1"), f"word{n} `x`" + "y" * 900, now) for n in range(1, 31)
    ]
    async with connected(slack, desk):
        slack.home("U1")
        await eventually(lambda: "word1 " in home_of(slack))
        assert "word13 " not in home_of(slack)
        slack.home("U1", label="More")
        await eventually(lambda: "word13 " in home_of(slack))
        slack.home("U1", label="Remove")
        await eventually(lambda: "word13 " not in home_of(slack) and "word14 " in home_of(slack))
        del desk.subscriptions[12]
        slack.home("U1", label="Pause", nth=1)  # of word14, which is gone
        await eventually(lambda: "word14 " not in home_of(slack))
        slack.home("U1", label="Back")
        await eventually(lambda: "word1 " in home_of(slack))
    assert not any(incoming.text.startswith("/pause") for incoming in desk.heard)


async def test_app_home_finds_the_direct_messages_itself(slack: SlackApi) -> None:
    """Slack need not name the conversation when the tab opens."""
    async with connected(slack, Manager()):
        slack.event({"type": "app_home_opened", "user": "U1", "tab": "home"})
        await eventually(lambda: "Add a subscription" in home_of(slack))
    assert json.loads(slack.homes["U1"]["private_metadata"])["channel"] == "DU1"


async def test_people_are_answered_in_the_language_they_read_slack_in(slack: SlackApi) -> None:
    """users.info is asked once; where it can't be, the answer comes all the same."""
    slack.person("U1", locale="tr-TR")
    desk = Desk()
    async with connected(slack, desk):
        slack.slash("/latest", "", "U1", "C1")
        await eventually(lambda: len(slack.whispers()) == 1)
        slack.dm("latest", "U1")
        await eventually(lambda: slack.shown("D1"))
        slack.fault(method="users.info", error="missing_scope", times=0)
        slack.slash("/latest", "", "U2", "C1")
        await eventually(lambda: len(slack.whispers()) == 2)
        slack.slash("/subscribe", "x", "U2", "C1")
        await eventually(lambda: len(desk.heard) == 4)
    assert [incoming.language for incoming in desk.heard] == ["tr-TR", "tr-TR", "", ""]
    assert desk.heard[3].admin, "an app that may not ask who is a guest shuts nobody out"
    assert len([c for c in slack.log.of("users.info") if c["params"]["user"] == "U1"]) == 1


async def test_a_start_says_who_the_bot_is(slack: SlackApi, caplog: pytest.LogCaptureFixture) -> None:
    """Whoever starts it sees that it runs, and what to type."""
    caplog.set_level(logging.INFO)
    async with connected(slack, Desk()):
        await eventually(lambda: "on Slack as @tocsin in Emulator" in caplog.text)
    assert caplog.text.count("on Slack as") == 1


async def test_help_about_a_command_where_it_is_typed(slack: SlackApi) -> None:
    """`/subscribe help` is no wish for news about help."""
    desk = Desk()
    async with connected(slack, desk):
        slack.slash("/subscribe", "help", "U1", "C1")
        slack.slash("/tocsin", "help", "U1", "C1")
        await eventually(lambda: len(desk.heard) == 2)
    assert [incoming.text for incoming in desk.heard] == ["/help subscribe", "/help"]


async def test_the_message_shortcut_suggests_a_subscription(slack: SlackApi) -> None:
    """Alert me about stories like this: a modal with a first idea; what is sent is subscribed in that channel."""
    desk = Desk()
    async with connected(slack, desk) as messenger:
        sent = await messenger.send(chat("C1"), text("Monitors enter Idlib after a night of shelling"))
        assert isinstance(sent, Sent)
        slack.shortcut(SHORTCUT, "C1", sent.message, "U1")
        modal = await eventually(lambda: slack.modals.get("U1"))
        assert modal is not None
        assert "Idlib" in modal["blocks"][0]["element"]["initial_value"]
        slack.submit("U1", "Idlib monitors")
        await eventually(lambda: slack.whispers("C1"))
        slack.shortcut(SHORTCUT, "C1", sent.message, "U1")
        await eventually(lambda: slack.modals.get("U1"))
        slack.submit("U1", "ferry", place="direct")
        await eventually(lambda: len(desk.heard) == 2)
    assert [incoming.text for incoming in desk.heard] == ["/subscribe Idlib monitors", "/subscribe ferry"]
    assert [incoming.chat for incoming in desk.heard] == [chat("C1"), chat("DU1")]
    assert slack.log.of("(response)", ok=True), "the answer is shown where the shortcut was used"


def test_suggestions_are_words_of_the_message() -> None:
    """Names and numbers first, no addresses, at most three, in reading order."""
    assert (
        suggestion("<https://a.example/Monitors|Monitors> reach Idlib’s outskirts with 2500 men")
        == "Idlib outskirts 2500"
    )
    assert suggestion("") == ""


async def test_rows_61_63_channel_events_are_reported(slack: SlackApi) -> None:
    """Archived, removed, invited, renumbered: the flows hear of it once."""
    told: list[tuple[str, ...]] = []

    async def gone(where: ChatId, reason: str) -> None:
        told.append(("gone", where.address, reason))

    async def back(where: ChatId) -> None:
        told.append(("back", where.address))

    async def moved(old: ChatId, new: ChatId) -> None:
        told.append(("moved", old.address, new.address))

    async with connected(slack, Desk(), on_gone=gone, on_back=back, on_moved=moved):
        slack.archive("C1")
        slack.unarchive("C1")
        slack.kick("C2")
        slack.invite("C2")
        slack.event({"type": "member_joined_channel", "channel": "C2", "user": "U1"})
        slack.event({"type": "channel_id_changed", "old_channel_id": "C1", "new_channel_id": "C3", "event_ts": "1.2"})
        await eventually(lambda: len(told) == 5)
    assert told == [
        ("gone", "C1", "archived"),
        ("back", "C1"),
        ("gone", "C2", "removed from the channel"),
        ("back", "C2"),
        ("moved", "C1", "C3"),
    ]


async def test_row_34_a_flood_is_cut_and_others_are_served(slack: SlackApi) -> None:
    """One person's hundreds of messages do not delay another; the flooder is told once."""
    slack.im("U3", "D3")
    slack.person("U3")
    desk = Desk()
    async with connected(slack, desk):
        for number in range(200):
            slack.slash("/latest", str(number), "U3", "D3")
        started = time.monotonic()
        slack.slash("/help", "", "U1", "C1")
        await eventually(lambda: any(w["channel"] == "C1" for w in slack.whispers()))
        assert time.monotonic() - started < 2.0
        await eventually(lambda: all(envelope.acked for envelope in slack.envelopes))
    assert sum(incoming.user == "U3" for incoming in desk.heard) < 60
    assert sum(read(w) == SLOW_DOWN for w in slack.whispers()) <= 1


# ---------------------------------------------------------------- HTTP mode


@contextlib.asynccontextmanager
async def over_http(slack: SlackApi, desk: Desk) -> AsyncIterator[SlackMessenger]:
    messenger = make(slack, app_token="", signing_secret=SIGNING_SECRET)

    async def ready() -> str:
        return messenger.problem

    server = WebServer("127.0.0.1", 0, ready=ready, webhooks={"/webhooks/slack": messenger.webhook})
    await server.start()
    try:
        async with hearing(messenger, desk):
            await eventually(lambda: slack.log.of("auth.test", ok=True))
            await asyncio.sleep(0.05)
            slack.listen_http(f"http://127.0.0.1:{server.port}/webhooks/slack")
            yield messenger
    finally:
        await server.close()


async def test_http_mode_hears_commands_events_presses_and_modals(slack: SlackApi) -> None:
    """Everything that comes over the socket comes by signed requests too."""
    desk = Desk()
    async with over_http(slack, desk) as messenger:
        slack.slash("/subscribe", "Idlib", "U1", "C1")
        slack.dm("help", "U1")
        sent = await messenger.send(chat("C1"), Message((Span("x"),), ((Button("Why", "why"),),)))
        assert isinstance(sent, Sent)
        slack.press("C1", sent.message, "U1")
        await eventually(lambda: len(desk.heard) == 3)
        await eventually(lambda: all(envelope.acked for envelope in slack.envelopes))
    assert all(seconds < 1.0 for seconds in slack.state()["ack_seconds"])
    assert slack.log.of("apps.connections.open") == []


async def test_row_40_a_replayed_request_has_no_second_effect(slack: SlackApi) -> None:
    """The same signed bytes within five minutes are acknowledged, and that is all."""
    desk = Desk()
    async with over_http(slack, desk):
        slack.slash("/subscribe", "Idlib", "U1", "C1")
        await eventually(slack.whispers)
        assert await slack.replay() == 200
        slack.dm("help", "U1")
        await eventually(lambda: len(desk.heard) == 2)
        assert await slack.replay() == 200
        await asyncio.sleep(0.1)
    assert [incoming.text for incoming in desk.heard] == ["/subscribe Idlib", "/help"]


async def test_rows_41_68_forged_and_stale_requests_do_nothing(
    slack: SlackApi, caplog: pytest.LogCaptureFixture
) -> None:
    """Wrong, missing, odd or old signatures: 401, no work, and nothing of the request in the log."""
    caplog.set_level(logging.DEBUG)
    event = json.dumps(
        {
            "type": "event_callback",
            "event_id": "E1",
            "event": {"type": "app_mention", "user": "U1", "channel": "C1", "text": "EVIL"},
        }
    )
    desk = Desk()
    async with over_http(slack, desk):
        caplog.clear()
        caplog.set_level(logging.INFO)
        assert await slack.forge(event) == 401
        assert await slack.forge(event, **{"X-Slack-Request-Timestamp": "soon"}) == 401
        assert await slack.forge("\xff EVIL\nlevel=critical" * 1000) == 401
        assert await slack.stale(event) == 401
        assert await slack.stale("EVIL", age=0) in {400, 200, 404}
        await asyncio.sleep(0.05)
    assert desk.heard == []
    assert "EVIL" not in caplog.text


# ---------------------------------------------------------------- sending


async def test_row_26_nothing_of_a_feed_is_markup(slack: SlackApi) -> None:
    """<!channel>, <@U…> and link spoofs are shown as text, in blocks and in the fallback; nothing unfurls."""
    nasty = "<!channel> <@U1> <http://evil.example|bank> & <!subteam^S1>"
    async with sender(slack) as messenger:
        await messenger.send(chat("C1"), Message((Span(nasty, bold=True, link="https://a.example/?a=1&b=2|x"),)))
    call = slack.log.of("chat.postMessage", ok=True)[0]["params"]
    message = slack.shown("C1")[0]
    assert message["mentions"] == []
    assert read(message).strip("*") == nasty
    assert "<" not in message["text"]
    assert call["unfurl_links"] is False
    assert call["unfurl_media"] is False
    assert "link_names" not in call


async def test_grow_and_develop(slack: SlackApi) -> None:
    """Grow is chat.update of the same message; develop stands in its thread."""
    async with sender(slack) as messenger:
        first = await messenger.send(chat("C1"), text("one outlet"))
        assert isinstance(first, Sent)
        assert await messenger.edit(chat("C1"), first.message, text("two outlets")) == first
        assert await messenger.edit(chat("C1"), first.message, text("two outlets")) == first
        assert isinstance(await messenger.edit(chat("C1"), "1.1", text("x")), Refused)
        await asyncio.sleep(1.05)
        await messenger.send(chat("C1"), text("toll rises"), first.message)
    assert reads(slack, "C1") == ["two outlets", "toll rises"]
    assert slack.shown("C1")[1]["thread_ts"] == first.message


async def test_row_25_blocks_that_slack_refuses_go_once_as_text(slack: SlackApi) -> None:
    """A second try without blocks, then set aside; others go on."""
    async with sender(slack) as messenger:
        slack.fault(method="chat.postMessage", error="invalid_blocks")
        assert isinstance(await messenger.send(chat("C1"), text("odd <x>")), Sent)
        slack.fault(method="chat.postMessage", text="poison", error="invalid_blocks", times=0)
        assert isinstance(await messenger.send(chat("C2"), text("poison")), Refused)
        assert isinstance(await messenger.send(chat("C2"), text("fine")), Sent)
    assert reads(slack, "C1") == ["odd <x>"]
    assert len([c for c in slack.log.of("chat.postMessage") if c["params"]["text"] == "poison"]) == 2


@pytest.mark.parametrize(
    "error",
    ["channel_not_found", "not_in_channel", "is_archived", "restricted_action", "account_inactive", "invalid_auth"],
)
async def test_rows_61_63_terminal_errors_end_one_channel(slack: SlackApi, error: str) -> None:
    """While the token still works, only this channel is gone."""
    slack.fault(method="chat.postMessage", chat="C1", error=error, times=0)
    async with sender(slack) as messenger:
        assert isinstance(await messenger.send(chat("C1"), text("x")), ChatGone)
        assert isinstance(await messenger.send(chat("C2"), text("x")), Sent)
        assert messenger.problem == ""
    assert len(slack.log.of("chat.postMessage")) == 2


@pytest.mark.parametrize("error", ["token_revoked", "account_inactive"])
async def test_row_63_a_revoked_token_stops_everything_and_says_so(
    slack: SlackApi, caplog: pytest.LogCaptureFixture, error: str
) -> None:
    """auth.test fails too: one critical line, no further posts, nothing is called gone."""
    slack.revoke(error)
    async with sender(slack) as messenger:
        first = await messenger.send(chat("C1"), text("x"))
        second = await messenger.send(chat("C2"), text("y"))
    for outcome in (first, second):
        assert isinstance(outcome, RetryLater)
        assert outcome.platform_wide
    assert error in messenger.problem
    assert len(slack.log.of("chat.postMessage")) == 1
    assert [record.levelname for record in caplog.records].count("CRITICAL") == 1


@pytest.mark.parametrize(
    "rule",
    [
        {"html": True},
        {"error": "internal_error"},
        {"error": "service_unavailable", "status": 503},
        {"error": "a_name_nobody_knows"},
        {"truncate": True},
        {"drop": "before"},
        {"drop": "after"},
    ],
    ids=str,
)
async def test_rows_46_60_odd_answers_are_retried_later_and_never_by_the_sdk(
    slack: SlackApi, rule: dict[str, Any]
) -> None:
    """Rows 46, 60: One call on the wire whatever happens: the outbox decides."""
    slack.fault(method="chat.postMessage", **rule)
    async with sender(slack) as messenger:
        outcome = await messenger.send(chat("C1"), text("x"))
    assert isinstance(outcome, RetryLater)
    assert outcome.after is None
    assert not outcome.platform_wide
    assert len(slack.log.of("chat.postMessage")) == 1


async def test_429_delays_what_it_names(slack: SlackApi) -> None:
    """Retry-After is passed on exactly; a second channel limited at once means the whole workspace."""
    slack.fault(method="chat.postMessage", error="ratelimited", retry_after=30, times=2)
    async with sender(slack) as messenger:
        one = await messenger.send(chat("C1"), text("x"))
        two = await messenger.send(chat("C2"), text("x"))
    assert isinstance(one, RetryLater)
    assert (one.after, one.platform_wide) == (30.0, False)
    assert isinstance(two, RetryLater)
    assert (two.after, two.platform_wide) == (30.0, True)


async def test_fifty_edits_a_minute_and_then_a_time(slack: SlackApi) -> None:
    """A story that grows in many channels keeps to the tier of chat.update, and holds back no new post."""
    async with sender(slack) as messenger:
        first = await messenger.send(chat("C1"), text("x"))
        assert isinstance(first, Sent)
        outcomes = [await messenger.edit(chat("C1"), first.message, text(str(n))) for n in range(51)]
        assert isinstance(await messenger.send(chat("C2"), text("x")), Sent)
    assert all(isinstance(outcome, Sent) for outcome in outcomes[:50])
    last = outcomes[50]
    assert isinstance(last, RetryLater)
    assert last.after is not None
    assert 50 < last.after <= 60.5
    assert not last.platform_wide
    assert slack.peaks()["refused_for_rate"] == 0


async def test_nobody_listens_there() -> None:
    """A refused connection concerns the whole platform."""
    messenger = SlackMessenger(BOT_TOKEN, clock=SystemClock(), base_url="http://127.0.0.1:9/api")
    outcome = await messenger.send(chat("C1"), text("x"))
    await messenger.close()
    assert isinstance(outcome, RetryLater)
    assert outcome.platform_wide


async def test_row_67_tokens_are_in_no_text(slack: SlackApi, caplog: pytest.LogCaptureFixture) -> None:
    """Outcomes and log lines show neither tokens, nor the signing secret, nor addresses to answer to."""
    caplog.set_level(logging.INFO)
    shown: list[str] = []
    async with connected(slack, Desk(), signing_secret=SIGNING_SECRET) as messenger:
        for rule in ({"html": True}, {"truncate": True}, {"drop": "before"}, {"error": "fatal_error"}):
            slack.fault(method="chat.postMessage", **rule)
            shown.append(repr(await messenger.send(chat("C1"), text("x"))))
        slack.cut()
        await eventually(lambda: len(slack.log.of("(socket)")) == 2)
        assert set(messenger.secrets) == {BOT_TOKEN, APP_TOKEN, SIGNING_SECRET}
    everything = "\n".join([*shown, caplog.text])
    assert not any(secret in everything for secret in (*messenger.secrets, "ticket", "/response/"))


def test_the_manifest_asks_for_what_the_bot_uses() -> None:
    """A pasted manifest makes an app that works: Socket Mode by default, request URLs in HTTP mode."""
    socket = json.loads(slack_manifest())
    assert socket["settings"]["socket_mode_enabled"] is True
    assert {c["command"] for c in socket["features"]["slash_commands"]} >= {"/subscribe", "/tocsin", "/why"}
    assert {"commands", "chat:write", "app_mentions:read", "users:read"} <= set(socket["oauth_config"]["scopes"]["bot"])
    http = json.loads(slack_manifest("https://bot.example/webhooks/slack"))
    assert http["settings"]["socket_mode_enabled"] is False
    assert http["settings"]["interactivity"]["request_url"] == "https://bot.example/webhooks/slack"
    assert all(c["url"] for c in http["features"]["slash_commands"])
    assert all(len(c["description"]) <= 2000 for c in http["features"]["slash_commands"])
    assert len(socket["features"]["shortcuts"][0]["name"]) <= 24

"""The Telegram adapter with the real SDK over real sockets, against the loopback Bot API."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import time
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from bot.chats.telegram import TelegramMessenger
from bot.chats.telegram_answer import CANT_CHECK, SLOW_DOWN
from bot.chats.telegram_menus import Menu
from bot.clock import SystemClock
from bot.model import (
    FILE_SIZE,
    Button,
    ChatGone,
    ChatId,
    ChatMoved,
    Incoming,
    Message,
    Refused,
    Reply,
    RetryLater,
    Sent,
    Span,
)
from bot.pace import LocalPace
from bot.web.server import WebServer
from tests.chats.rig import Desk, eventually, hearing, text
from tests.emulators.telegram_api import TOKEN, TelegramApi

ANN, BOB = 7, 8
GROUP, FORUM, CHANNEL = -100500, -100600, -100700


def chat(address: int, thread: str = "") -> ChatId:
    return ChatId("telegram", str(address), thread)


@pytest.fixture
async def api() -> AsyncIterator[TelegramApi]:
    async with TelegramApi() as emulator:
        emulator.person(ANN)
        emulator.person(BOB, "Bob", "tr")
        emulator.group(GROUP, members={str(ANN): "administrator", str(BOB): "member"})
        emulator.group(FORUM, "Forum", forum=True, members={str(ANN): "creator"}, topics=[5, 6])
        emulator.channel(CHANNEL)
        yield emulator


def make(api: TelegramApi, **more: Any) -> TelegramMessenger:
    return TelegramMessenger(TOKEN, clock=SystemClock(), base_url=api.base_url, **more)


@contextlib.asynccontextmanager
async def sender(api: TelegramApi) -> AsyncIterator[TelegramMessenger]:
    messenger = make(api)
    try:
        yield messenger
    finally:
        await messenger.close()


def texts(api: TelegramApi, where: int) -> list[str]:
    return [message["text"] for message in api.shown(where)]


# ---------------------------------------------------------------- hearing


async def test_commands_of_the_time_when_it_was_down_are_answered(api: TelegramApi) -> None:
    """Issue 5: pending updates are never dropped."""
    api.say(ANN, "/start share_12")
    desk = Desk()
    async with hearing(make(api), desk):
        await eventually(lambda: texts(api, ANN) == ["heard /start share_12"])
    incoming = desk.heard[0]
    assert (incoming.chat, incoming.user, incoming.private, incoming.admin) == (chat(ANN), str(ANN), True, True)
    assert incoming.language == "en"


async def test_row_39_one_update_id_has_one_effect(api: TelegramApi) -> None:
    """A repeated update (lost confirmation, webhook retry) is not answered twice."""
    desk = Desk()
    async with hearing(make(api), desk):
        api.say(ANN, "/subscribe Idlib")
        await eventually(lambda: desk.heard)
        api.dup()
        api.say(ANN, "/help")
        await eventually(lambda: len(desk.heard) > 1)
        await eventually(lambda: texts(api, ANN) == ["heard /subscribe Idlib", "heard /help"])


async def test_handled_updates_are_confirmed_when_it_stops(api: TelegramApi) -> None:
    """A clean restart answers nothing twice, and the long poll ends at once."""
    desk = Desk()
    async with hearing(make(api), desk) as task:
        api.say(ANN, "/help")
        await eventually(lambda: texts(api, ANN))
        await eventually(lambda: api.state()["polling"])
        started = time.monotonic()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert time.monotonic() - started < 1.0
    assert api.updates == []
    await eventually(lambda: not api.state()["polling"], 2)


async def test_groups_hear_only_what_is_meant_for_the_bot(api: TelegramApi) -> None:
    """Chatter, and commands for other bots, are left alone; names and mentions are cut off."""
    api.rights(GROUP, "administrator")  # an admin bot sees everything
    desk = Desk()
    async with hearing(make(api), desk):
        api.say(GROUP, "good morning", BOB)
        api.say(GROUP, "/subscribe@other_bot x", BOB)
        api.say(GROUP, "/latest@tocsin_test_bot Idlib", BOB)
        api.say(GROUP, "@tocsin_test_bot what is new", BOB)
        api.say(GROUP, "/status", BOB, forwarded=True)
        api.say(GROUP, "/status", BOB)
        await eventually(lambda: len(desk.heard) == 3)
        heard = [incoming.text for incoming in desk.heard]
        assert heard == ["/latest Idlib", "what is new", "/status"]
        assert not any(incoming.private for incoming in desk.heard)
        reply = await eventually(lambda: api.shown(GROUP))
        assert reply[0]["reply_to_message"]["text"].startswith("/latest")
        api.say(GROUP, "Aleppo", BOB, reply_to=reply[0]["message_id"])
        await eventually(lambda: len(desk.heard) == 4)
        assert (desk.heard[3].text, desk.heard[3].message) == ("Aleppo", str(reply[0]["message_id"]))


async def test_a_call_by_name_is_never_met_with_silence(api: TelegramApi) -> None:
    """Words that the flows have no answer to get the help; a reply among people does not."""
    desk = Desk(lambda incoming: Reply(text("help")) if incoming.text.startswith("/") else None)
    async with hearing(make(api), desk):
        api.say(GROUP, "@tocsin_test_bot hello", BOB)
        shown = await eventually(lambda: api.shown(GROUP))
        api.say(GROUP, "thanks", BOB, reply_to=shown[0]["message_id"])
        await eventually(lambda: len(desk.heard) == 3)
    assert texts(api, GROUP) == ["help"]


async def test_row_35_only_admins_change_things_in_groups(api: TelegramApi) -> None:
    """Rights are asked for only for changing commands, and at most once a minute."""
    desk = Desk()
    async with hearing(make(api), desk):
        for user in (BOB, ANN, ANN):
            api.say(GROUP, "/subscribe Idlib", user)
        api.say(GROUP, "/latest", ANN)
        await eventually(lambda: len(desk.heard) == 4)
    rights = [(incoming.user, incoming.admin) for incoming in desk.heard if incoming.text != "/latest"]
    assert sorted(rights) == [("7", True), ("7", True), ("8", False)]
    assert len(api.log.of("getChatMember")) == 2


async def test_row_35_rights_that_cannot_be_checked_change_nothing(api: TelegramApi) -> None:
    """When Telegram does not say who is an admin, the person is told, and nobody guesses."""
    api.fault(method="getChatMember", status=500)
    desk = Desk()
    async with hearing(make(api), desk):
        api.say(GROUP, "/subscribe Idlib", ANN)
        await eventually(lambda: texts(api, GROUP) == [CANT_CHECK])
    assert desk.heard == []


async def test_row_36_anonymous_admins_and_channels_speak_as_the_chat(api: TelegramApi) -> None:
    """sender_chat == chat is an admin for commands; another channel's voice is a guest; presses are checked."""
    desk = Desk()
    async with hearing(make(api), desk):
        api.say(GROUP, "/subscribe a", anonymous=True)
        api.say(GROUP, "/subscribe b", sender_chat=CHANNEL)
        api.post(CHANNEL, "/subscribe c")
        await eventually(lambda: len(desk.heard) == 3)
        assert {i.text[-1]: i.admin for i in desk.heard} == {"a": True, "b": False, "c": True}
        assert api.log.of("getChatMember") == []
        shown = await eventually(lambda: api.shown(GROUP))
        api.press(GROUP, shown[0]["message_id"], BOB, data="change-1")
        await eventually(lambda: len(desk.heard) == 4)
        assert (desk.heard[3].user, desk.heard[3].admin) == (str(BOB), False)
        assert len(api.log.of("getChatMember")) == 1


async def test_topics_are_chats_of_their_own(api: TelegramApi) -> None:
    """A command in a forum topic is answered there, and an alert goes to its topic."""
    desk = Desk()
    async with hearing(make(api), desk) as _:
        api.say(FORUM, "/status", ANN, thread=5)
        await eventually(lambda: api.shown(FORUM))
    assert desk.heard[0].chat == chat(FORUM, "5")
    assert desk.heard[0].message == ""
    assert api.shown(FORUM)[0]["message_thread_id"] == 5


async def test_presses_are_always_answered_and_edit_in_place(api: TelegramApi) -> None:
    """Reply.replace edits; a short private reply is a note over the button; the spinner always ends."""

    def reply(incoming: Any) -> Reply | None:
        return {
            "edit": Reply(text("changed"), replace=True),
            "note": Reply(text("only you see this"), private=True),
            "none": None,
        }.get(incoming.action, Reply(Message((Span("pick"),), ((Button("Edit", "edit"), Button("Note", "note")),))))

    desk = Desk(reply)
    async with hearing(make(api), desk):
        api.say(ANN, "/menu")
        shown = await eventually(lambda: api.shown(ANN))
        api.press(ANN, shown[0]["message_id"], label="Note")
        await eventually(lambda: api.log.of("answerCallbackQuery", ok=True))
        api.press(ANN, shown[0]["message_id"], data="none")
        api.press(ANN, shown[0]["message_id"], label="Edit")
        await eventually(lambda: len(api.log.of("answerCallbackQuery", ok=True)) == 3)
        await eventually(lambda: texts(api, ANN) == ["changed"])
    assert api.log.of("answerCallbackQuery")[0]["params"]["text"] == "only you see this"


async def test_rows_37_38_forged_and_stale_presses_reach_the_handler_as_they_are(api: TelegramApi) -> None:
    """The action comes with the message's own chat and the presser; too late or impossible, nothing breaks."""
    desk = Desk(lambda incoming: Reply(text("That button is too old."), replace=True) if incoming.action else None)
    async with hearing(make(api), desk):
        api.press_ttl = -1.0
        api.press(ANN, 999, data="9|telegram:8|unsubscribe")
        await eventually(lambda: texts(api, ANN) == ["That button is too old."])
    assert (desk.heard[0].chat, desk.heard[0].user) == (chat(ANN), str(ANN))
    assert desk.heard[0].action == "9|telegram:8|unsubscribe"


async def test_row_34_a_flood_is_cut_and_others_are_served(api: TelegramApi) -> None:
    """One person's thousand commands do not delay another; the flooder is told once."""
    desk = Desk(delay=0.005)
    async with hearing(make(api), desk):
        for number in range(1000):
            api.say(BOB, f"/latest {number}")
        started = time.monotonic()
        api.say(ANN, "/help")
        await eventually(lambda: texts(api, ANN) == ["heard /help"], 10)
        assert time.monotonic() - started < 2.0
        mine = [incoming for incoming in desk.heard if incoming.user == str(BOB)]
        assert len(mine) < 60
        assert texts(api, BOB).count(SLOW_DOWN) <= 1


async def test_row_61_block_kick_and_return_are_reported(api: TelegramApi) -> None:
    """my_chat_member tells when the bot can't write any more, and when it can again."""
    told: list[tuple[str, ...]] = []

    async def gone(where: ChatId, reason: str) -> None:
        told.append(("gone", where.address, reason))

    async def back(where: ChatId) -> None:
        told.append(("back", where.address))

    async with hearing(make(api, on_gone=gone, on_back=back), Desk()):
        await eventually(lambda: api.state()["polling"])
        api.block(ANN)
        api.unblock(ANN)
        api.kick(GROUP)
        api.add(GROUP)
        api.rights(GROUP, "restricted")
        api.rights(CHANNEL, "member")
        await eventually(lambda: len(told) == 6)
    assert told == [
        ("gone", "7", "blocked"),
        ("back", "7"),
        ("gone", str(GROUP), "kicked"),
        ("back", str(GROUP)),
        ("gone", str(GROUP), "not allowed to write"),
        ("gone", str(CHANNEL), "not allowed to post"),
    ]


@pytest.mark.parametrize("service", ["both", "reverse", "old", "new"])
async def test_row_62_a_move_is_reported_once(api: TelegramApi, service: str) -> None:
    """Group to supergroup: both service messages in any order, one call; a send to the old id names the new one."""
    moves: list[tuple[ChatId, ChatId]] = []

    async def moved(old: ChatId, new: ChatId) -> None:
        moves.append((old, new))

    api.group(-77, kind="group", members={str(ANN): "creator"})
    messenger = make(api, on_moved=moved)
    async with hearing(messenger, Desk()):
        await eventually(lambda: api.state()["polling"])
        new = api.migrate(-77, service=service)
        await eventually(lambda: moves)
        assert await messenger.send(chat(-77), text("x")) == ChatMoved(chat(new))
        api.say(new, "/help", ANN)
        await eventually(lambda: texts(api, new))
    assert moves == [(chat(-77), chat(new))]


async def test_row_63_a_closed_topic_is_reported_for_that_topic(api: TelegramApi) -> None:
    """Row 63: Only the topic stops."""
    told: list[tuple[str, ChatId]] = []

    async def gone(where: ChatId, _reason: str) -> None:
        told.append(("gone", where))

    async def back(where: ChatId) -> None:
        told.append(("back", where))

    messenger = make(api, on_gone=gone, on_back=back)
    async with hearing(messenger, Desk()):
        await eventually(lambda: api.state()["polling"])
        api.topic(FORUM, 5, "closed")
        await eventually(lambda: told)
        outcome = await messenger.send(chat(FORUM, "5"), text("x"))
        assert isinstance(outcome, ChatGone)
        assert "topic_closed" in outcome.reason.lower()
        assert isinstance(await messenger.send(chat(FORUM, "6"), text("x")), Sent)
        api.topic(FORUM, 5, "open")
        await eventually(lambda: len(told) == 2)
        api.topic(FORUM, 6, "deleted")
        assert isinstance(await messenger.send(chat(FORUM, "6"), text("x")), ChatGone)
    assert told == [("gone", chat(FORUM, "5")), ("back", chat(FORUM, "5"))]


async def test_row_51_a_second_poller_is_loud_and_backs_off(api: TelegramApi, caplog: pytest.LogCaptureFixture) -> None:
    """Row 51: 409: said at error level, shown as a problem, and no busy loop."""
    first, second = make(api), make(api)
    async with hearing(first, Desk()):
        await eventually(lambda: api.state()["polling"])
        async with hearing(second, Desk()):
            await eventually(lambda: first.problem)
            await asyncio.sleep(0.5)
    assert "409" in first.problem
    assert any(record.levelno >= logging.ERROR for record in caplog.records)
    assert len(api.log.of("getUpdates")) < 8


async def test_a_webhook_of_before_is_replaced_by_polling(api: TelegramApi) -> None:
    """A bot that moves from webhook to polling hears at once."""
    api.webhook = {"url": "http://127.0.0.1:9/", "secret": ""}
    async with hearing(make(api), Desk()):
        api.say(ANN, "/help")
        await eventually(lambda: texts(api, ANN))


async def test_row_60_polling_survives_any_answer(api: TelegramApi) -> None:
    """Row 60: HTML errors, cut JSON, ok:false, dropped connections and updates of unknown shape do not end the listening."""

    class Quick(SystemClock):
        async def sleep(self, seconds: float) -> None:
            await super().sleep(min(seconds, 0.02))

    for rule in ({"html": True}, {"truncate": True}, {"ok_false": True}, {"drop": "before"}, {"drop": "after"}):
        api.fault(method="getUpdates", **rule)
    api.fault(method="getMe", html=True)
    desk = Desk()
    messenger = TelegramMessenger(TOKEN, clock=Quick(), base_url=api.base_url)
    async with hearing(messenger, desk):
        api.updates.append({"update_id": 1, "message": {"unheard": "of"}})
        api.say(ANN, "/help")
        await eventually(lambda: texts(api, ANN) == ["heard /help"])
        assert len(desk.heard) == 1


async def test_a_revoked_token_stops_everything_and_says_so(api: TelegramApi, caplog: pytest.LogCaptureFixture) -> None:
    """401: one critical line, no further sends until a call goes well again."""
    messenger = make(api)
    async with hearing(messenger, Desk()):
        await eventually(lambda: api.state()["polling"])
        api.revoke()
        first = await messenger.send(chat(ANN), text("x"))
        calls = len(api.log.of("sendMessage"))
        second = await messenger.send(chat(BOB), text("y"))
    for outcome in (first, second):
        assert isinstance(outcome, RetryLater)
        assert outcome.platform_wide
    assert len(api.log.of("sendMessage")) == calls == 1
    assert "401" in messenger.problem
    assert [record.levelname for record in caplog.records].count("CRITICAL") == 1


async def test_menus_are_set_by_scope_and_language(api: TelegramApi) -> None:
    """SetMyCommands for everyone, for groups, and in another language; a refusal is no obstacle."""
    api.fault(method="setMyDescription", status=429, parameters={"retry_after": 9})
    menus = (
        Menu([("help", "What I can do")], [("why", "Why this rang")], "An alarm bell.", "News alerts"),
        Menu([("help", "Ne yaparim")], language="tr"),
    )
    async with hearing(make(api, menus=menus), Desk()):
        await eventually(lambda: len(api.menus) == 9)  # and one refused
        api.say(ANN, "/help")
        await eventually(lambda: texts(api, ANN))
    scopes = ["default", "all_private_chats", "all_group_chats", "all_chat_administrators"]
    told = [
        (m.get("language_code"), m["scope"]["type"], m["commands"][0]["command"]) for m in api.menus if "scope" in m
    ]
    assert told == [
        *((None, scope, "why" if scope == "all_group_chats" else "help") for scope in scopes),
        *(("tr", scope, "help") for scope in scopes),
    ]


# ---------------------------------------------------------------- sending


async def test_silent_topics_replies_and_no_previews(api: TelegramApi) -> None:
    """Every parameter that a person would notice."""
    async with sender(api) as messenger:
        first = await messenger.send(chat(FORUM, "5"), Message((Span("one"),), silent=True))
        assert isinstance(first, Sent)
        await messenger.send(chat(FORUM, "5"), text("two"), first.message)
        await messenger.send(chat(FORUM, "5"), text("three"), "99999")
    one, two, three = api.log.of("sendMessage", ok=True)
    assert one["params"]["disable_notification"] is True
    assert two["params"]["disable_notification"] is False
    assert all(call["params"]["link_preview_options"] == {"is_disabled": True} for call in (one, two, three))
    assert api.shown(FORUM)[1]["reply_to_message"]["text"] == "one"
    assert "reply_to_message" not in api.shown(FORUM)[2]


async def test_row_25_a_text_that_telegram_cannot_read_goes_once_as_plain_text(api: TelegramApi) -> None:
    """Can't parse entities: a second try without markup, then set aside; others go on."""
    refusal = {"status": 400, "description": "Bad Request: can't parse entities: Unsupported start tag"}
    async with sender(api) as messenger:
        api.fault(method="sendMessage", **refusal)
        assert isinstance(await messenger.send(chat(ANN), Message((Span("<b> & co", bold=True),))), Sent)
        api.fault(method="sendMessage", text="poison", times=0, **refusal)
        assert isinstance(await messenger.send(chat(BOB), text("poison")), Refused)
        assert isinstance(await messenger.send(chat(BOB), text("fine")), Sent)
    assert texts(api, ANN) == ["<b> & co"]
    assert len([c for c in api.log.of("sendMessage") if c["params"]["text"] == "poison"]) == 2


GONE = [
    (403, "Forbidden: bot was blocked by the user"),
    (403, "Forbidden: user is deactivated"),
    (403, "Forbidden: bot was kicked from the supergroup chat"),
    (403, "Forbidden: bot is not a member of the channel chat"),
    (400, "Bad Request: chat not found"),
    (400, "Bad Request: not enough rights to send text messages to the chat"),
    (400, "Bad Request: CHAT_WRITE_FORBIDDEN"),
    (400, "Bad Request: message thread not found"),
    (400, "Bad Request: TOPIC_CLOSED"),
    (400, "Bad Request: PEER_ID_INVALID"),
]


@pytest.mark.parametrize(("status", "description"), GONE)
async def test_rows_61_63_terminal_answers_end_one_chat(api: TelegramApi, status: int, description: str) -> None:
    """One try, and the chat is gone; whatever case Telegram writes it in."""
    api.fault(method="sendMessage", status=status, description=description)
    async with sender(api) as messenger:
        assert isinstance(await messenger.send(chat(ANN), text("x")), ChatGone)
        assert isinstance(await messenger.send(chat(BOB), text("x")), Sent)
    assert len(api.log.of("sendMessage")) == 2


@pytest.mark.parametrize(
    "rule",
    [
        {"html": True},
        {"status": 500},
        {"truncate": True},
        {"ok_false": True},
        {"drop": "before"},
        {"drop": "after"},
        {"status": 429},
    ],
    ids=str,
)
async def test_row_60_odd_answers_are_retried_later(api: TelegramApi, rule: dict[str, Any]) -> None:
    """Nothing is known to be wrong with the message: the outbox decides when to try again."""
    api.fault(method="sendMessage", **rule)
    async with sender(api) as messenger:
        outcome = await messenger.send(chat(ANN), text("x"))
    assert isinstance(outcome, RetryLater)
    assert outcome.after is None
    assert len(outcome.reason) < 300
    assert len(api.log.of("sendMessage")) == 1, "the SDK must not post again by itself"


async def test_row_60_a_refusal_under_status_200_is_a_refusal(api: TelegramApi) -> None:
    """Proxies and other servers put the error into the body alone."""
    api.fault(method="sendMessage", ok_false=True, status=403, description="Forbidden: bot was blocked by the user")
    async with sender(api) as messenger:
        assert isinstance(await messenger.send(chat(ANN), text("x")), ChatGone)


async def test_429_names_exactly_how_long(api: TelegramApi) -> None:
    """The outbox gets the platform's own figure, for this chat only."""
    api.fault(method="sendMessage", status=429, description="Too Many Requests", parameters={"retry_after": 43837})
    async with sender(api) as messenger:
        outcome = await messenger.send(chat(ANN), text("x"))
    assert outcome == RetryLater(outcome.reason, after=43837.0) if isinstance(outcome, RetryLater) else False


async def test_nobody_listens_there(api: TelegramApi) -> None:
    """A refused connection concerns the whole platform."""
    messenger = TelegramMessenger(TOKEN, clock=SystemClock(), base_url="http://127.0.0.1:9")
    outcome = await messenger.send(chat(ANN), text("x"))
    await messenger.close()
    assert isinstance(outcome, RetryLater)
    assert outcome.platform_wide


async def test_row_67_the_token_is_in_no_text(api: TelegramApi, caplog: pytest.LogCaptureFixture) -> None:
    """Neither outcomes nor log lines of ours and of the libraries show it, whatever fails."""
    caplog.set_level(logging.DEBUG)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    logging.getLogger("telegram").setLevel(logging.WARNING)
    shown: list[str] = []
    async with hearing(make(api), Desk()):
        await eventually(lambda: api.state()["polling"])
        for rule in ({"html": True}, {"truncate": True}, {"drop": "before"}, {"status": 404}, {"status": 401}):
            api.fault(method="sendMessage", **rule)
        messenger = make(api)
        shown += [repr(await messenger.send(chat(ANN), text("x"))) for _ in range(5)]
        shown.append(messenger.problem)
        assert TOKEN in messenger.secrets
        await messenger.close()
    everything = "\n".join([*shown, caplog.text])
    assert TOKEN.partition(":")[2] not in everything


async def test_answers_obey_the_rates(api: TelegramApi) -> None:
    """Ten quick commands of one person are answered in order, and the emulator refuses none for its rate."""
    desk = Desk()
    async with hearing(make(api), desk):
        for number in range(6):
            api.say(ANN, f"/latest {number}")
        await eventually(lambda: len(texts(api, ANN)) == 6, 8)
    assert texts(api, ANN) == [f"heard /latest {number}" for number in range(6)]
    assert api.peaks()["refused_for_rate"] == 0


async def test_an_answer_waits_out_a_429(api: TelegramApi) -> None:
    """A person's answer is worth waiting for, exactly as long as asked."""
    api.fault(method="sendMessage", status=429, parameters={"retry_after": 1})
    async with hearing(make(api), Desk()):
        api.say(ANN, "/help")
        await eventually(lambda: texts(api, ANN))
    refused, taken = api.log.of("sendMessage")
    assert 0.95 <= taken["at"] - refused["at"] < 1.6


# ---------------------------------------------------------------- webhook


@contextlib.asynccontextmanager
async def webhooked(api: TelegramApi, desk: Desk) -> AsyncIterator[tuple[TelegramMessenger, str]]:
    """The bot behind its own web server, registered with the emulator."""
    hooks: dict[str, Any] = {}

    async def ready() -> str:
        return ""

    async def late(headers: Any, body: bytes) -> tuple[int, str, bytes]:
        return await hooks["telegram"](headers, body)  # type: ignore[no-any-return]

    server = WebServer("127.0.0.1", 0, ready=ready, webhooks={"/webhooks/telegram": late})
    await server.start()
    url = f"http://127.0.0.1:{server.port}/webhooks/telegram"
    messenger = make(api, webhook_url=url)
    hooks["telegram"] = messenger.webhook
    try:
        async with hearing(messenger, desk):
            await eventually(lambda: api.webhook)
            yield messenger, url
    finally:
        await server.close()


async def test_webhook_mode_hears_and_row_39_redelivery_has_one_effect(api: TelegramApi) -> None:
    """Updates come by POST with the secret; the same update_id again is answered 200 and does nothing."""
    desk = Desk()
    async with webhooked(api, desk):
        api.say(ANN, "/help")
        await eventually(lambda: texts(api, ANN) == ["heard /help"])
        api.dup()
        await eventually(lambda: len(api.log.of("(webhook)", ok=True)) == 2)
        assert len(desk.heard) == 1
        assert api.log.of("getUpdates") == []


async def test_row_41_wrong_secrets_do_nothing(api: TelegramApi, caplog: pytest.LogCaptureFixture) -> None:
    """No secret, a wrong one, or junk with the right one: refused, no work, nothing of it logged."""
    caplog.set_level(logging.INFO)
    update = {
        "update_id": 1,
        "message": {"message_id": 1, "date": 1, "chat": {"id": ANN, "type": "private"}, "text": "/forget EVIL"},
    }
    desk = Desk()
    async with webhooked(api, desk) as (messenger, url), aiohttp.ClientSession() as session:
        right = {"X-Telegram-Bot-Api-Secret-Token": api.webhook["secret"]}
        for headers, data, status in (
            ({}, json.dumps(update), 403),
            ({"X-Telegram-Bot-Api-Secret-Token": "wrong-ß"}, json.dumps(update), 403),
            (right, "EVIL", 400),
            (right, "[1]", 400),
            (right, "{}", 200),
        ):
            async with session.post(url, data=data, headers=headers) as answer:
                assert answer.status == status
        assert api.webhook["secret"] in messenger.secrets
    assert desk.heard == []
    assert "EVIL" not in caplog.text


async def test_a_group_gets_twenty_a_minute_and_then_a_time(api: TelegramApi) -> None:
    """The twenty-first send of a minute is not made: the outbox learns when it may be."""
    api.limited = False
    api.group(GROUP)
    async with sender(api) as messenger:
        outcomes = [await messenger.send(chat(GROUP, ""), text(str(n))) for n in range(21)]
        assert isinstance(await messenger.send(chat(ANN), text("x")), Sent)
    assert all(isinstance(outcome, Sent) for outcome in outcomes[:20])
    last = outcomes[20]
    assert isinstance(last, RetryLater)
    assert last.after is not None
    assert 55 < last.after <= 60.5
    assert len(api.log.of("sendMessage")) == 21


@pytest.mark.slow
async def test_the_permitted_rate_is_used_and_never_broken(api: TelegramApi) -> None:
    """I5 of faults.md: 150 sends to 50 chats, paced as the outbox does it: at most 30 arrive in any second."""
    for person in range(100, 150):
        api.person(person)
    pace = LocalPace(SystemClock())
    async with sender(api) as messenger:

        async def one_chat(person: int) -> None:
            for _ in range(3):
                where = chat(person)
                await pace.turn(where, limits=messenger.limits, group=False)
                assert isinstance(await messenger.send(where, text("x")), Sent)

        started = time.monotonic()
        await asyncio.gather(*(one_chat(person) for person in range(100, 150)))
        rate = 150 / (time.monotonic() - started)
    assert api.peaks()["all_per_second"] <= 30
    assert api.peaks()["refused_for_rate"] == 0
    assert rate > 24.0


# ---------------------------------------------------------------- files, channels from the private chat


async def test_a_list_of_feeds_arrives_with_its_bytes(api: TelegramApi) -> None:
    """GetFile, then the file's own address below base_url; other files go only where they are meant for the bot."""
    got: list[bytes | None] = []

    class Reader(Desk):
        async def answer(self, incoming: Incoming) -> Reply | None:
            assert incoming.file is not None
            got.append(await incoming.file.read())
            return await super().answer(incoming)

    desk = Reader()
    api.rights(GROUP, "administrator")
    async with hearing(make(api), desk):
        api.upload(ANN, "feeds.opml", "<opml/>")
        await eventually(lambda: len(got) == 1)
        api.upload(GROUP, "feeds.OPML", "<opml>2</opml>", BOB)
        await eventually(lambda: len(got) == 2)
        api.upload(GROUP, "holiday.jpg", "jpg", BOB)
        api.upload(ANN, "holiday.jpg", "jpg")
        api.fault(method="getFile", status=400, description="Bad Request: file is too big")
        await eventually(lambda: len(got) == 3)
        api.upload(ANN, "long.opml", "x" * (FILE_SIZE + 1), size=10)
        await eventually(lambda: len(got) == 4)
    assert got == [b"<opml/>", b"<opml>2</opml>", None, None]
    assert [incoming.admin for incoming in desk.heard] == [True, False, True, True]
    assert [incoming.file.name for incoming in desk.heard if incoming.file][2] == "holiday.jpg"


async def test_who_makes_it_an_admin_of_a_channel_hears_from_it(api: TelegramApi) -> None:
    """In their private chat, with the channel's name; somebody who never wrote to the bot costs nothing."""
    desk = Desk()
    async with hearing(make(api), desk):
        await eventually(lambda: api.state()["polling"])
        api.rights(CHANNEL, "administrator", by=ANN)
        api.rights(CHANNEL, "administrator", by=4711)
        await eventually(lambda: texts(api, ANN) == ["added to Wire"])
        api.say(ANN, "/help")
        await eventually(lambda: len(texts(api, ANN)) == 2)
    incoming, room = desk.rooms[0]
    assert (incoming.chat, incoming.user, room.id) == (chat(ANN), str(ANN), chat(CHANNEL))


async def test_rooms_are_managed_by_their_admins_alone(api: TelegramApi) -> None:
    """By number or @name; members, strangers, unknown rooms and private chats are refused."""
    api.channel(CHANNEL, name="wire", members={str(ANN): "creator", str(BOB): "member"})
    async with sender(api) as messenger:
        for name in (str(CHANNEL), "@wire"):
            room = await messenger.managed(str(ANN), name)
            assert room is not None
            assert (room.id, room.title) == (chat(CHANNEL), "Wire")
            assert await messenger.managed(str(BOB), name) is None
        for name in ("@unknown", "-99", str(BOB), str(ANN), "-" + "9" * 30, "@"):
            assert await messenger.managed(str(ANN), name) is None


async def test_links_and_names_come_with_what_people_say(api: TelegramApi) -> None:
    """Whoever shares a subscription needs the bot's own address."""
    desk = Desk()
    async with hearing(make(api), desk):
        api.say(ANN, "/share")
        await eventually(lambda: desk.heard)
    assert desk.heard[0].bot_link == "https://t.me/tocsin_test_bot"

"""Pictures and documents reach people on each chat, privately where they are private, and as words where they can't."""

import io
import json
from typing import Any

import pytest

from bot.chats.console import ConsoleMessenger
from bot.chats.plain import spelt_out
from bot.clock import SystemClock
from bot.model import Attachment, ChatId, Message, Reply, Sent, Span
from tests.chats.rig import Desk, eventually, text
from tests.chats.test_slack import connected
from tests.chats.test_slack import slack as slack  # noqa: PLC0414  a fixture
from tests.chats.test_telegram import ANN, GROUP, chat, sender
from tests.chats.test_telegram import api as api  # noqa: PLC0414  a fixture
from tests.emulators.slack_api import SlackApi
from tests.emulators.telegram_api import TelegramApi

PICTURE = Attachment("trend.png", b"\x89PNG-picture", "image/png", "3 on Tuesday")
DATA = Attachment("tocsin.json", b'{"chat": 1}', "application/json", '{"chat": 1}')


def message(file: Attachment, words: str = "Idlib & more") -> Message:
    return Message((Span(words, bold=True),), attachment=file)


async def test_telegram_shows_pictures_and_offers_documents(api: TelegramApi) -> None:
    """As a photo with a caption, as a document with its name; escaped like any text, silent and as a reply too."""
    async with sender(api) as messenger:
        first = await messenger.send(chat(ANN), message(PICTURE))
        assert isinstance(first, Sent)
        second = await messenger.send(chat(GROUP), message(DATA), reply_to="77")
        assert isinstance(second, Sent)
    assert api.attached == [("trend.png", b"\x89PNG-picture"), ("tocsin.json", b'{"chat": 1}')]
    shown = api.shown(ANN)[0]
    assert (shown["caption"], shown["caption_entities"][0]["type"]) == ("Idlib & more", "bold")
    assert api.shown(GROUP)[0]["document"]["file_name"] == "tocsin.json"


async def test_a_caption_is_cut_to_telegrams_limit(api: TelegramApi) -> None:
    """Row 28: 1024 UTF-16 units after entities, never inside a character."""
    async with sender(api) as messenger:
        assert isinstance(await messenger.send(chat(ANN), message(PICTURE, "<b>🎉" * 2000)), Sent)
    caption = api.shown(ANN)[0]["caption"]
    assert 900 < len(caption.encode("utf-16-le")) // 2 <= 1024


@pytest.mark.parametrize(("private", "where"), [(False, "C1"), (True, "DU1")])
async def test_slack_uploads_where_it_belongs(slack: SlackApi, private: bool, where: str) -> None:
    """A chart goes to the channel that asked; what is private goes to the person alone."""
    desk = Desk(lambda _: Reply(message(DATA if private else PICTURE), private=private))
    async with connected(slack, desk):
        slack.slash("/tocsin", "mydata", "U1", "C1")
        await eventually(lambda: any(file[3] for file in slack.files.values()))
    (name, alt, content, channel, comment), *_ = slack.files.values()
    file = DATA if private else PICTURE
    assert (name, alt, content, channel) == (file.name, file.text, file.content, where)
    assert "Idlib &amp; more" in comment


async def test_slack_without_the_scope_tells_it_in_words(slack: SlackApi) -> None:
    """An app installed before files were asked for still answers, and only to the asker."""
    slack.faults.add(method="files.getUploadURLExternal", error="missing_scope")
    desk = Desk(lambda _: Reply(message(DATA), private=True))
    async with connected(slack, desk):
        slack.slash("/tocsin", "mydata", "U1", "C1")
        whispers: list[Any] = await eventually(slack.whispers)
    assert '"chat": 1' in json.dumps(whispers).replace("\\", "")
    assert slack.shown("C1") == []


async def test_the_console_prints_what_stands_in_for_it() -> None:
    """No picture on a terminal: its numbers."""
    out = io.StringIO()
    console = ConsoleMessenger(SystemClock(), stdout=out)
    await console.send(ChatId("console", "console"), message(PICTURE))
    assert "3 on Tuesday" in out.getvalue()
    assert spelt_out(text("x")) == text("x")

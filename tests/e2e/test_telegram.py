"""The real process against a strict Bot API on loopback: what a person on Telegram lives through."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from tests.e2e.process import Bot
from tests.e2e.replay import Publisher, document
from tests.emulators.telegram_api import TOKEN, TelegramApi

ANN, GROUP = 7, -50
NORTH = "Nine killed as shells hit market in Ariha, Idlib"
FERRY = "Ferry runs aground off Idlib lighthouse"


async def eventually(check: Callable[[], object], what: str, within: float = 15.0) -> None:
    """Waits for the other process to get there."""
    try:
        async with asyncio.timeout(within):
            while not check():
                await asyncio.sleep(0.05)
    except TimeoutError:
        pytest.fail(f"never happened: {what}")


class Scene:
    """A bot, a Telegram, a newspaper."""

    def __init__(self, folder: Path, api: TelegramApi, press: Publisher) -> None:
        self.api, self.press = api, press
        self.bot = Bot(
            folder,
            f'[store]\nurl = "tinydb:///{folder / "store.json"}"\n'
            f'[telegram]\ntoken = "{TOKEN}"\nbase_url = "{api.base_url}"\n'
            '[sources]\ninterval = 1\nallow_private_networks = ["127.0.0.0/8"]\n'
            f'[[source]]\nurl = "{press.url("north")}"\nname = "North Wire"\n',
        )

    def texts(self, chat: int) -> list[str]:
        return [message["text"] for message in self.api.shown(chat) if message.get("from", {}).get("is_bot")]

    def toasts(self) -> list[str]:
        """What stood in the notes over pressed buttons."""
        return [call["params"].get("text", "") for call in self.api.log.of("answerCallbackQuery", ok=True)]

    async def says(self, chat: int, text: str, part: str, user: int | None = None) -> None:
        """A person types; an answer with this part comes."""
        before = len(self.texts(chat))
        self.api.say(chat, text, user) if user else self.api.say(chat, text)
        await eventually(
            lambda: any(part in t for t in self.texts(chat)[before:]),
            f"answer {part!r} to {text!r}: {self.texts(chat)}",
        )

    async def publishes(self, *titles: str) -> None:
        self.press.bodies["north"].append(document(titles))
        self.press.at["north"] = len(self.press.bodies["north"]) - 1


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    press = await Publisher({"north": [document(("Old news of no interest",))]}).start()
    async with TelegramApi() as api:
        api.person(ANN)
        scene = Scene(tmp_path, api, press)
        await scene.bot.start(stdin="")
        try:
            await eventually(lambda: "north" in press.finished, "the first poll is stored")
            yield scene
        finally:
            await scene.bot.kill()
            await press.stop()


@pytest.mark.slow
async def test_subscribe_ring_press_and_stop(scene: Scene) -> None:
    """Start, subscribe, a feed changes, it rings; every button answers; SIGTERM ends it in time; no token in any output."""
    await scene.says(ANN, "/start", "/subscribe")
    await scene.says(ANN, "/subscribe Idlib", "One subscription added")
    await scene.publishes("Old news of no interest", NORTH)
    await eventually(lambda: any(t.startswith(NORTH) for t in scene.texts(ANN)), "it rings")
    ring = next(m for m in scene.api.shown(ANN) if m["text"].startswith(NORTH))
    for row in ring["reply_markup"]["inline_keyboard"]:
        for button in row:
            scene.api.press(ANN, ring["message_id"], data=button["callback_data"])
    await eventually(lambda: any("silent for 24 hours" in t for t in scene.texts(ANN)), "snooze is answered")
    await eventually(lambda: any("Muted" in t for t in scene.toasts()), "mute is answered")
    await eventually(lambda: any("Rang for Idlib" in t for t in scene.texts(ANN) + scene.toasts()), "why is answered")
    assert await scene.bot.stop() == 0
    output = scene.bot.printed() + scene.bot.errors.read_text()
    assert TOKEN not in output
    assert TOKEN.split(":")[1] not in output
    assert sum(t.startswith(NORTH) for t in scene.texts(ANN)) == 1


@pytest.mark.slow
async def test_commands_sent_while_it_was_down_are_answered(scene: Scene) -> None:
    """Nothing a person typed is dropped, and nothing is answered twice; row 38: buttons of before still do what they say."""
    await scene.says(ANN, "/subscribe Idlib", "One subscription added")
    added = scene.api.shown(ANN)[-1]["message_id"]
    await scene.bot.kill()
    scene.api.say(ANN, "/subscribe ferry")
    await scene.publishes("Old news of no interest", FERRY)
    await scene.bot.start(stdin="")
    await eventually(lambda: any("ferry" in t for t in scene.texts(ANN)), "the command is answered")
    await eventually(lambda: any(t.startswith(FERRY) for t in scene.texts(ANN)), "it rings")
    assert sum("One subscription added" in t for t in scene.texts(ANN)) == 2
    scene.api.press(ANN, added, label="Undo")
    await eventually(
        lambda: any("Stopped: Idlib" in t for t in scene.texts(ANN)), "a button of before the restart works"
    )
    scene.api.press(ANN, added, data="of-another-time")
    await eventually(lambda: any("expired" in t for t in scene.toasts()), "an unknown button is answered kindly")
    assert await scene.bot.stop() == 0


@pytest.mark.slow
async def test_group_admins_only_block_and_migration(scene: Scene) -> None:
    """Rows 35, 61, 62: members read, admins change; a blocked chat waits; a migrated group rings at its new id once."""
    api = scene.api
    api.group(GROUP, members={str(ANN): "creator", "8": "member"})
    await scene.says(GROUP, "/subscribe@tocsin_test_bot Idlib", "Only admins", user=8)
    await scene.says(GROUP, "/subscribe@tocsin_test_bot Idlib", "One subscription added", user=ANN)
    await scene.says(ANN, "/subscribe ferry", "One subscription added")
    api.block(ANN)
    new = api.migrate(GROUP)
    await scene.publishes("Old news of no interest", NORTH, FERRY)
    await eventually(lambda: any(t.startswith(NORTH) for t in scene.texts(new)), "it rings at the new id")
    assert not any(t.startswith(FERRY) for t in scene.texts(ANN))
    api.unblock(ANN)
    await scene.says(ANN, "/start", "/subscribe")
    await eventually(lambda: any(t.startswith(FERRY) for t in scene.texts(ANN)), "what waited arrives")
    assert sum(t.startswith(NORTH) for t in scene.texts(new)) == 1
    assert await scene.bot.stop() == 0


@pytest.mark.slow
async def test_ten_thousand_subscriptions_by_one_chat(scene: Scene) -> None:
    """Row 33: refused at the quota with a clear answer, in one line or in a flood; nobody else notices."""
    bob = 8
    scene.api.person(bob)
    full = "200 of at most 200 subscriptions: nothing was added"
    await scene.says(ANN, "/subscribe " + ", ".join(f"a{n:03}" for n in range(200)), "200 subscriptions added")
    await scene.says(ANN, "/subscribe " + ", ".join(f"b{n:03}" for n in range(600)), full)
    answered = len(scene.texts(ANN))
    for n in range(10_000):
        scene.api.say(ANN, f"/subscribe c{n}")
    await scene.says(bob, "/subscribe Idlib", "One subscription added")
    await scene.publishes("Old news of no interest", NORTH)
    await eventually(lambda: any(t.startswith(NORTH) for t in scene.texts(bob)), "it rings for the other")
    await eventually(lambda: not scene.api.updates, "all that was typed is taken")
    assert all(full in text for text in scene.texts(ANN)[answered:])
    assert await scene.bot.stop() == 0

"""Which part of the bot a process does: what is refused, and two processes' ingest side by side."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bot.app.roles import ROLES, check_roles, parse_roles
from bot.app.run import running
from bot.config import Config, WebConfig
from bot.errors import ConfigError
from bot.ingest import Ingest
from bot.model import DeliveryKind, PollCommit
from bot.stories.summary import Habits
from bot.text import language
from tests.store.fixtures import postgres_dsn, postgres_place
from tests.store.stores import Place
from tests.world import World, item

__all__ = ["postgres_dsn", "postgres_place"]


@pytest.mark.parametrize(
    ("text", "roles"),
    [
        ("", set(ROLES)),
        ("poll", {"poll"}),
        ("poll,ingest", {"poll", "ingest"}),
        (" Deliver , chat,", {"deliver", "chat"}),
        ("web,web", {"web"}),
        ("poll,ingest,deliver,chat,web", set(ROLES)),
    ],
)
def test_roles_are_read(text: str, roles: set[str]) -> None:
    """What a Procfile says is what runs."""
    assert parse_roles(text) == roles


def test_an_unknown_role_is_named_with_those_there_are() -> None:
    """A misspelt role must not run as all of them, or as nothing."""
    with pytest.raises(ValueError, match="'deliverer': there are poll, ingest, deliver, chat, web"):
        parse_roles("poll,deliverer")


def test_a_part_on_a_store_of_one_process_is_refused_with_what_to_do() -> None:
    """A TinyDB file has one owner; a second process would be locked out, and a part alone would do nothing."""
    check_roles(Config(), frozenset(ROLES))
    check_roles(Config(store_url="postgresql://h/t"), frozenset({"poll"}))
    with pytest.raises(ConfigError, match=r"tocsin db copy tinydb:///data/tocsin.json postgresql://"):
        check_roles(Config(), frozenset({"poll"}))


def test_a_web_process_without_a_port_is_refused() -> None:
    """It would run and do nothing."""
    with pytest.raises(ConfigError, match="port"):
        check_roles(Config(store_url="postgresql://h/t"), frozenset({"web"}))
    check_roles(Config(store_url="postgresql://h/t", web=WebConfig(port=80)), frozenset({"web"}))


SHELLS = item("Nine killed as shells hit market in Ariha, Idlib", "Shells hit a market in Ariha in Idlib province.")
AGAIN = item(
    "Shelling of Ariha market in Idlib kills nine", "Nine people died when shells hit the market of Ariha, Idlib."
)
OTHER = item("Ferry runs aground off lighthouse of Tartus", "All passengers were taken off the ferry near Tartus.")


@pytest.mark.postgres
async def test_who_stood_by_goes_on_as_the_elected_one_would_have(tmp_path: Path, postgres_place: Place) -> None:
    """Entries that could be one story meet, whichever process was elected when they came; subscriptions are followed."""
    world = await World(tmp_path, url=postgres_place.url).open()

    def another() -> Ingest:
        return Ingest(
            store=world.store, clock=world.clock, wake=lambda: None, owners={}, habits=Habits(), fault=lambda _: None
        )

    try:
        await world.baseline()
        first, standby = world.ingest, another()
        await standby.follow()
        await world.say("/subscribe Idlib")
        await world.poll("North Wire", SHELLS)
        await world.poll("Coast Radio", OTHER)
        await standby.follow()
        world.ingest = standby
        await world.poll("Harbour Post", AGAIN)
        await first.follow()
        world.ingest = first
        await world.poll("Levant Daily", item("Ariha market: nine dead after shells hit Idlib town", SHELLS.summary))
        stories = await world.store.open_stories(world.clock.now().replace(year=2020))
        told = next(story for story in stories if len(story.entries) > 1)
        assert len(told.entries) == 3
        rows = await world.store.deliveries(None, [told.id])
        assert [row.kind for row in rows].count(DeliveryKind.RING) == 1
    finally:
        await world.store.close()


@pytest.mark.postgres
async def test_merges_by_another_process_are_followed(tmp_path: Path, postgres_place: Place) -> None:
    """A window that still held two halves of a story that was merged elsewhere would tear it apart again."""
    world = await World(tmp_path, url=postgres_place.url).open()
    try:
        await world.baseline()
        await world.poll("North Wire", SHELLS)
        await world.poll("Coast Radio", OTHER)
        standby = Ingest(
            store=world.store, clock=world.clock, wake=lambda: None, owners={}, habits=Habits(), fault=lambda _: None
        )
        await standby.follow()
        one, two = await world.store.open_stories(world.clock.now().replace(year=2020))
        # as a late merge leaves it
        merged = replace(one, entries=(*one.entries, *two.entries), merged=(two.id,))
        state = (await world.store.feeds())[0][1]
        entries = [replace(e, story=one.id) for e in await world.store.entries(two.entries)]
        await world.store.commit(
            PollCommit(state, entries=tuple(entries), stories=(merged, replace(two, merged_into=one.id)))
        )
        await standby.follow()
        assert standby._stories is not None
        assert [*standby._stories._window.stories] == [one.id]
        assert len(standby._stories._window.stories[one.id].members) == 2
    finally:
        await world.store.close()


@pytest.mark.parametrize(
    ("role", "code", "said"),
    [("poll,sing", 2, "no role 'sing'"), ("poll", 1, "tocsin db copy")],
    ids=["unknown", "part of a TinyDB bot"],
)
def test_the_command_says_what_is_wrong_with_a_role(tmp_path: Path, role: str, code: int, said: str) -> None:
    """Exit 2 for wrong usage, 1 for what the configuration does not permit; one line each, and no store is made."""
    config = tmp_path / "config.toml"
    config.write_text(f'[store]\nurl = "tinydb:///{tmp_path}/store.json"\n')
    command = [sys.executable, "-m", "bot", "run", "--config", str(config), "--role", role]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=False, cwd=Path(__file__).parents[1]
    )
    assert done.returncode == code
    assert said in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
    assert [*tmp_path.iterdir()] == [config]


@pytest.mark.postgres
@pytest.mark.parametrize("role", ["deliver", "chat"])
async def test_a_process_that_takes_nothing_in_has_the_language_model_before_it_works(
    postgres_place: Place, role: str
) -> None:
    """I7: at the first alert or command that needs it, it would hold the event loop for most of a second."""
    language._identifier.cache_clear()
    async with running(Config(store_url=postgres_place.url), roles=frozenset({role})):
        assert language._identifier.cache_info().currsize == 1

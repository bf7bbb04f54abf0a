"""/language: listed by their own names, chosen by code or name, kept."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from bot import i18n
from tests.catalogues import Marked, write_po
from tests.world import HERE, World


@pytest.fixture
def locale(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Turkish and Arabic, as far as these tests hear them."""
    monkeypatch.setattr(i18n, "LOCALE", tmp_path / "locale")
    i18n.nearest.cache_clear()
    done = Marked("From now on I speak {language} here.", "")
    write_po(
        tmp_path / "locale", "tr", {done: ("Artık burada {language} konuşuyorum.",)}, "nplurals=2; plural=(n != 1);"
    )
    write_po(tmp_path / "locale", "ar", {done: ("سأتحدث {language} هنا.",)}, "nplurals=1; plural=0;")
    yield tmp_path / "locale"
    i18n.nearest.cache_clear()


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    world = await World(tmp_path).open()
    yield world
    await world.store.close()


@pytest.mark.usefixtures("locale")
async def test_a_language_is_chosen_and_kept(world: World) -> None:
    """By code, by its own name, in any case; the answer is already in it, and the next one too."""
    listed = await world.say("/language")
    assert "I speak English here" in listed.message.text
    assert "Türkçe (tr)" in listed.message.text
    assert [b.label for row in listed.message.buttons for b in row] == ["العربية", "Türkçe"]
    for wanted in ("/language TR", "/language türkçe", "/language tr-TR"):
        assert (await world.say(wanted)).message.text == "Artık burada Türkçe konuşuyorum."
    kept = await world.store.chat(HERE)
    assert kept is not None
    assert kept.language == "tr"
    assert "Türkçe" in (await world.say("/language")).message.text


@pytest.mark.usefixtures("locale")
async def test_a_language_that_is_not_there_changes_nothing(world: World) -> None:
    """What was typed is shown back, and the nearest name offered."""
    reply = await world.say("/language turkce")
    assert reply.message.text == "I don't speak turkce yet. Did you mean /language tr?"
    assert await world.store.chat(HERE) is None or (await world.store.chat(HERE)).language == "en"  # type: ignore[union-attr]


async def test_what_is_written_from_the_right_is_marked_so(world: World) -> None:
    """Replies and alerts tell the adapters where their lines begin."""
    assert not (await world.say("/help")).message.right_to_left
    await world.say("/language ar")
    assert (await world.say("/help")).message.right_to_left

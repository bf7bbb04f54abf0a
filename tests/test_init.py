"""`tocsin init`: what a newcomer answers becomes a file that loads; what can't be used is asked again."""

import subprocess
import sys
from pathlib import Path

import pytest

from bot.config import load_config
from tests.test_cli import process

#: shaped like one; Telegram never gave it
TOKEN = "1234567890:AAbbCCddEEffGGhhIIjjKKllMMnnOOppQQr"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory of its own."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_enter_all_the_way_gives_the_example(home: Path) -> None:
    """Every source of the example, no platform: a file to run as it is."""
    done = process("init", stdin="\n" * 6)
    config = load_config(home / "config.toml", {})
    assert done.returncode == 0, done.stderr
    assert f"{len(config.feeds)} sources" in done.stdout
    assert config.feeds == load_config(Path(__file__).parents[1] / "config.example.toml", {}).feeds
    assert not config.has_telegram
    assert config.console_enabled


def test_the_next_step_can_be_typed(home: Path) -> None:
    """In a clone the command is in .venv/bin, which no shell looks into."""
    script = home / ".venv" / "bin" / "tocsin"
    script.parent.mkdir(parents=True)
    script.write_text("import sys; from bot.cli import main; main()\n")
    env = {"PATH": "/nowhere", "PYTHONPATH": str(Path(__file__).parents[1]), "HOME": str(home)}
    done = subprocess.run(
        [sys.executable, str(script), "init"],
        input="\n" * 6,
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "Next: `.venv/bin/tocsin check` tries everything" in done.stdout


def test_answers_stand_in_the_file_and_are_nobody_elses(home: Path) -> None:
    """Wrong ones are asked again with what is wrong; secrets are not shown; only the owner may read the file."""
    answers = [
        "xx",
        "TR, en",
        "nonsense",
        TOKEN,
        "",
        'desk "A" <me@example.org>',
        "sqlite:///x",
        "tinydb:///kept/here.json",
    ]
    done = process("init", stdin="\n".join(answers) + "\n")
    assert done.returncode == 0, done.stderr
    config = load_config(home / "config.toml", {})
    assert {feed.language for feed in config.feeds} == {"tr", "en"}
    assert config.telegram.token == TOKEN
    assert config.sources.contact == 'desk "A" <me@example.org>'
    assert config.store_url == "tinydb:///kept/here.json"
    assert (home / "config.toml").stat().st_mode & 0o077 == 0
    for complaint in ("must be some of", "is not a bot token", "must begin with tinydb:///"):
        assert complaint in done.stdout
    assert TOKEN not in done.stdout + done.stderr
    assert "Telegram: broken: " in done.stdout


def test_a_file_that_is_there_is_never_lost(home: Path) -> None:
    """Refused without --force; an answer that never comes writes nothing."""
    (home / "config.toml").write_text("# mine\n")
    refused = process("init", stdin="\n" * 6)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "--force" in refused.stderr
    cut = process("init", "other.toml", stdin="en\n")
    assert cut.returncode == 1
    assert "Traceback" not in cut.stderr
    assert [path.name for path in home.iterdir()] == ["config.toml"]
    assert (home / "config.toml").read_text() == "# mine\n"
    assert process("init", "--force", stdin="\n" * 6).returncode == 0

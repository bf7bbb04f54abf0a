"""`tocsin init`: a few questions, and a config.toml that works."""

from __future__ import annotations

import json
import os
import re
import sys
import tomllib
from pathlib import Path  # noqa: TC003  typer reads it
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.shell import out, run, typed
from bot.config import DEFAULT_FILE, checks, example_path, load_config
from bot.errors import ConfigError
from bot.i18n import language_name

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

#: the sources of the example begin here
_SOURCES = "# ---------------------------------------------------------------- sources"


def init(
    file: Annotated[Path, typer.Argument(metavar="[FILE]", help="What to write.", show_default=True)] = DEFAULT_FILE,
    force: Annotated[bool, typer.Option("--force", help="Write over a file that is there.")] = False,
) -> None:
    """Ask a few questions and write a configuration that works; Enter takes what stands in brackets."""
    if file.exists() and not force:
        raise ConfigError(
            [f"{file} is there already; `tocsin init --force` writes over it, `tocsin init OTHER` beside it"]
        )
    example = example_path().read_text("utf-8")
    head, _, sources = example.partition(_SOURCES)
    blocks = _blocks(sources)
    languages = sorted({language for language, _block in blocks})
    out("Enter takes what stands in brackets. Nothing is written before the last question.")
    out("News in which languages? " + ", ".join(f"{tag} {language_name(tag)}" for tag in languages))
    chosen = _ask("Languages", " ".join(languages), _languages(languages))
    out("Telegram: write /newbot to @BotFather, who gives a token like 123456:ABC-DEF… Empty: no Telegram.")
    telegram = _ask("Telegram token", "", checks.telegram_token, hidden=True)
    out("Slack: `tocsin slack manifest` prints the app to create. Empty: no Slack.")
    bot_token = _ask("Slack bot token (xoxb-…)", "", checks.prefixed("xoxb-"), hidden=True)
    app_token = _ask("Slack app token (xapp-…)", "", _needed("xapp-"), hidden=True) if bot_token else ""
    out("Publishers like to know who asks: an address or mailbox for the User-Agent. Empty: none.")
    contact = _ask("Contact", "", checks.text)
    out("Where is everything kept? A file, or postgresql://user:password@host/database.")
    store = _ask("Store", "tinydb:///data/tocsin.json", checks.store_url)
    answers = {
        ("store", "url"): store,
        ("telegram", "token"): telegram,
        ("slack", "bot_token"): bot_token,
        ("slack", "app_token"): app_token,
        ("sources", "contact"): contact,
    }
    listed = "\n\n".join(block for language, block in blocks if language in chosen)
    text = f"{_filled(head, answers)}{_SOURCES}{_preamble(sources)}\n\n{listed}\n"
    _write(file, text, force=force)
    config = load_config(file, {})
    secret = " It holds your tokens: only you can read it." if telegram or bot_token else ""
    out(f"{file} is written, with {len(config.feeds)} sources.{secret}")
    run(_greet(config))
    where = "" if file == DEFAULT_FILE else f" --config {file}"
    out(f"Next: `{typed()} check{where}` tries everything, `{typed()} run{where}` starts the bot.")


async def _greet(config: Any) -> None:
    """Whether the tokens work is better known now than at the first start."""
    from bot.app import check_slack, check_telegram  # noqa: PLC0415  imports everything

    for name, wanted, ask in (
        ("Telegram", config.has_telegram, check_telegram),
        ("Slack", config.has_slack, check_slack),
    ):
        if wanted:
            for finding in await ask(config):
                repair = f" ({finding.repair})" if finding.repair else ""
                out(f"{name}: {finding.verdict}: {finding.detail}{repair}")


def _ask(question: str, default: str, check: Callable[[object], Any], *, hidden: bool = False) -> Any:
    """Asks until the answer can be used. On a terminal secrets are not echoed."""
    while True:
        hide = hidden and sys.stdin.isatty()
        answer = typer.prompt(question, default=default, show_default=bool(default), hide_input=hide)
        try:
            return check(answer.strip())
        except checks.Wrong as wrong:
            out(f"  that {wrong}")


def _languages(known: list[str]) -> Callable[[object], set[str]]:
    def check(value: object) -> set[str]:
        wanted = set(re.split(r"[,\s]+", str(value).lower().strip()))
        if not wanted <= set(known):
            raise checks.Wrong(f"must be some of {' '.join(known)}")
        return wanted

    return check


def _needed(prefix: str) -> Callable[[object], str]:
    """A secret that is wanted because another was given."""

    def check(value: object) -> str:
        given = checks.prefixed(prefix)(value)
        if not given:
            raise checks.Wrong(f"is needed for Socket Mode: {prefix}…, from Basic Information, App-Level Tokens")
        return given

    return check


def _filled(head: str, answers: dict[tuple[str, str], str]) -> str:
    """The example's settings with these values; its comments stay, so that the file explains itself."""
    section, lines = "", []
    for line in head.splitlines():
        if header := re.fullmatch(r"\[(\w+)\]", line):
            section = header[1]
        key = re.match(r"(\w+) = ", line)
        given = answers.get((section, key[1]), "") if key else ""
        lines.append(f"{key[1]} = {json.dumps(given, ensure_ascii=False)}" if key and given else line)
    opening = "# Tocsin's configuration; every key is optional. `tocsin check` tries it."
    return "\n".join([opening, *lines[2:]]) + "\n"


def _blocks(sources: str) -> list[tuple[str, str]]:
    """(language, text) of each [[source]] of the example."""
    texts = [part.strip() for part in re.split(r"(?m)^(?=\[\[source\]\])", sources) if part.startswith("[[source]]")]
    blocks = [re.sub(r"\n\s*\n?#.*", "", text, flags=re.DOTALL).strip() for text in texts]
    return [(tomllib.loads(block)["source"][0].get("language", "en"), block) for block in blocks]


def _preamble(sources: str) -> str:
    """The comment that explains the keys of a source."""
    return sources.split("\n\n", 1)[0].rstrip()


def _write(file: Path, text: str, *, force: bool) -> None:
    """For the owner's eyes only, and whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    beside = file.with_name(f".{file.name}.new")
    beside.unlink(missing_ok=True)
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as handle:
        handle.write(text)
    if file.exists() and not force:
        beside.unlink()
        raise ConfigError([f"{file} appeared meanwhile; nothing was written"])
    beside.replace(file)

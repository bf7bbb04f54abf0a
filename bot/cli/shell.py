"""What all commands share: options, ways of printing, and the way from an exception to an exit code."""

from __future__ import annotations

import asyncio
import json
import logging
import shutil
import sys
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, TypeVar
from urllib.parse import unquote, urlsplit

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from bot import log
from bot.config import Config, from_environment
from bot.errors import ConfigError, QueryError, TocsinError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

T = TypeVar("T")

ConfigOption = Annotated[
    Path | None, typer.Option("--config", metavar="FILE", help="Configuration; else $TOCSIN_CONFIG, else config.toml.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="JSON lines on standard output, and nothing else there.")]


def settings(path: Path | None) -> Config:
    """The configuration, with logging set up as a command wants it: warnings only, on standard error."""
    config = from_environment(path)
    log.configure(config.log_level if config.log_level_given else "warning", config.secrets())
    return config


def typed() -> str:
    """How this command is typed here: its name where the shell finds it, else its path."""
    own = Path(sys.argv[0])
    if shutil.which("tocsin") or own.name != "tocsin":
        return "tocsin"
    return str(own.relative_to(Path.cwd())) if own.is_relative_to(Path.cwd()) else str(own)


def now() -> datetime:
    """The time, for commands that run once and end; the clock of the bot itself is an adapter that only app names."""
    return datetime.now(UTC)  # noqa: TID251  see above


def nothing_stored(config: Config) -> bool:
    """Whether no run has made the store yet: opening it to read would only complain."""
    if not config.store_url.startswith("tinydb:"):
        return False
    path = Path(unquote(urlsplit(config.store_url).path)[1:])
    return not any(path.parent.glob(f"{path.name}*"))


def run(work: Coroutine[Any, Any, T]) -> T:
    """Runs the coroutine, on uvloop where there is one."""
    try:
        import uvloop  # noqa: PLC0415  not on every platform
    except ImportError:
        return asyncio.run(work)
    return uvloop.run(work)


def out(text: str = "") -> None:
    """One line on standard output; control characters of feeds never reach a terminal."""
    sys.stdout.write(f"{log.one_line(text)}\n")


def note(text: str) -> None:
    """One line on standard error."""
    sys.stderr.write(f"tocsin: {log.one_line(text)}\n")


def out_json(record: dict[str, Any]) -> None:
    """One JSON line on standard output."""
    sys.stdout.write(f"{json.dumps(record, ensure_ascii=False)}\n")


@contextmanager
def progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on standard error while something long runs; nothing at all where that is no terminal."""
    console = Console(stderr=True)
    bar = Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), console=console, transient=True,
        disable=not console.is_terminal,
    )  # fmt: skip
    with bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def explained(command: Callable[[], object]) -> NoReturn:
    """Runs the whole command line and exits with its code; whatever goes wrong is one line, never a traceback."""
    mask = log.make_redactor(())
    try:
        command()
    except ConfigError as error:
        for problem in error.problems:
            note(mask(problem))
    except QueryError as error:
        hint = f" Did you mean: {error.suggestion}" if error.suggestion else ""
        note(f"{error.message} (at character {error.position + 1} of {error.text!r}).{hint}")
    except TocsinError as error:
        note(mask(str(error)))
    except OSError as error:
        note(mask(str(error)))
    except Exception as error:
        logging.getLogger("tocsin").debug("defect", exc_info=True)
        note(mask(f"this should not have happened: {type(error).__name__}: {error}. LOG_LEVEL=debug tells more."))
    else:
        sys.exit(0)
    sys.exit(1)

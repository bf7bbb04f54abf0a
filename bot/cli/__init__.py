"""The `tocsin` command: it prints, and nothing else.

Exit codes: 0 it went well, 1 a failure explained in one line on standard error, 2 wrong usage.
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from bot import __version__, log
from bot.cli import check, db, feeds, init, reading, slack, status
from bot.cli.shell import ConfigOption, explained, note
from bot.cli.shell import run as run_loop
from bot.config import Config, from_environment

app = typer.Typer(
    name="tocsin",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="A news-alert bot for Telegram, Slack and this console: one story rings once, nothing is lost.",
    epilog="Settings: config.toml, see config.example.toml. Without one, `tocsin run` plays a sample.",
)


def _version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"tocsin {__version__}\n")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_version, help="Show the version and exit.")
    ] = False,
) -> None:
    pass


def run(
    config: ConfigOption = None,
    once: Annotated[
        bool,
        typer.Option(
            "--once", help="Answer the commands on standard input, poll every source once, deliver, and exit."
        ),
    ] = False,
    role: Annotated[
        str,
        typer.Option(
            "--role",
            metavar="ROLE,…",
            help="Only these parts of it: poll, ingest, deliver, chat, web. Needs PostgreSQL; docs/scaling.md.",
        ),
    ] = "",
) -> None:
    """Run the bot until SIGTERM or Ctrl-C.

    Without tokens it chats on the console; without a configuration file it also plays the bundled sample wire.
    """
    from bot.app.roles import parse_roles  # noqa: PLC0415  as below

    try:
        roles = parse_roles(role)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--role") from error
    settings = from_environment(config)
    log.configure(_level(settings), settings.secrets())
    if settings.warning:
        note(settings.warning)
    from bot import app as composition  # noqa: PLC0415  it imports everything; --help should not wait for that

    raise typer.Exit(run_loop(composition.run(settings, once=once, roles=roles)))


def _level(settings: Config) -> str:
    """A chat on a terminal is not to be torn by what only operators read."""
    chatting = settings.console_enabled and sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()
    return "warning" if chatting and not settings.log_level_given else settings.log_level


app.command()(run)
app.command("try")(reading.try_)
app.command()(reading.stories)
app.command()(init.init)
app.command()(check.check)
app.command()(status.status)
app.add_typer(feeds.app, name="feeds")
app.add_typer(db.app, name="db")
app.add_typer(slack.app, name="slack")


def main() -> None:
    """The entry point."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # news is in every script, whatever the locale says
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    explained(lambda: app(prog_name="tocsin"))

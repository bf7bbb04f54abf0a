"""`tocsin slack`: setting up the Slack app."""

from __future__ import annotations

import sys

import typer

from bot.cli.shell import ConfigOption, settings

app = typer.Typer(no_args_is_help=True, help="Set up the Slack app.")


@app.callback()
def _group() -> None:
    pass


@app.command()
def manifest(config: ConfigOption = None) -> None:
    """Print the app manifest to paste at api.slack.com/apps (Create New App, From a manifest).

    It is for Socket Mode; with a signing secret and [web] public_url but no app token, for requests over HTTP.
    """
    from bot.chats.manifest import slack_manifest  # noqa: PLC0415  it imports the texts of all commands

    loaded = settings(config)
    over_http = bool(loaded.web.public_url and loaded.slack.signing_secret and not loaded.slack.app_token)
    sys.stdout.write(slack_manifest(f"{loaded.web.public_url}/slack" if over_http else "").rstrip() + "\n")

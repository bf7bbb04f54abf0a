"""From what was typed after `tocsin feeds add` to feeds: looks, shows what was found, asks which."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

import typer

from bot.cli.shell import out, progress
from bot.errors import SourceError
from bot.sources.find import Found, find_feeds
from bot.sources.urls import mask_url

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bot.config import Config


async def look(config: Config, address: str) -> list[Found]:
    """The feeds behind an address, the most promising first. Raises SourceError with the reason when there is none."""
    from bot.app import make_fetcher, make_parser  # noqa: PLC0415  imports everything

    fetcher, parser = make_fetcher(config), make_parser()
    try:
        with progress(f"looking at {mask_url(address)}"):
            return await find_feeds(address, fetch=fetcher.fetch, parse=parser.parse)
    finally:
        await fetcher.close()
        await parser.close()


def choose(found: Sequence[Found], address: str, *, best: bool, now: datetime) -> list[Found]:
    """Those to add: what was typed, when it is a feed itself; else what the operator picks, or the only one.

    With `best` nobody is asked. Raises SourceError when several were found and nobody can be asked.
    """
    if len(found) == 1 and found[0].url == address:
        return list(found)
    for number, one in enumerate(found, 1):
        out(f"{number:>3}  {mask_url(one.url)}")
        out(f"     {_about(one, now)}")
    if best:
        return [found[0]]
    if sys.stdin.isatty() and sys.stdout.isatty():
        return _ask(found)
    if len(found) == 1:
        return list(found)
    raise SourceError(
        f"{mask_url(address)} has {len(found)} feeds: type `tocsin feeds add` with the address of one, "
        "or `--yes` for the first"
    )


def _about(one: Found, now: datetime) -> str:
    from bot.alerts.render import ago  # noqa: PLC0415  it imports half the house; --help should not wait for that

    entries = f"{one.entries} {'entry' if one.entries == 1 else 'entries'}"
    fresh = f"newest {ago(one.newest, now)}" if one.newest else "without dates" if one.entries else "nothing in it now"
    return f"{one.title or 'without a title'} · {entries} · {fresh}"


def _ask(found: Sequence[Found]) -> list[Found]:
    """Numbers with anything between them; 0 for none. Asks again until it understands."""
    which = "1" if len(found) == 1 else f"1 to {len(found)}, several with commas"
    while True:
        answer = str(typer.prompt(f"Add which? {which}, 0 for none", default="1"))
        numbers = list(dict.fromkeys(int(part) for part in re.findall(r"[0-9]{1,3}", answer)))
        if numbers == [0]:
            return []
        if numbers and all(1 <= number <= len(found) for number in numbers):
            return [found[number - 1] for number in numbers]

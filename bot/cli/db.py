"""`tocsin db`: copy and check stores."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.shell import ConfigOption, nothing_stored, now, out, progress, run, settings
from bot.errors import StoreError
from bot.sources.urls import mask_url

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.config import Config

app = typer.Typer(no_args_is_help=True, help="Copy and check stores.")


@app.command()
def copy(
    source: Annotated[str, typer.Argument(metavar="SRC", help="tinydb:///data/tocsin.json or postgresql://...")],
    target: Annotated[str, typer.Argument(metavar="DST", help="The same; an empty store.")],
    config: ConfigOption = None,
) -> None:
    """Copy everything from one store into another, empty one; stop the bot before. Both are compared afterwards."""
    from bot.store.copy import copy_store  # noqa: PLC0415  stores are heavy; --help should not wait for them

    settings(config)
    with progress("copying") as step:
        rows = run(copy_store(source, target, now(), step))
    out(f"Copied {in_words({table: count for table, count in rows.items() if count}) or 'an empty store'}.")


@app.command()
def check(config: ConfigOption = None) -> None:
    """Read the whole store and say whether it is sound; the bot may go on meanwhile."""
    loaded = settings(config)
    if nothing_stored(loaded):
        raise StoreError(f"there is no store yet at {mask_url(loaded.store_url)}; `tocsin run` makes it")
    problems = run(find_problems(loaded))
    if problems:
        raise StoreError("; ".join(problems))
    rows = run(read_through(loaded))
    out(f"The store is sound: {in_words(rows)}.")


def in_words(rows: Mapping[str, int]) -> str:
    """Counted rows by kind, whose names are plurals: "1 chat, 2 entries"."""
    return ", ".join(f"{count} {_one(kind) if count == 1 else kind}" for kind, count in rows.items())


def _one(kind: str) -> str:
    return f"{kind[:-3]}y" if kind.endswith("ies") else kind.removesuffix("s")


async def find_problems(config: Config) -> list[str]:
    """What is wrong with the store, in words."""
    from bot.store.copy import check_store  # noqa: PLC0415

    return await check_store(config.store_url)


async def read_through(config: Config) -> dict[str, int]:
    """Rows by kind, every one of them read and decoded. Raises StoreError for what can't be."""
    from bot.app import open_store_for  # noqa: PLC0415  imports everything

    beginning = datetime(1970, 1, 1, tzinfo=UTC)
    store = await open_store_for(config, read_only=True)
    try:
        return {
            "sources": len(await store.feeds()),
            "entries": len(await store.entries_since(beginning)),
            "stories": len(await store.open_stories(beginning)),
            "chats": len(await store.chats()),
            "subscriptions": sum(c.subscription is not None for c in await store.subscription_changes(0)),
            "deliveries": sum((await store.counts(None, beginning)).values()),
        }
    finally:
        await store.close()

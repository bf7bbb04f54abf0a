"""`tocsin db`: look after the store."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import typer

from bot.cli.shell import ConfigOption, nothing_stored, out, run, settings
from bot.errors import StoreError
from bot.sources.urls import mask_url

if TYPE_CHECKING:
    from bot.config import Config

app = typer.Typer(no_args_is_help=True, help="Look after the store.")


@app.callback()
def _group() -> None:
    pass


@app.command()
def check(config: ConfigOption = None) -> None:
    """Read the whole store and say whether it is sound; the bot may go on meanwhile."""
    loaded = settings(config)
    if nothing_stored(loaded):
        raise StoreError(f"there is no store yet at {mask_url(loaded.store_url)}; `tocsin run` makes it")
    rows = run(read_through(loaded))
    out(f"The store is sound: {', '.join(f'{count} {what}' for what, count in rows.items())}.")


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
            "deliveries": sum(count for kind, count in (await store.counts(None, beginning)).items() if "/" in kind),
        }
    finally:
        await store.close()

"""`tocsin status`: what has been going on."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from bot.cli.shell import ConfigOption, JsonOption, nothing_stored, now, out, out_json, run, settings
from bot.errors import StoreError
from bot.sources.urls import mask_url

if TYPE_CHECKING:
    from datetime import datetime

    from bot.config import Config
    from bot.ports import Store

_KINDS = ("ring", "grow", "develop", "correct")


def status(config: ConfigOption = None, json: JsonOption = False) -> None:
    """Sources, stories and subscriptions; what was matched, sent, folded, held and failed in the last 7 days."""
    record = run(_status(settings(config)))
    if json:
        out_json(record)
        return
    out(f"sources        {record['sources']} ({record['failing']} failing)")
    out(f"stories        {record['stories']} open")
    chats = f"{record['chats']} {'chat' if record['chats'] == 1 else 'chats'}"
    out(f"subscriptions  {record['subscriptions']} in {chats}")
    out("in the last 7 days:")
    for key in ("matched", "sent", "folded", "held", "failed"):
        out(f"  {key:<12} {record[key]}")
    age = record["oldest_held_seconds"]
    out(f"oldest held    {'none' if age is None else timedelta(seconds=round(age))}")


async def _status(config: Config) -> dict[str, Any]:
    from bot.app import open_store_for  # noqa: PLC0415

    if nothing_stored(config):
        raise StoreError(f"there is no store yet at {mask_url(config.store_url)}; `tocsin run` makes it")
    store = await open_store_for(config, read_only=True)
    try:
        return await _account(store, now())
    finally:
        await store.close()


async def _account(store: Store, moment: datetime) -> dict[str, Any]:
    feeds = await store.feeds()
    counts = await store.counts(None, moment - timedelta(days=7))
    oldest = await store.oldest_held(None)
    total = {
        state: sum(counts.get(f"{kind}/{state}", 0) for kind in _KINDS)
        for state in ("due", "waiting", "sent", "folded", "muted", "dead")
    }
    return {
        "sources": len(feeds),
        "failing": sum(bool(state.failures or state.gone) for _, state in feeds),
        "stories": len(await store.open_stories(moment - timedelta(hours=72))),
        "subscriptions": sum(c.subscription is not None for c in await store.subscription_changes(0)),
        "chats": len(await store.chats()),
        "matched": sum(total.values()),
        "sent": total["sent"],
        "folded": total["folded"],
        "muted": total["muted"],
        "held": counts.get("held", 0),
        "due": total["due"] + total["waiting"],
        "failed": total["dead"],
        "oldest_held_seconds": (moment - oldest).total_seconds() if oldest else None,
    }

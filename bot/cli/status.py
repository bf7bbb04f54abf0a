"""`tocsin status`: what has been going on."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from bot.alerts.account import account, monday
from bot.cli.shell import ConfigOption, JsonOption, nothing_stored, now, out, out_json, run, settings
from bot.errors import StoreError
from bot.log import one_line
from bot.model import HubState
from bot.sources.schedule import PollPolicy
from bot.sources.urls import mask_url
from bot.sources.websub import Standing, in_words, standing

if TYPE_CHECKING:
    from datetime import datetime

    from bot.config import Config
    from bot.model import HubLease
    from bot.ports import Store

#: of what matched
_PARTS = ("rung", "grown", "developed", "folded", "held", "muted", "failed")


def status(config: ConfigOption = None, json: JsonOption = False) -> None:
    """Sources, stories and subscriptions; what became of every match since Monday: the parts add up to the whole."""
    record = run(_status(settings(config)))
    if json:
        out_json(record)
        return
    out(f"sources        {record['sources']} ({record['failing']} failing)")
    for hub in record["hubs"]:
        out(f"  hub          {one_line(hub['source'])}: {hub['words']}")
    out(f"stories        {record['stories']} open")
    chats = f"{record['chats']} {'chat' if record['chats'] == 1 else 'chats'}"
    out(f"subscriptions  {record['subscriptions']} in {chats}")
    out(f"since Monday ({record['since'][:10]}):")
    for sign, key in zip(" =++++++", ("matched", *_PARTS), strict=True):
        out(f"{sign:>3} {key:<10} {record[key]:>7}")
    out(f"of those held  {record['on_the_way']} on their way, {record['waiting']} waiting for a second outlet")
    out(f"beside them    {record['joined']} joined these stories, {record['corrected']} changed headlines")
    age = record["oldest_held_seconds"]
    out(f"oldest held    {'none' if age is None else timedelta(seconds=round(age))}")


async def hubs(config: Config) -> list[tuple[str, HubLease, Standing, str]]:
    """Each lease at a WebSub hub, with the name of its source, what it is worth now, and that in words."""
    from bot.app import open_store_for  # noqa: PLC0415

    if nothing_stored(config):
        return []
    store = await open_store_for(config, read_only=True)
    try:
        return await _hubs(store, PollPolicy(config.sources.interval), now())
    finally:
        await store.close()


async def _hubs(store: Store, policy: PollPolicy, moment: datetime) -> list[tuple[str, HubLease, Standing, str]]:
    listed = {feed.id: (feed, state) for feed, state in await store.feeds()}
    found = []
    for lease in await store.hub_leases():
        if lease.state is not HubState.LEAVING and lease.feed in listed:
            feed, state = listed[lease.feed]
            silence = policy.bounds(feed)[2]
            name = feed.name or state.title or mask_url(feed.id)
            found.append((name, lease, standing(lease, moment, silence), in_words(lease, moment, silence)))
    return found


async def _status(config: Config) -> dict[str, Any]:
    from bot.app import open_store_for  # noqa: PLC0415

    if nothing_stored(config):
        raise StoreError(f"there is no store yet at {mask_url(config.store_url)}; `tocsin run` makes it")
    store = await open_store_for(config, read_only=True)
    try:
        record = await _account(store, now())
        found = await _hubs(store, PollPolicy(config.sources.interval), now())
        return record | {"hubs": [_hub(name, lease, one, words) for name, lease, one, words in found]}
    finally:
        await store.close()


def _hub(name: str, lease: HubLease, one: Standing, words: str) -> dict[str, Any]:
    return {
        "source": name,
        "hub": mask_url(lease.hub),
        "standing": one,
        "lease_until": lease.until.isoformat() if lease.until else None,
        "last_post": lease.last_push.isoformat() if lease.last_push else None,
        "words": words,
    }


async def _account(store: Store, moment: datetime) -> dict[str, Any]:
    feeds = await store.feeds()
    since = monday(moment)
    sums = account(await store.counts(None, since))
    oldest = await store.oldest_held(None)
    return {
        "sources": len(feeds),
        "failing": sum(bool(state.failures or state.gone) for _, state in feeds),
        "stories": len(await store.open_stories(moment - timedelta(hours=72))),
        "subscriptions": sum(c.subscription is not None for c in await store.subscription_changes(0)),
        "chats": len(await store.chats()),
        "since": since.isoformat(),
        "matched": sums.matched,
        **asdict(sums),
        "sent": sums.sent,
        "oldest_held_seconds": (moment - oldest).total_seconds() if oldest else None,
    }

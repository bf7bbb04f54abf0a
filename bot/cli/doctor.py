"""`tocsin check` and `tocsin status`: is everything in order, and what has been going on."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console
from rich.text import Text

from bot.cli.db import find_problems, read_through
from bot.cli.shell import ConfigOption, JsonOption, note, nothing_stored, now, out, out_json, progress, run, settings
from bot.errors import StoreError
from bot.log import make_redactor, one_line
from bot.model import Fetched, FetchFailed, ParsedFeed, Validators
from bot.sources.urls import mask_url

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from datetime import datetime

    from bot.config import Config
    from bot.model import Feed
    from bot.ports import Fetcher, Parser, Store

#: sources fetched at a time
_AT_ONCE = 16
_LOOKS = {"ok": "green", "off": "dim", "warning": "yellow", "broken": "red"}
_KINDS = ("ring", "grow", "develop", "correct")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at."""

    what: str
    #: "ok", "off", "warning" or "broken"
    verdict: str
    detail: str


def check(config: ConfigOption = None, json: JsonOption = False) -> None:
    """Examine configuration, tokens, every source and the store; exit 1 when something is broken."""
    loaded = settings(config)
    where = str(loaded.path) if loaded.path else "no config.toml: bundled example, sample wire, console"
    findings = [Finding("configuration", "ok", where)]
    with progress("checking") as step:
        findings += run(_examine(loaded, step))
    mask = make_redactor(loaded.secrets())
    for finding in findings:
        detail = one_line(mask(finding.detail))
        if json:
            out_json({"what": finding.what, "verdict": finding.verdict, "detail": detail})
        elif sys.stdout.isatty():
            line = Text.assemble((f"{finding.verdict:<8}", _LOOKS[finding.verdict]), f"{finding.what:<28} {detail}")
            Console(soft_wrap=True, highlight=False).print(line)
        else:
            out(f"{finding.verdict:<8}{finding.what:<28} {detail}")
    broken = sum(finding.verdict == "broken" for finding in findings)
    if broken:
        note(f"{broken} of {len(findings)} checks failed")
        raise typer.Exit(1)


async def _examine(config: Config, step: Callable[[int, int], None]) -> list[Finding]:
    from bot.app import check_slack, check_telegram, make_fetcher, make_parser  # noqa: PLC0415  imports everything

    fetcher, parser = make_fetcher(config), make_parser()
    limit = asyncio.Semaphore(_AT_ONCE)
    try:
        work: list[Coroutine[Any, Any, Finding]] = [
            _token("telegram", config.has_telegram, check_telegram, config),
            _token("slack", config.has_slack, check_slack, config),
            _store(config),
            *(_source(feed, fetcher, parser, limit) for feed in config.feeds),
        ]
        done = 0

        async def counted(one: Coroutine[Any, Any, Finding]) -> Finding:
            nonlocal done
            finding = await one
            done += 1
            step(done, len(work))
            return finding

        return list(await asyncio.gather(*map(counted, work)))
    finally:
        await fetcher.close()
        await parser.close()


async def _token(
    platform: str, wanted: bool, ask: Callable[[Config], Coroutine[Any, Any, tuple[bool, str]]], config: Config
) -> Finding:
    """`ask` says whether the token works, and in words as whom or why not."""
    if not wanted:
        return Finding(platform, "off", "no token")
    works, words = await ask(config)
    return Finding(platform, "ok" if works else "broken", words)


async def _store(config: Config) -> Finding:
    where = mask_url(config.store_url)
    if nothing_stored(config):
        return Finding("store", "ok", f"{where}: not there yet; the first run makes it")
    try:
        problems = await find_problems(config)
        rows = await read_through(config)
    except StoreError as error:
        return Finding("store", "broken", str(error))
    if problems:
        return Finding("store", "broken", "; ".join(problems))
    return Finding("store", "ok", f"{where}: {', '.join(f'{count} {what}' for what, count in rows.items())}")


async def _source(feed: Feed, fetcher: Fetcher, parser: Parser, limit: asyncio.Semaphore) -> Finding:
    what = feed.name or mask_url(feed.id)
    async with limit:
        outcome = await fetcher.fetch(feed.id, Validators(), "")
        if not isinstance(outcome, Fetched):
            reason = outcome.reason if isinstance(outcome, FetchFailed) else "gone for good (410)"
            return Finding(what, "broken", f"{mask_url(feed.id)}: {reason}")
        parsed = await parser.parse(outcome.body, outcome.content_type, outcome.url, feed.selectors)
    if not isinstance(parsed, ParsedFeed):
        return Finding(what, "broken", f"{mask_url(feed.id)}: {parsed.reason}")
    count = len(parsed.entries)
    if outcome.permanent_url:
        return Finding(what, "warning", f"moved for good to {mask_url(outcome.permanent_url)}; {count} entries")
    return Finding(
        what, "ok" if count else "warning", f"{count} entries{'; ' if parsed.warning else ''}{parsed.warning}"
    )


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

"""`tocsin check`: is everything in order, and what to do where it is not."""

from __future__ import annotations

import asyncio
import shutil
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import unquote, urlsplit

import typer
from rich.console import Console
from rich.text import Text

from bot.cli.db import find_problems, in_words, read_through
from bot.cli.shell import ConfigOption, JsonOption, note, nothing_stored, out, out_json, progress, run, settings
from bot.cli.status import hubs
from bot.errors import StoreError
from bot.log import make_redactor, one_line
from bot.model import Fetched, FetchFailed, Finding, ParsedFeed, Validators
from bot.sources.urls import mask_url
from bot.sources.websub import Standing

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from bot.config import Config
    from bot.model import Feed, FetchOutcome
    from bot.ports import Fetcher, Parser

#: sources fetched at a time
_AT_ONCE = 16
_LOOKS = {"ok": "green", "off": "dim", "warning": "yellow", "broken": "red"}
#: bytes free on the store's disk below which to say so
_SCARCE, _FULL = 1_000_000_000, 50_000_000
#: what to do about an HTTP status (RFC 9110, section 15)
_REPAIRS = {
    401: "it wants a password: https://user:password@host/…",
    403: "the publisher refuses us: name a contact in [sources], or ask them",
    404: "the address has changed: `tocsin feeds add` with the site's address finds feeds",
    410: "it was withdrawn for good: remove it",
    429: "we ask too often: raise its interval",
}

Strict = Annotated[bool, typer.Option("--strict", help="Exit 1 for warnings too.")]


def check(config: ConfigOption = None, json: JsonOption = False, strict: Strict = False) -> None:
    """Examine configuration, tokens, clock, disk, store and every source; exit 1 when something is broken."""
    loaded = settings(config)
    with progress("checking") as step:
        findings = [*_configuration(loaded), *_disk(loaded), *_web(loaded), *run(_examine(loaded, step))]
    mask = make_redactor(loaded.secrets())
    for finding in findings:
        _show(finding, mask, json=json)
    broken = sum(finding.verdict == "broken" for finding in findings)
    warned = sum(finding.verdict == "warning" for finding in findings)
    if broken or (strict and warned):
        note(f"{broken} of {len(findings)} checks failed" + (f", {warned} with warnings" if warned else ""))
        raise typer.Exit(1)


def _show(finding: Finding, mask: Callable[[str], str], *, json: bool) -> None:
    detail, repair = one_line(mask(finding.detail)), one_line(mask(finding.repair))
    if json:
        more = {"repair": repair} if repair else {}
        out_json({"what": finding.what, "verdict": finding.verdict, "detail": detail, **more})
        return
    indent = " " * 37
    if sys.stdout.isatty():
        line = Text.assemble((f"{finding.verdict:<8}", _LOOKS[finding.verdict]), f"{finding.what:<28} {detail}")
        line.append(f"\n{indent}→ {repair}" if repair else "", "dim")
        Console(soft_wrap=True, highlight=False).print(line)
        return
    out(f"{finding.verdict:<8}{finding.what:<28} {detail}")
    if repair:
        out(f"{indent}→ {repair}")


# ---------------------------------------------------------------- this machine


def _configuration(config: Config) -> list[Finding]:
    if config.path is None:
        return [Finding("configuration", "ok", "no config.toml: bundled example, sample wire, console")]
    found = [Finding("configuration", "ok", str(config.path))]
    text = config.path.read_text("utf-8-sig")
    readable = config.path.stat().st_mode & 0o044 and sys.platform != "win32"
    if readable and any(secret in text for secret in config.secrets()):
        repair = f"chmod 600 {config.path}"
        found.append(Finding("secrets", "warning", "others on this machine can read the tokens in the file", repair))
    if not config.feeds:
        repair = "list [[source]] tables, or `tocsin feeds add ADDRESS`"
        found.append(Finding("sources", "warning", "the configuration lists none", repair))
    return found


def _disk(config: Config) -> list[Finding]:
    """Of the embedded store: how much is free, and whether the platform keeps it."""
    if not config.store_url.startswith("tinydb:"):
        return []
    folder = Path(unquote(urlsplit(config.store_url).path)[1:]).absolute().parent
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    verdict = "broken" if free < _FULL else "warning" if free < _SCARCE else "ok"
    repair = "make room, or move the store ([store] url)" if verdict != "ok" else ""
    found = [Finding("disk", verdict, f"{free / 1e9:.1f} GB free", repair)]
    if config.warning:
        found.append(Finding("disk", "warning", *config.warning.split(". ", 1)))
    return found


def _web(config: Config) -> list[Finding]:
    """The port can be had; or a running bot has it, which is as well."""
    if not config.web.port:
        return []
    family = socket.AF_INET6 if ":" in config.web.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((config.web.host, config.web.port))
        except OSError as refused:
            detail = f"{config.web.host}:{config.web.port} can't be had now ({refused.strerror})"
            return [Finding("web", "warning", detail, "fine if Tocsin is running; else another program has it")]
    return [Finding("web", "ok", f"{config.web.host}:{config.web.port}")]


# ---------------------------------------------------------------- the rest of the world


async def _examine(config: Config, step: Callable[[int, int], None]) -> list[Finding]:
    from bot.app import check_slack, check_telegram, make_fetcher, make_parser  # noqa: PLC0415  imports everything

    fetcher, parser = make_fetcher(config), make_parser()
    limit = asyncio.Semaphore(_AT_ONCE)
    try:
        work: list[Coroutine[Any, Any, list[Finding]]] = [
            _chat("telegram", config.has_telegram, check_telegram, config),
            _chat("slack", config.has_slack, check_slack, config),
            _store(config),
            _hubs(config),
            *(_source(feed, fetcher, parser, limit) for feed in config.feeds),
        ]
        done = 0

        async def counted(one: Coroutine[Any, Any, list[Finding]]) -> list[Finding]:
            nonlocal done
            found = await one
            done += 1
            step(done, len(work))
            return found

        return [finding for found in await asyncio.gather(*map(counted, work)) for finding in found]
    finally:
        await fetcher.close()
        await parser.close()


async def _chat(
    platform: str, wanted: bool, ask: Callable[[Config], Coroutine[Any, Any, list[Finding]]], config: Config
) -> list[Finding]:
    return await ask(config) if wanted else [Finding(platform, "off", "no token")]


async def _store(config: Config) -> list[Finding]:
    where = mask_url(config.store_url)
    if nothing_stored(config):
        return [Finding("store", "ok", f"{where}: not there yet; the first run makes it")]
    try:
        problems = await find_problems(config)
        rows = await read_through(config)
    except StoreError as error:
        return [Finding("store", "broken", str(error))]
    if problems:
        return [Finding("store", "broken", "; ".join(problems))]
    return [Finding("store", "ok", f"{where}: {in_words(rows)}")]


async def _hubs(config: Config) -> list[Finding]:
    """Sources that a hub posts, or should: what it is worth, as the bot last saw it."""
    try:
        found = await hubs(config)
    except StoreError:  # said above
        return []
    return [
        Finding(name, "ok" if one is Standing.POSTS else "off", f"WebSub: {words}") for name, _, one, words in found
    ]


async def _source(feed: Feed, fetcher: Fetcher, parser: Parser, limit: asyncio.Semaphore) -> list[Finding]:
    what, masked = feed.name or mask_url(feed.id), mask_url(feed.id)
    async with limit:
        outcome = await fetcher.fetch(feed.id, Validators(), "")
        if not isinstance(outcome, Fetched):
            return [_unfetched(what, masked, outcome)]
        parsed = await parser.parse(outcome.body, outcome.content_type, outcome.url, feed.selectors)
    if not isinstance(parsed, ParsedFeed):
        repair = "`tocsin feeds preview` shows what its selectors catch" if feed.selectors else _REPAIRS[404]
        return [Finding(what, "broken", f"{masked}: {parsed.reason}", repair)]
    count = len(parsed.entries)
    entries = f"{count} {'entry' if count == 1 else 'entries'}"
    if outcome.permanent_url:
        new = mask_url(outcome.permanent_url)
        return [Finding(what, "warning", f"moved for good; {entries}", f"list it as {new}")]
    detail = f"{entries}{'; ' if parsed.warning else ''}{parsed.warning}"
    return [Finding(what, "ok" if count else "warning", detail)]


def _unfetched(what: str, masked: str, outcome: FetchOutcome) -> Finding:
    if not isinstance(outcome, FetchFailed):
        return Finding(what, "broken", f"{masked}: gone for good (410)", _REPAIRS[410])
    return Finding(what, "broken", f"{masked}: {outcome.reason}", _REPAIRS.get(outcome.status, ""))

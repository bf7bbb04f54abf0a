"""`tocsin feeds`: the sources in the store, beside those that the configuration lists."""

from __future__ import annotations

import contextlib
import sys
from ipaddress import ip_address
from pathlib import Path  # noqa: TC003  typer reads the annotations of commands at run time
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.finding import choose, look
from bot.cli.preview import preview
from bot.cli.shell import ConfigOption, JsonOption, note, nothing_stored, now, out, out_json, run, settings
from bot.errors import SourceError
from bot.model import Feed, FeedId
from bot.sources.guard import AddressRefused, Guard
from bot.sources.opml import MAX_SIZE, read_opml, write_opml
from bot.sources.trouble import age
from bot.sources.urls import host_of, mask_url, normalise_url, plain_host

if TYPE_CHECKING:
    from bot.config import Config
    from bot.model import FeedState

#: refused addresses that are shown
_NAMED = 5

app = typer.Typer(no_args_is_help=True, help="List, add, preview, remove, import and export sources.")
app.command()(preview)


@app.command("list")
def list_(config: ConfigOption = None, json: JsonOption = False) -> None:
    """All sources, with what is wrong with those that fail."""
    for feed, state in run(everything(settings(config))):
        error = ("gone for good" if state.gone else state.error) if state else ""
        if json:
            out_json(
                {
                    "url": mask_url(feed.id),
                    "name": feed.name or (state.title if state else ""),
                    "language": feed.language,
                    "tags": list(feed.tags),
                    "origin": feed.origin,
                    "last_ok": state.last_ok.isoformat() if state and state.last_ok else None,
                    "error": error,
                }
            )
        else:
            name = feed.name or (state.title if state else "")
            since = f" for {age(now() - state.failing_since)}" if state and state.failing_since else ""
            verdict = f"failing{since}: {error}" if error else "ok" if state and state.last_ok else "not read yet"
            out(f"{mask_url(feed.id)}  {name}  [{feed.origin}]  {verdict}")


@app.command()
def add(  # noqa: PLR0917  typer reads them: they are options
    address: Annotated[str, typer.Argument(metavar="ADDRESS", help="Of a feed, or of a site that has some.")],
    name: Annotated[str, typer.Option(help="The outlet's name, as people see it.")] = "",
    language: Annotated[str, typer.Option(metavar="CODE", help="ISO 639-1.")] = "",
    tag: Annotated[list[str] | None, typer.Option(help="A label for `tag:` in queries; may be repeated.")] = None,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Take the most promising feed of a site; don't ask.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Add the address as it is, without a look at it.")] = False,
    config: ConfigOption = None,
) -> None:
    """Add a source; the bot must not be running on the same file.

    The address is read once, to see that it is a feed; a site's own address shows its feeds and asks which.
    """
    loaded = settings(config)
    url = normalise_url(address)
    listed = run(_listed(loaded))
    if url in listed:
        raise SourceError(f"{mask_url(url)} is listed already")
    if force:
        _refuse_private(loaded, url)
        chosen = [url]
    else:
        chosen = [one.url for one in choose(run(look(loaded, url)), url, best=yes, now=now())]
    new = [one for one in chosen if one not in listed]
    if chosen and not new:
        raise SourceError(f"{', '.join(map(mask_url, chosen))}: listed already")
    feeds = [Feed(FeedId(one), name, language.lower(), tuple(tag or ()), origin="added") for one in new]
    run(_add(loaded, feeds))
    for one in new:
        out(f"Added {mask_url(one)}.")
    if not new:
        out("Nothing was added.")


@app.command()
def remove(
    url: Annotated[str, typer.Argument(help="Its address, as `tocsin feeds list` shows it.")],
    config: ConfigOption = None,
) -> None:
    """Remove a source that was added; its entries stay until they are old."""
    loaded = settings(config)
    wanted = normalise_url(url)
    for feed in loaded.feeds:
        if wanted in {feed.id, normalise_url(feed.id)}:
            where = loaded.path or "the bundled config.example.toml"
            raise SourceError(f"{mask_url(feed.id)} is listed in {where}: remove it there")
    if not run(_remove(loaded, {url, wanted})):
        raise SourceError(f"{mask_url(wanted)} is not listed; `tocsin feeds list` shows what is")
    out(f"Removed {mask_url(wanted)}.")


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE.opml", help="A list of feeds from another reader.")],
    config: ConfigOption = None,
) -> None:
    """Add every feed that an OPML file lists."""
    loaded = settings(config)
    refused: list[str] = []
    try:
        with file.open("rb") as opened:
            listed = read_opml(opened.read(MAX_SIZE + 1), refused)
    except OSError as unread:
        raise SourceError(f"{file}: can't be read ({unread.strerror})") from None
    except SourceError as error:
        raise SourceError(f"{file}: {error}") from None
    open_to_us = [feed for feed in listed if not _is_private(loaded, feed.id)]
    added = run(_add(loaded, open_to_us))
    count = len(listed) + len(refused)
    known = len(open_to_us) - added
    out(
        f"Added {added} of {count} {'feed' if count == 1 else 'feeds'}; "
        f"{known} {'was' if known == 1 else 'were'} listed already."
    )
    if refused:
        more = f" and {len(refused) - _NAMED} more" if len(refused) > _NAMED else ""
        note(f"{len(refused)} with addresses that can't be polled left out: {', '.join(refused[:_NAMED])}{more}")
    if len(open_to_us) < len(listed):
        left = len(listed) - len(open_to_us)
        note(f"{left} on private addresses left out; see sources.allow_private_networks")


@app.command()
def export(config: ConfigOption = None) -> None:
    """Print all feeds as OPML, for another reader; passwords in addresses are masked."""
    feeds = [feed for feed, _ in run(everything(settings(config)))]
    pages = sum(feed.selectors is not None for feed in feeds)
    if pages:
        note(f"{pages} of {len(feeds)} sources are pages without a feed: no other reader could use them")
    sys.stdout.write(write_opml([feed for feed in feeds if feed.selectors is None]))


async def everything(config: Config) -> list[tuple[Feed, FeedState | None]]:
    """What the store has, then what the configuration lists and no run has taken over yet."""
    from bot.app import open_store_for  # noqa: PLC0415  imports everything

    stored: list[tuple[Feed, FeedState]] = []
    if not nothing_stored(config):
        store = await open_store_for(config, read_only=True)
        try:
            stored = await store.feeds()
        finally:
            await store.close()
    known = {feed.id for feed, _ in stored}
    return [*stored, *((feed, None) for feed in config.feeds if feed.id not in known)]


async def _listed(config: Config) -> set[str]:
    """Addresses that are listed already. Opens the store to write: that a running bot has it is better said at once."""
    from bot.app import open_store_for  # noqa: PLC0415

    store = await open_store_for(config)
    try:
        return {feed.id for feed in config.feeds} | {feed.id for feed, _ in await store.feeds()}
    finally:
        await store.close()


def _is_private(config: Config, url: str) -> bool:
    try:
        _refuse_private(config, url)
    except SourceError:
        return True
    return False


def _refuse_private(config: Config, url: str) -> None:
    """An address that would be refused at every poll; a name is only resolved there."""
    host = plain_host(host_of(url))
    if host == "localhost" or host.endswith(".localhost"):  # RFC 6761 section 6.3
        host = "127.0.0.1"
    with contextlib.suppress(ValueError):
        ip_address(host)
        try:
            Guard(config.sources.allow_private_networks).check(host)
        except AddressRefused as refused:
            raise SourceError(f"{mask_url(url)}: {refused}; see sources.allow_private_networks") from None


async def _add(config: Config, feeds: list[Feed]) -> int:
    from bot.app import open_store_for  # noqa: PLC0415

    known = {feed.id for feed in config.feeds}
    store = await open_store_for(config)
    try:
        added = now()
        return sum([await store.add_feed(feed, added) for feed in feeds if feed.id not in known])
    finally:
        await store.close()


async def _remove(config: Config, urls: set[str]) -> bool:
    if nothing_stored(config):
        return False
    from bot.app import open_store_for  # noqa: PLC0415

    store = await open_store_for(config)
    try:
        return any([await store.remove_feed(FeedId(url)) for url in urls])
    finally:
        await store.close()

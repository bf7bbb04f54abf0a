"""`tocsin feeds preview`: what the bot would read from a source now, with nothing stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.shell import ConfigOption, JsonOption, out, out_json, run, settings
from bot.errors import SourceError
from bot.model import Feed, FeedId, Fetched, FetchFailed, ParsedEntry, ParsedFeed, Validators
from bot.sources.urls import mask_url, normalise_url

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.config import Config
    from bot.model import FeedState

#: entries that are shown to people
_SHOWN = 10
#: characters of a text that are shown
_LONGEST = 200


def preview(
    source: Annotated[str, typer.Argument(metavar="ADDRESS|NAME", help="Of a listed source, or any address.")],
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Show the entries that a feed has now, or that the selectors of a page catch.

    Selectors are those of `config.toml`: edit them and look again; a running bot takes them over at its next start.
    """
    from bot.cli.feeds import everything  # noqa: PLC0415  it registers this command

    loaded = settings(config)
    feed = _named(source, run(everything(loaded)))
    parsed = run(_read(loaded, feed))
    entries = parsed.entries if json else parsed.entries[:_SHOWN]
    if not json:
        count = len(parsed.entries)
        out(f"{parsed.title or 'without a title'} · {count} {'entry' if count == 1 else 'entries'}")
    for entry in entries:
        if json:
            out_json(_record(entry))
        else:
            _show(entry)
    if len(entries) < len(parsed.entries):
        out(f"… and {len(parsed.entries) - len(entries)} more.")


def _named(source: str, listed: Sequence[tuple[Feed, FeedState | None]]) -> Feed:
    """The listed source with this address or name; else the address as a feed. Raises SourceError for neither."""
    wanted = source.strip().casefold()
    for feed, state in listed:
        if source == feed.id or wanted in {feed.name.casefold(), state.title.casefold() if state else ""} - {""}:
            return feed
    if "." not in source and ":" not in source:
        raise SourceError(f"{source}: no source has this name; `tocsin feeds list` shows them")
    url = normalise_url(source)
    return next((feed for feed, _ in listed if normalise_url(feed.id) == url), Feed(FeedId(url)))


async def _read(config: Config, feed: Feed) -> ParsedFeed:
    from bot.app import make_fetcher, make_parser  # noqa: PLC0415  imports everything

    fetcher, parser = make_fetcher(config), make_parser()
    try:
        outcome = await fetcher.fetch(feed.id, Validators(), "")
        if not isinstance(outcome, Fetched):
            reason = outcome.reason if isinstance(outcome, FetchFailed) else "gone for good (410)"
            raise SourceError(f"{mask_url(feed.id)}: {reason}")
        parsed = await parser.parse(outcome.body, outcome.content_type, outcome.url, feed.selectors)
    finally:
        await fetcher.close()
        await parser.close()
    if not isinstance(parsed, ParsedFeed):
        raise SourceError(f"{mask_url(feed.id)}: {parsed.reason}")
    return parsed


def _record(entry: ParsedEntry) -> dict[str, object]:
    stated = entry.published or entry.updated
    return {
        "title": entry.title,
        "link": entry.link,
        "published": stated.isoformat() if stated else None,
        "summary": entry.summary or entry.content,
        "captions": list(entry.captions),
        "language": entry.language,
    }


def _show(entry: ParsedEntry) -> None:
    stated = entry.published or entry.updated
    out()
    out(entry.title)
    out(f"  {entry.link or 'without a link'} · {stated.isoformat(' ', 'minutes') if stated else 'no date'}")
    for label, text in [("summary", entry.summary or entry.content), *(("caption", text) for text in entry.captions)]:
        if text:
            line = " ".join(text.split())
            out(f"  {label}: {line if len(line) <= _LONGEST else line[:_LONGEST] + '…'}")

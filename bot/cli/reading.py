"""`tocsin try` and `tocsin stories`: what Tocsin would make of sources, with nothing sent and nothing stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.shell import ConfigOption, JsonOption, note, now, out, out_json, progress, run, settings
from bot.errors import QueryError

if TYPE_CHECKING:
    from bot.config import Config
    from bot.dryrun import Found

Sources = Annotated[
    list[str], typer.Argument(metavar="SOURCE...", help="URL, feed file, OPML file or folder of feed files.")
]


def try_(
    query: Annotated[str, typer.Argument(metavar="QUERY", help="As typed after /subscribe.")],
    sources: Sources,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Dry run: which entries of the sources a query matches, and why.

    Example: tocsin try '"air defence" -exercise' https://feeds.bbci.co.uk/news/world/rss.xml
    """
    from bot import dryrun  # noqa: PLC0415  it imports half the house; --help should not wait for that
    from bot.subscriptions.query import parse_query, split_subscriptions  # noqa: PLC0415

    texts = split_subscriptions(query)
    if not texts:
        raise QueryError("The query is empty", query, 0)
    queries = [parse_query(text) for text in texts]
    found = run(_read(settings(config), sources))
    stories = set()
    count = 0
    for record in dryrun.tries(found, queries):
        count += 1
        stories.add(record["story"])
        if json:
            out_json(record)
            continue
        out(record["title"])
        if record["link"]:
            out(f"  {record['link']}")
        out(f"  {record['published'] or 'no date'} · matched: {', '.join(record['matched'])}")
        if record["summary"]:
            out(f"  {record['summary']}")
        out()
    if not json:
        out(f"{count} of {len(found)} entries match, in {len(stories)} stories.")


def stories(sources: Sources, config: ConfigOption = None, json: JsonOption = False) -> None:
    """Group the entries of sources into stories: what would ring once."""
    from bot import dryrun  # noqa: PLC0415

    found = run(_read(settings(config), sources))
    count = 0
    for record in dryrun.grouped(found):
        count += 1
        if json:
            out_json(record)
            continue
        out(record["title"])
        for entry in record["entries"]:
            out(f"  {entry['kind']:<11} {entry['source']}: {entry['title']}")
        out()
    if not json:
        out(f"{len(found)} entries in {count} stories.")


async def _read(config: Config, sources: list[str]) -> list[Found]:
    from bot import dryrun  # noqa: PLC0415
    from bot.app import make_fetcher, make_parser  # noqa: PLC0415  imports everything

    fetcher, parser = make_fetcher(config), make_parser()
    try:
        with progress("reading") as step:
            reader = dryrun.Reader(fetcher, parser, now(), note, step)
            return await reader.read(sources)
    finally:
        await fetcher.close()
        await parser.close()

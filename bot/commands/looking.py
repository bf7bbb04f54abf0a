"""/latest, /why, /sources, /status, /help, /start: commands that change nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bot.alerts.render import local_time
from bot.commands.desk import ago, code, did_you_mean, plural, say
from bot.commands.history import PAST
from bot.commands.subscribing import refused
from bot.errors import QueryError
from bot.model import DeliveryKind, DeliveryState, Kind, Reply, Span, StoryId
from bot.subscriptions.match import document, hits, matches
from bot.subscriptions.query import parse_query

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.commands.desk import Asked
    from bot.model import Delivery, Entry, Feed, FeedState
    from bot.subscriptions.query import Query

_SHOWN = 10


async def start(_asked: Asked) -> Reply:
    """Greet, and say the one thing to do next."""
    return say(
        "I read the news and ring when something you follow happens: one story, one alert.\n"
        "Tell me what to listen for: ", code("/subscribe Idlib, S-300"), ". ", code("/help"), " lists all commands.",
    )  # fmt: skip


async def help_(asked: Asked) -> Reply:
    """All commands, or one in detail."""
    wanted = asked.args.casefold().lstrip("/")
    commands = asked.desk.commands
    if wanted and wanted not in commands:
        close = did_you_mean(wanted, [*commands])
        hint: list[str | Span] = [" Did you mean ", code(f"/{close}"), "?"] if close else []
        return say("I don't know ", code(f"/{wanted}"), ".", *hint)
    if wanted:
        _, changes, usage, what = commands[wanted]
        note = " In groups only admins may." if changes else ""
        more = _QUERY_HELP if wanted == "subscribe" else []
        return say(code(f"/{wanted} {usage}".strip()), f": {what}.{note}", *more)
    spans: list[str | Span] = []
    for name, (_, _, usage, what) in commands.items():
        spans += ["\n" if spans else "", code(f"/{name} {usage}".strip()), f": {what}"]
    return say(*spans)


_QUERY_HELP: list[str | Span] = [
    "\nWords: ", code("Idlib"), ", ", code("air defence"), " (both words), ", code('"air defence"'), " (side by side), ",
    code("missil*"), ", ", code("S-300"), ".\nTogether: ", code("(Idlib OR Aleppo) -football"), ". Fields: ",
    code("title:Idlib"), ", ", code("source:bbc.co.uk"), ", ", code("lang:en"), ", ", code("tag:war"),
    ". ", code("min:2"), " waits for a second independent outlet. A comma separates subscriptions.",
]  # fmt: skip


async def latest(asked: Asked) -> Reply:
    """The newest stories for a query, or for this chat's subscriptions."""
    queries: list[Query] = []
    try:
        queries = [
            parse_query(text) for text in ([asked.args] if asked.args else [s.query for s in await asked.mine()])
        ]
    except QueryError as error:
        return await refused(asked, error)
    newest: dict[StoryId, list[Entry]] = {}
    entries = await asked.desk.store.entries_since(asked.now - PAST)
    for index, entry in enumerate(reversed(entries)):
        if queries:
            prepared = document(entry)
            if not any(matches(query, prepared) for query in queries):
                continue
        newest.setdefault(entry.story, []).append(entry)
        if index % 50 == 0:
            await asked.desk.clock.sleep(0)
    if not newest:
        what = [" for ", code(asked.args)] if asked.args else [" for your subscriptions"] if queries else []
        return say("Nothing in the last 7 days", *what, ". /sources shows what I read.")
    shown = sorted(newest.values(), key=lambda group: group[0].published, reverse=True)[:_SHOWN]
    spans: list[str | Span] = []
    for group in shown:
        first = group[-1]
        outlets = len({entry.source for entry in group})
        where = first.source if outlets == 1 else f"{first.source} and {plural(outlets - 1, 'other')}"
        spans += [
            "\n" if spans else "",
            "• ",
            Span(first.title, link=first.link),
            f" ({where}, {ago(group[0].published, asked.now)})",
        ]
    return say(*spans)


async def why(asked: Asked) -> Reply:
    """Explain an alert (the one replied to, else the last), or an address."""
    if asked.args:
        return await _why_link(asked, asked.args.split()[0].strip("<>"))
    store = asked.desk.store
    receipt = await store.receipt_of(asked.chat.id, asked.incoming.message) if asked.incoming.message else None
    if receipt is not None:
        return await why_story(asked.with_args(receipt.story))
    stories = [story.id for story in await store.open_stories(asked.now - PAST)]
    rows = await store.deliveries(asked.chat.id, stories)
    rung = [row for row in rows if row.kind is DeliveryKind.RING and row.state is DeliveryState.SENT]
    if not rung:
        return say("Nothing has rung here yet. ", code("/why ADDRESS"), " explains an article that did not ring.")
    return await why_story(asked.with_args(max(rung, key=lambda row: row.settled or row.created).story))


async def why_story(asked: Asked) -> Reply:
    """Why this story rang here, and what became of what came after."""
    story_id = StoryId(asked.args)
    store = asked.desk.store
    rows = await store.deliveries(asked.chat.id, [story_id])
    ring = next((row for row in rows if row.kind is DeliveryKind.RING), None)
    entry = next(iter(await store.entries([ring.entry])), None) if ring else None
    if ring is None or entry is None:
        return say("That alert is too old: its entries are no longer kept.", private=True)
    spans: list[str | Span] = [Span(entry.title, bold=True), "\n"]
    spans += await _matched(asked, ring, entry)
    at = local_time(ring.settled or ring.created, asked.chat.timezone, asked.now)
    spans.append(
        f" First of a new story here at {at}, seen from {entry.source} at "
        f"{local_time(entry.seen, asked.chat.timezone, asked.now)}, published "
        f"{local_time(entry.published, asked.chat.timezone, asked.now)}."
    )
    story = next(iter(await store.stories([story_id])), None)
    others = [e for e in await store.entries(story.entries if story else ()) if e.id != entry.id]
    developments = sum(e.kind is Kind.DEVELOPMENT for e in others)
    if others:
        spans.append(
            f" {plural(len(others), 'entry', 'entries')} since were folded in: "
            f"{plural(len(others) - developments, 'repeat')}, {plural(developments, 'development')}."
        )
    return say(*spans, private=True)


async def _matched(asked: Asked, ring: Delivery, entry: Entry) -> list[str | Span]:
    mine = {s.id: s for s in await asked.mine()}
    spans: list[str | Span] = []
    for subscription in (mine[i] for i in ring.subscriptions if i in mine):
        found = hits(parse_query(subscription.query), document(entry)) or ()
        spans += [" " if spans else "", "Rang for ", code(subscription.query)]
        texts = dict(entry.texts())
        where = [f'"{texts[h.field][h.start : h.end]}" in the {h.field}, character {h.start + 1}' for h in found[:3]]
        spans.append(f" ({'; '.join(where)})." if where else ".")
    return spans or ["Rang for a subscription that was removed since."]


async def _why_link(asked: Asked, link: str) -> Reply:
    store = asked.desk.store
    if not link.startswith(("http://", "https://")):
        return say("Give me the article's address, for example ", code("/why https://example.org/article"), ".")
    found = await store.entries_by_link(link) or await store.entries_by_link(link.rstrip("/"))
    if not found:
        return say("Not fetched: no source of mine carried this address in what I still keep. /sources lists them.")
    entry = found[0]
    seen = local_time(entry.seen, asked.chat.timezone, asked.now)
    spans: list[str | Span] = [f"Seen at {seen} from {entry.source}. "]
    prepared = document(entry)
    matching = [s for s in await asked.mine() if hits(parse_query(s.query), prepared) is not None]
    if not matching:
        return say(*spans, "No subscription here matches it.")
    for index, subscription in enumerate(matching):
        spans += ["Matches " if index == 0 else ", ", code(subscription.query)]
    return say(*spans, ". ", *await _fate(asked, entry))


async def _fate(asked: Asked, entry: Entry) -> list[str | Span]:
    """What became of an entry that matched."""
    store = asked.desk.store
    story = next(iter(await store.stories([entry.story])), None)
    names = [
        entry.story,
        *((story.merged_into,) if story and story.merged_into else ()),
        *(story.merged if story else ()),
    ]
    rows = await store.deliveries(asked.chat.id, names)
    own = next((row for row in rows if row.entry == entry.id), None)
    ring = next((row for row in rows if row.kind is DeliveryKind.RING), None)
    if own is None:
        if entry.baseline:
            return ["Not sent: it was there already when I first read this source."]
        if ring is None:
            return ["Not sent: it came before the subscription."]
    row = own or ring
    assert row is not None
    at = local_time(row.settled or row.created, asked.chat.timezone, asked.now)
    if row.kind is DeliveryKind.RING and row.state is DeliveryState.SENT and own is not None:
        return [f"It rang at {at}."]
    if row.kind is DeliveryKind.DEVELOP and row.state is DeliveryState.SENT:
        return [f"Sent as an update at {at}."]
    if row.state is DeliveryState.MUTED:
        return [f"Not sent: {row.reason}."]
    if row.state is DeliveryState.WAITING:
        return [f"Waiting: {row.reason}."]
    if row.state is DeliveryState.DEAD:
        return [f"Given up: {row.reason}."]
    if row.state is DeliveryState.DUE:
        due = local_time(row.due, asked.chat.timezone, asked.now)
        return [f"Held ({row.reason or 'on its way'}), due {due}."]
    return await _repeat(asked, entry, ring)


async def _repeat(asked: Asked, entry: Entry, ring: Delivery | None) -> list[str | Span]:
    rang = next(iter(await asked.desk.store.entries([ring.entry])), None) if ring else None
    reason = f" ({entry.reason})" if entry.reason else ""
    if rang is None or ring is None:
        return [f"Folded into a story that is shown already{reason}."]
    at = local_time(ring.settled or ring.created, asked.chat.timezone, asked.now)
    return ["Not sent: repeat of ", Span(rang.title, italic=True), f"{reason}, which rang at {at}."]


async def sources(asked: Asked) -> Reply:
    """What is read, and how it is; the ailing ones by name, the well ones counted."""
    feeds = await asked.desk.store.feeds()
    if not feeds:
        return say(
            "No sources yet. The operator lists them in config.toml, or adds one with ",
            code("tocsin feeds add ADDRESS"),
            ".",
        )
    failing = [(f, s) for f, s in feeds if s.failures or s.gone]
    waiting = sum(1 for _, s in feeds if s.last_ok is None and not s.failures and not s.gone)
    well = len(feeds) - len(failing) - waiting
    spans: list[str | Span] = [f"{well} of {plural(len(feeds), 'source')} well"]
    spans += [f", {waiting} not read yet"] if waiting else []
    spans += [f", {len(failing)} failing" if failing else "."]
    for feed, state in failing[:_SHOWN]:
        since = (
            f" since {local_time(state.failing_since, asked.chat.timezone, asked.now)}" if state.failing_since else ""
        )
        spans.append(f"\n{name_of(feed, state)}: {'gone for good' if state.gone else state.error or 'failing'}{since}")
    if len(failing) > _SHOWN:
        spans.append(f"\n… and {len(failing) - _SHOWN} more.")
    names = sorted(name_of(f, s) for f, s in feeds if not s.failures and not s.gone)
    spans.append("\nI read " + ", ".join(names[:40]) + (f" and {len(names) - 40} more." if len(names) > 40 else "."))
    return say(*spans)


def name_of(feed: Feed, state: FeedState) -> str:
    """The outlet's name; never the address, which may hold a password."""
    return feed.name or state.title or feed.id.split("//")[-1].rsplit("@", 1)[-1].split("/")[0]


async def status(asked: Asked) -> Reply:
    """The honest account of this chat since Monday, and the health of the sources."""
    since = (asked.now - timedelta(days=asked.now.weekday())).replace(hour=0, minute=0, second=0, microsecond=0)
    counts = await asked.desk.store.counts(asked.chat.id, since)
    spans: list[str | Span] = [account(counts)]
    oldest = await asked.desk.store.oldest_held(asked.chat.id)
    if oldest is not None:
        spans.append(f" The oldest that is held or due is from {local_time(oldest, asked.chat.timezone, asked.now)}.")
    dead = await asked.desk.store.dead(asked.chat.id, 1)
    if dead:
        spans.append(f" Last failure: {dead[0].reason}.")
    feeds = await asked.desk.store.feeds()
    failing = [(f, s) for f, s in feeds if s.failures or s.gone]
    spans.append(f"\n{len(feeds) - len(failing)} of {plural(len(feeds), 'source')} well")
    spans += _ailing(failing, asked)
    return say(*spans)


def account(counts: dict[str, int]) -> str:
    """One sentence from `Outbox.counts`; the parts add up to the whole."""

    def total(*keys: str) -> int:
        return sum(counts.get(key, 0) for key in keys)

    kinds = ("ring", "grow", "develop", "correct")
    held = counts.get("held", 0)
    due = sum(counts.get(f"{kind}/due", 0) for kind in kinds)
    parts = [
        (total("ring/sent"), "rang"),
        (total("develop/sent"), "sent as updates"),
        (total("grow/sent", "correct/sent"), "made an alert grow"),
        (sum(counts.get(f"{kind}/folded", 0) for kind in kinds), "folded"),
        (sum(counts.get(f"{kind}/muted", 0) for kind in kinds), "muted"),
        (held, "held"),
        (due - held, "on their way"),
        (total("ring/waiting"), "waiting for a second outlet"),
        (sum(counts.get(f"{kind}/dead", 0) for kind in kinds), "failed"),
    ]
    always = ("rang", "folded", "held", "failed")
    shown = ", ".join(f"{count} {word}" for count, word in parts if count or word in always)
    whole = sum(count for count, _ in parts)
    return f"Since Monday: {plural(whole, 'entry', 'entries')} for your keywords → {shown}."


def _ailing(failing: Sequence[tuple[Feed, FeedState]], asked: Asked) -> list[str | Span]:
    if not failing:
        return ["."]
    feed, state = failing[0]
    since = f" since {local_time(state.failing_since, asked.chat.timezone, asked.now)}" if state.failing_since else ""
    more = f", and {len(failing) - 1} more (/sources)" if len(failing) > 1 else ""
    return [f"; {name_of(feed, state)} has failed{since} ({state.error or 'gone'}){more}."]

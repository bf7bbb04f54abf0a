"""/subscribe, /unsubscribe, /subscriptions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.commands.desk import ago, code, did_you_mean, pick, plural, say
from bot.commands.history import rehearse
from bot.errors import QueryError
from bot.model import Reply, Span, Subscription, SubscriptionId
from bot.subscriptions.query import explain, notices, parse_query, print_query, split_subscriptions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.commands.desk import Asked
    from bot.commands.history import Rehearsal
    from bot.subscriptions.query import Query

_PAGE = 25


async def subscribe(asked: Asked) -> Reply:
    """Add subscriptions; says how each was understood and what it would have sent in the last seven days."""
    if not asked.args:
        return say(
            "What should I listen for? Send a word or a query, for example ",
            code("Idlib"),
            " or ",
            code('"air defence" -exercise'),
            ".",
        )
    try:
        texts = split_subscriptions(asked.args)
        queries = [(text, parse_query(text)) for text in texts]
    except QueryError as error:
        return await refused(asked, error)
    mine = await asked.mine()
    wanted = {print_query(query): (text, query) for text, query in queries}
    known = {s.query: number for number, s in enumerate(mine, 1)}
    fresh = {printed: value for printed, value in wanted.items() if printed not in known}
    if len(mine) + len(fresh) > asked.desk.quota:
        return say(
            f"This chat has {len(mine)} of at most {asked.desk.quota} subscriptions: nothing was added. "
            "/subscriptions lists them, /unsubscribe N makes room."
        )
    return await _added(asked, wanted, known, fresh, len(mine))


async def _added(
    asked: Asked,
    wanted: dict[str, tuple[str, Query]],
    known: dict[str, int],
    fresh: dict[str, tuple[str, Query]],
    count: int,
) -> Reply:
    store = asked.desk.store
    if fresh and await store.chat(asked.chat.id) is None:
        await store.put_chat(asked.chat)
    added = []
    for printed, (_, query) in fresh.items():
        made = Subscription(SubscriptionId(0), asked.chat.id, printed, asked.now, min_outlets=query.min_outlets)
        added.append(await store.add_subscription(made))
    rehearsals = await rehearse(asked, {printed: query for printed, (_, query) in wanted.items()})
    spans: list[str | Span] = [_heading(len(added), len(wanted) - len(fresh))]
    numbers = {**known, **{s.query: count + n for n, s in enumerate(added, 1)}}
    for printed, (text, query) in wanted.items():
        spans += ["\n", f"{numbers[printed]} ", code(printed), *_understood(printed, query), ": "]
        spans += ["you have this one already. "] if printed in known else []
        spans += _would_have(rehearsals[printed])
        for notice in notices(text, query):
            spans += ["\n", notice]
    if not added:
        return say(*spans)
    ids = ",".join(str(s.id) for s in added)
    buttons = await asked.buttons(("Undo", "unsubscribe", ids), ("Digest instead", "digest", ids))
    return say(*spans, buttons=(buttons,))


def _heading(added: int, had: int) -> str:
    if not added:
        return "Nothing new:" if had else ""
    return f"{_number(added)} added."


def _number(count: int) -> str:
    words = ("", "One subscription", "Two subscriptions", "Three subscriptions", "Four subscriptions")
    return words[count] if count < len(words) else plural(count, "subscription")


def _understood(printed: str, query: Query) -> list[str | Span]:
    words = explain(query)
    return [] if words.strip("`\"' ").casefold() == printed.strip("\"' ").casefold() else [f" ({words})"]


def _would_have(rehearsal: Rehearsal) -> list[str | Span]:
    if not rehearsal.stories:
        spans: list[str | Span] = [
            f"nothing in the last 7 days; none of your {plural(rehearsal.sources, 'source')} used these words together."
            if rehearsal.wider
            else f"nothing in the last 7 days in {plural(rehearsal.sources, 'source')}. I ring when the first comes."
        ]
        if rehearsal.wider:
            query, stories = rehearsal.wider
            spans += [" Try ", code(query), f": {plural(stories, 'story', 'stories')}."]
        return spans
    times = "once" if rehearsal.stories == 1 else f"{rehearsal.stories} times"
    entries = plural(rehearsal.entries, "entry", "entries")
    spans = [
        f"would have rung {times} in the last 7 days ({entries} in {plural(rehearsal.stories, 'story', 'stories')})."
    ]
    if rehearsal.loudest and rehearsal.loudest[1] > 1:
        spans.append(f" Loudest: {rehearsal.loudest[0]}, {rehearsal.loudest[1]}.")
    for index, (title, link, seen) in enumerate(rehearsal.latest):
        spans += [
            "\nLatest: " if index == 0 else " · ",
            Span(title, italic=True, link=link),
            f" ({ago(seen, rehearsal.now)})",
        ]
    return spans


async def refused(asked: Asked, error: QueryError) -> Reply:
    """A query that can't be read: one line, the place, and what would do."""
    text = error.text.replace("\n", " ")
    start = max(0, error.position - 40)
    shown = text[start : start + 80]
    caret = " " * (error.position - start) + "^"
    spans: list[str | Span] = [f"I can't read this query: {error.message}\n", code(shown), "\n", code(caret)]
    if not error.suggestion:
        return say(*spans)
    buttons = await asked.buttons(("Subscribe to that", "subscribe", error.suggestion))
    return say(*spans, "\nDid you mean ", code(error.suggestion), "?", buttons=(buttons,))


def offer(text: str) -> Reply:
    """Plain words in a private chat: most likely a keyword."""
    word = " ".join(text.split())[:200]
    return say(
        "To be told about this, send ", code(f"/subscribe {word}"), ". ", code("/help"), " lists what else I do."
    )


async def unsubscribe(asked: Asked) -> Reply:
    """Remove by number or query; bare, lists what there is to remove."""
    mine = await asked.mine()
    if not mine:
        return say("There is nothing to stop: no subscriptions here yet. Add one with ", code("/subscribe Idlib"), ".")
    if not asked.args:
        rows = [
            await asked.buttons((f"{n} {s.query[:40]}", "unsubscribe", str(s.id)))
            for n, s in enumerate(mine[:_PAGE], 1)
        ]
        return say(
            "Which one? Press it, or send ", code("/unsubscribe N"), ".\n", *_list(mine[:_PAGE], 1), buttons=rows
        )
    found = pick(mine, asked.args) or _by_parsing(mine, asked.args)
    if found is None:
        close = did_you_mean(asked.args, [s.query for s in mine])
        hint: list[str | Span] = [" Did you mean ", code(f"/unsubscribe {close}"), "?"] if close else []
        return say("I have no subscription ", code(asked.args[:100]), " here.", *hint, " /subscriptions lists them.")
    return await unsubscribe_ids(asked.with_args(str(found.id)))


def _by_parsing(mine: Sequence[Subscription], text: str) -> Subscription | None:
    """The same query in other words: spaces, quotes, order of typing."""
    try:
        printed = print_query(parse_query(text))
    except QueryError:
        return None
    return next((s for s in mine if s.query == printed), None)


async def unsubscribe_ids(asked: Asked) -> Reply:
    """Remove by subscription ids (the subject of a button), only those of this chat."""
    ids = {int(i) for i in asked.args.split(",") if i.isdecimal()}
    gone = [s for s in await asked.mine() if s.id in ids]
    for subscription in gone:
        await asked.desk.store.remove_subscription(subscription.id)
    if not gone:
        return say("That was removed already. /subscriptions shows what is left.")
    spans: list[str | Span] = ["Stopped: "]
    for index, subscription in enumerate(gone):
        spans += [", " if index else "", code(subscription.query)]
    buttons = await asked.buttons(("Undo", "subscribe", ", ".join(s.query for s in gone)))
    return say(*spans, ".", buttons=(buttons,))


async def subscriptions(asked: Asked) -> Reply:
    """The numbered list, a page at a time."""
    mine = await asked.mine()
    if not mine:
        return say("No subscriptions here yet. Add one with ", code("/subscribe Idlib"), ".")
    start = int(asked.args) if asked.args.isdecimal() and int(asked.args) < len(mine) else 0
    page = mine[start : start + _PAGE]
    turns = []
    if start:
        turns.append(("‹ Back", "page", str(max(0, start - _PAGE))))
    if start + _PAGE < len(mine):
        turns.append(("More ›", "page", str(start + _PAGE)))
    buttons = await asked.buttons(*turns) if turns else ()
    head = (
        f"{plural(len(mine), 'subscription')}:"
        if len(mine) <= _PAGE
        else f"{start + 1}–{start + len(page)} of {len(mine)}:"
    )
    reply = say(head, "\n", *_list(page, start + 1, asked), buttons=(buttons,))
    return Reply(reply.message, replace=bool(asked.incoming.action))


def _list(page: Sequence[Subscription], first: int, asked: Asked | None = None) -> list[str | Span]:
    spans: list[str | Span] = []
    for number, subscription in enumerate(page, first):
        spans += ["\n" if number > first else "", f"{number} ", code(subscription.query)]
        notes = _notes(subscription, asked)
        spans += [f" · {', '.join(notes)}"] if notes else []
    return spans


def _notes(subscription: Subscription, asked: Asked | None) -> list[str]:
    notes = []
    if asked and subscription.paused_until and subscription.paused_until > asked.now:
        forever = subscription.paused_until.year > asked.now.year + 100
        notes.append("paused" if forever else f"silent until {subscription.paused_until:%d %b %H:%M} UTC")
    if subscription.digest:
        notes.append(f"digest {subscription.digest}")
    if not subscription.updates:
        notes.append("no updates")
    return notes

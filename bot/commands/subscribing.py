"""/subscribe, /unsubscribe, /subscriptions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.alerts.render import ago
from bot.commands.desk import code, did_you_mean, managed_by, page_of, pick, say, suggest
from bot.commands.history import rehearse
from bot.errors import QueryError
from bot.i18n import N_, _, fill, listed, ngettext, sentence
from bot.model import Reply, Span, Subscription, SubscriptionId
from bot.subscriptions.query import explain, notices, parse_query, print_query, split_subscriptions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.commands.desk import Asked
    from bot.commands.history import Rehearsal
    from bot.subscriptions.query import Query

#: for one, two … subscriptions; more are counted in figures
_ADDED = (
    N_("One subscription added."),
    N_("Two subscriptions added."),
    N_("Three subscriptions added."),
    N_("Four subscriptions added."),
)


async def subscribe(asked: Asked) -> Reply:
    """Add subscriptions; says how each was understood and what it would have sent in the last seven days."""
    if not asked.args:
        ask = _("What should I listen for? Send a word or a query, for example {word} or {query}.")
        return say(
            *sentence(ask, word=code("Idlib"), query=code('"air defence" -exercise')), ask=_("A word or a query")
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
        full = ngettext(
            "This chat has {count} of at most {quota} subscription: nothing was added. "
            "/subscriptions lists them, /unsubscribe N makes room.",
            "This chat has {count} of at most {quota} subscriptions: nothing was added. "
            "/subscriptions lists them, /unsubscribe N makes room.",
            asked.desk.quota,
        )
        return say(fill(full, count=len(mine), quota=asked.desk.quota))
    return await _added(asked, wanted, known, fresh, len(mine))


async def _added(
    asked: Asked,
    wanted: dict[str, tuple[str, Query]],
    known: dict[str, int],
    fresh: dict[str, tuple[str, Query]],
    count: int,
) -> Reply:
    store = asked.desk.store
    if fresh:
        await _remember(asked)
    added = []
    for printed, (_typed, query) in fresh.items():
        made = Subscription(SubscriptionId(0), asked.chat.id, printed, asked.now, min_outlets=query.min_outlets)
        added.append(await store.add_subscription(made))
    rehearsals = await rehearse(asked, {printed: query for printed, (_typed, query) in wanted.items()})
    spans: list[str | Span] = [_heading(len(added), len(wanted) - len(fresh))]
    numbers = {**known, **{s.query: count + n for n, s in enumerate(added, 1)}}
    for printed, (text, query) in wanted.items():
        spans += ["\n", f"{numbers[printed]} ", code(printed), *_understood(printed, query), ": "]
        spans += [_("you have this one already."), " "] if printed in known else []
        spans += _would_have(rehearsals[printed])
        for notice in notices(text, query):
            spans += ["\n", notice]
    if not added:
        return say(*spans)
    ids = ",".join(str(s.id) for s in added)
    offered = [(_("Undo"), "unsubscribe", ids), (_("Digest instead"), "digest", ids), (_("Share"), "share", ids)]
    return say(*spans, buttons=(await asked.buttons(*offered),))


async def _remember(asked: Asked) -> None:
    """The chat, and in a group who subscribes for it: they are told when it can't be written to any more."""
    known, user = await asked.desk.store.chat(asked.chat.id), asked.incoming.user
    chat = known or asked.chat
    if not asked.incoming.private and user.removeprefix("-") != asked.chat.id.address.removeprefix("-"):
        chat = managed_by(chat, user, asked.incoming.title)
    if chat != known:
        await asked.desk.store.put_chat(chat)


def _heading(added: int, had: int) -> str:
    if not added:
        return _("Nothing new:") if had else ""
    if added <= len(_ADDED):
        return _(_ADDED[added - 1])
    return fill(ngettext("{count} subscription added.", "{count} subscriptions added.", added), count=added)


def _understood(printed: str, query: Query) -> list[str | Span]:
    words = explain(query)
    return [] if words.strip("`\"' ").casefold() == printed.strip("\"' ").casefold() else [f" ({words})"]


def _would_have(rehearsal: Rehearsal) -> list[str | Span]:
    if not rehearsal.stories:
        return _would_not_have(rehearsal)
    entries = fill(ngettext("{count} entry", "{count} entries", rehearsal.entries), count=rehearsal.entries)
    stories = fill(ngettext("in {count} story", "in {count} stories", rehearsal.stories), count=rehearsal.stories)
    rung = ngettext(
        "would have rung {count} time in the last 7 days ({entries} {in_stories}).",
        "would have rung {count} times in the last 7 days ({entries} {in_stories}).",
        rehearsal.stories,
    )
    if rehearsal.stories == 1:
        rung = _("would have rung once in the last 7 days ({entries} {in_stories}).")
    spans: list[str | Span] = [fill(rung, count=rehearsal.stories, entries=entries, in_stories=stories)]
    if rehearsal.loudest and rehearsal.loudest[1] > 1:
        source, count = rehearsal.loudest
        spans += [" ", fill(_("Loudest: {source}, {count}."), source=source, count=count)]
    for index, (title, link, seen) in enumerate(rehearsal.latest):
        spans += [" · "] if index else ["\n", _("Latest:"), " "]
        spans += [Span(title, italic=True, link=link), f" ({ago(seen, rehearsal.now)})"]
    return spans


def _would_not_have(rehearsal: Rehearsal) -> list[str | Span]:
    if not rehearsal.wider:
        nothing = ngettext(
            "nothing in the last 7 days in {count} source. I ring when the first comes.",
            "nothing in the last 7 days in {count} sources. I ring when the first comes.",
            rehearsal.sources,
        )
        return [fill(nothing, count=rehearsal.sources)]
    query, stories = rehearsal.wider
    nothing = ngettext(
        "nothing in the last 7 days; none of your {count} source used these words together.",
        "nothing in the last 7 days; none of your {count} sources used these words together.",
        rehearsal.sources,
    )
    instead = ngettext("Try {query}: {count} story.", "Try {query}: {count} stories.", stories)
    return [fill(nothing, count=rehearsal.sources), " ", *sentence(instead, query=code(query), count=stories)]


async def trial(asked: Asked) -> Reply:
    """What a query would have sent in the last seven days, and how it is understood; nothing is added."""
    try:
        parsed = [(text, parse_query(text)) for text in split_subscriptions(asked.args)]
    except QueryError as error:
        hint: list[str | Span] = ["\n", *suggest(error.suggestion)[1:]] if error.suggestion else []
        return say(*_wrong(error), *hint)
    queries = {print_query(query): (text, query) for text, query in parsed}
    spans: list[str | Span] = []
    for printed, rehearsal in (await rehearse(asked, {p: query for p, (_text, query) in queries.items()})).items():
        text, query = queries[printed]
        spans += ["\n" if spans else "", code(printed), *_understood(printed, query), ": ", *_would_have(rehearsal)]
        for notice in notices(text, query):
            spans += ["\n", notice]
    return say(*spans)


def _wrong(error: QueryError) -> list[str | Span]:
    """What is wrong with a query, and where."""
    text = error.text.replace("\n", " ")
    start = max(0, error.position - 40)
    shown = text[start : start + 80]
    caret = " " * (error.position - start) + "^"
    wrong = fill(_("I can't read this query: {reason}"), reason=error.message)
    return [wrong, "\n", code(shown), "\n", code(caret)]


async def refused(asked: Asked, error: QueryError) -> Reply:
    """A query that can't be read: one line, the place, and what would do."""
    spans = _wrong(error)
    if not error.suggestion:
        return say(*spans)
    buttons = await asked.buttons((_("Subscribe to that"), "subscribe", error.suggestion))
    return say(*spans, "\n", *suggest(error.suggestion)[1:], buttons=(buttons,))


def offer(text: str) -> Reply:
    """Plain words in a private chat: most likely a keyword."""
    word = " ".join(text.split())[:200]
    how = _("To be told about this, send {command}. {help} lists what else I do.")
    return say(*sentence(how, command=code(f"/subscribe {word}"), help=code("/help")))


async def unsubscribe(asked: Asked) -> Reply:
    """Remove by number or query; bare, lists what there is to remove."""
    mine = await asked.mine()
    if not mine:
        none = _("There is nothing to stop: no subscriptions here yet. Add one with {command}.")
        return say(*sentence(none, command=code("/subscribe Idlib")))
    if not asked.args:
        return await unsubscribe_page(asked)
    found = pick(mine, asked.args) or _by_parsing(mine, asked.args)
    if found is None:
        close = did_you_mean(asked.args, [s.query for s in mine])
        missing = sentence(_("I have no subscription {query} here."), query=code(asked.args[:100]))
        hint = suggest(f"/unsubscribe {close}") if close else []
        return say(*missing, *hint, " ", _("/subscriptions lists them."))
    return await unsubscribe_ids(asked.with_args(str(found.id)))


async def unsubscribe_page(asked: Asked) -> Reply:
    """What there is to stop, each with a button; a page at a time."""
    mine = await asked.mine()
    if not mine:
        return say(_("That was removed already. /subscriptions shows what is left."))
    first, end, before, after = page_of([s.query for s in mine], _start(asked))
    page = mine[first:end]
    labels = [(f"{n} {s.query[:40]}", "unsubscribe", str(s.id)) for n, s in enumerate(page, first + 1)]
    rows = [(button,) for button in await asked.buttons(*labels)]
    which = sentence(_("Which one? Press it, or send {command}."), command=code("/unsubscribe N"))
    reply = say(*which, "\n", *_list(page, first + 1), buttons=(*rows, await asked.turns("unpage", before, after)))
    return Reply(reply.message, replace=bool(asked.incoming.action))


def _start(asked: Asked) -> int:
    return int(asked.args) if asked.args.isdecimal() else 0


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
        return say(_("That was removed already. /subscriptions shows what is left."))
    stopped = sentence(_("Stopped: {queries}."), queries=listed([code(s.query) for s in gone]))
    buttons = await asked.buttons((_("Undo"), "subscribe", ", ".join(s.query for s in gone)))
    return say(*stopped, buttons=(buttons,))


async def subscriptions(asked: Asked) -> Reply:
    """The numbered list, a page at a time."""
    mine = await asked.mine()
    if not mine:
        none = _("No subscriptions here yet. Add one with {command}.")
        return say(*sentence(none, command=code("/subscribe Idlib")))
    lines = ["".join(_texts(_list([s], n, asked))) for n, s in enumerate(mine, 1)]
    first, end, before, after = page_of(lines, _start(asked))
    if end - first == len(mine):
        head = fill(ngettext("{count} subscription:", "{count} subscriptions:", len(mine)), count=len(mine))
    else:
        head = fill(_("{first}–{last} of {count}:"), first=first + 1, last=end, count=len(mine))
    turns = await asked.turns("page", before, after)
    reply = say(head, "\n", *_list(mine[first:end], first + 1, asked), buttons=(turns,))
    return Reply(reply.message, replace=bool(asked.incoming.action))


def _texts(parts: Sequence[str | Span]) -> list[str]:
    return [part.text if isinstance(part, Span) else part for part in parts]


def _list(page: Sequence[Subscription], first: int, asked: Asked | None = None) -> list[str | Span]:
    spans: list[str | Span] = []
    for number, subscription in enumerate(page, first):
        spans += ["\n" if number > first else "", f"{number} ", code(subscription.query)]
        notes = _notes(subscription, asked)
        spans += [" · ", *listed(notes)] if notes else []
    return spans


def _notes(subscription: Subscription, asked: Asked | None) -> list[str]:
    notes = []
    if asked and subscription.paused_until and subscription.paused_until > asked.now:
        if subscription.paused_until.year > asked.now.year + 100:
            notes.append(_("paused"))
        else:
            notes.append(fill(_("silent until {time}"), time=asked.at(subscription.paused_until)))
    if subscription.digest:
        notes.append(fill(_("digest {rhythm}"), rhythm=subscription.digest))
    if not subscription.updates:
        notes.append(_("no updates"))
    if not subscription.alarm:
        notes.append(_("silence is not told"))
    return notes

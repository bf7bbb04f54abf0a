"""/latest, /sources, /status: commands that change nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.alerts.account import account, monday
from bot.alerts.reasons import told
from bot.alerts.render import ago
from bot.commands.desk import code, say
from bot.commands.history import PAST
from bot.commands.subscribing import refused
from bot.errors import QueryError
from bot.i18n import _, fill, listed, ngettext, sentence
from bot.model import Reply, Span, StoryId
from bot.subscriptions.match import document, matches
from bot.subscriptions.query import parse_query

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.alerts.account import Account
    from bot.commands.desk import Asked
    from bot.model import Entry, Feed, FeedState
    from bot.subscriptions.query import Query

_SHOWN = 10
#: sources that are named one by one
_NAMED = 40


async def latest(asked: Asked) -> Reply:
    """The newest stories for a query, or for this chat's subscriptions."""
    start = 0
    if asked.incoming.action:  # a page further, of the same query
        number, _blank, text = asked.args.partition(" ")
        start, asked = int(number), asked.with_args(text)
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
        if index % 50 == 0:
            await asked.desk.clock.sleep(0)
        if queries:
            prepared = document(entry)
            if not any(matches(query, prepared) for query in queries):
                continue
        newest.setdefault(entry.story, []).append(entry)
    if not newest:
        if asked.args:
            nothing = sentence(_("Nothing in the last 7 days for {query}."), query=code(asked.args))
        elif queries:
            nothing = sentence(_("Nothing in the last 7 days for your subscriptions."))
        else:
            nothing = sentence(_("Nothing in the last 7 days."))
        return say(*nothing, " ", _("/sources shows what I read."))
    groups = sorted(newest.values(), key=lambda group: group[0].published, reverse=True)
    shown = groups[start : start + _SHOWN]
    more = start + _SHOWN if start + _SHOWN < len(groups) else -1
    turns = await asked.turns("latest", start - _SHOWN, more, asked.args)
    spans: list[str | Span] = []
    for group in shown:
        first = group[-1]
        outlets = len({entry.source for entry in group})
        several = ngettext("{source} and {count} other", "{source} and {count} others", outlets - 1)
        where = first.source if outlets == 1 else fill(several, source=first.source, count=outlets - 1)
        spans += [
            "\n" if spans else "",
            "• ",
            Span(first.title, link=first.link),
            f" ({where}, {ago(group[0].published, asked.now)})",
        ]
    return Reply(say(*spans, buttons=(turns,)).message, replace=bool(asked.incoming.action))


async def sources(asked: Asked) -> Reply:
    """What is read, and how it is; the ailing ones by name, the well ones counted."""
    feeds = await asked.desk.store.feeds()
    if not feeds:
        none = _("No sources yet. The operator lists them in config.toml, or adds one with {command}.")
        return say(*sentence(none, command=code(_("tocsin feeds add ADDRESS"))))
    failing = [(f, s) for f, s in feeds if s.failures or s.gone]
    waiting = sum(1 for _, s in feeds if s.last_ok is None and not s.failures and not s.gone)
    parts = [_well(len(feeds) - len(failing) - waiting, len(feeds))]
    if waiting:
        parts.append(fill(ngettext("{count} not read yet", "{count} not read yet", waiting), count=waiting))
    if failing:
        parts.append(fill(ngettext("{count} failing", "{count} failing", len(failing)), count=len(failing)))
    spans: list[str | Span] = [*listed(parts), "" if failing else "."]
    for feed, state in failing[:_SHOWN]:
        error = _("gone for good") if state.gone else state.error or _("failing")
        if state.failing_since:
            error = fill(_("{reason} since {time}"), reason=error, time=asked.at(state.failing_since))
        spans.append(f"\n{name_of(feed, state)}: {error}")
    rest = len(failing) - _SHOWN
    if rest > 0:
        spans += ["\n", fill(ngettext("… and {count} more.", "… and {count} more.", rest), count=rest)]
    names = sorted(name_of(f, s) for f, s in feeds if not s.failures and not s.gone)
    turns = await asked.turns("sources", -1, _NAMED if len(names) > _NAMED else -1)
    return say(*spans, "\n", *_readers(names), buttons=(turns,))


async def more_sources(asked: Asked) -> Reply:
    """The names of the sources that are well, a page at a time."""
    names = sorted(name_of(f, s) for f, s in await asked.desk.store.feeds() if not s.failures and not s.gone)
    start = int(asked.args) if asked.args.isdecimal() else 0
    more = start + _NAMED if start + _NAMED < len(names) else -1
    turns = await asked.turns("sources", start - _NAMED, more)
    head = fill(
        _("{first}–{last} of {count}:"), first=start + 1, last=min(start + _NAMED, len(names)), count=len(names)
    )
    return Reply(say(head, " ", *listed(names[start : start + _NAMED]), buttons=(turns,)).message, replace=True)


def _well(well: int, whole: int) -> str:
    return fill(
        ngettext("{well} of {count} source well", "{well} of {count} sources well", whole), well=well, count=whole
    )


def _readers(names: Sequence[str]) -> list[Span]:
    rest = len(names) - _NAMED
    read = _("I read {sources}.")
    if rest > 0:
        read = ngettext("I read {sources} and {count} more.", "I read {sources} and {count} more.", rest)
    return sentence(read, sources=listed(names[:_NAMED]), count=rest)


def name_of(feed: Feed, state: FeedState) -> str:
    """The outlet's name; never the address, which may hold a password."""
    return feed.name or state.title or feed.id.split("//")[-1].rsplit("@", 1)[-1].split("/")[0]


async def status(asked: Asked) -> Reply:
    """The honest account of this chat since Monday, and the health of the sources."""
    sums = account(await asked.desk.store.counts(asked.chat.id, monday(asked.now)))
    spans: list[str | Span] = [_told(sums)]
    oldest = await asked.desk.store.oldest_held(asked.chat.id)
    if oldest is not None:
        spans += [" ", fill(_("The oldest that is held or due is from {time}."), time=asked.at(oldest))]
    dead = await asked.desk.store.dead(asked.chat.id, 1)
    if dead:
        spans += [" ", fill(_("Last failure: {reason}."), reason=told(dead[0].reason))]
    feeds = await asked.desk.store.feeds()
    failing = [(f, s) for f, s in feeds if s.failures or s.gone]
    health = [_well(len(feeds) - len(failing), len(feeds)), *_ailing(failing, asked)]
    return say(*spans, "\n", "; ".join(health), ".")


def _told(sums: Account) -> str:
    """The account in a sentence or two; the parts add up to the whole."""
    #: how many, whether none is said too, in words
    parts = [
        (sums.rung, True, ngettext("{count} rang", "{count} rang", sums.rung)),
        (sums.developed, False, ngettext("{count} sent as updates", "{count} sent as updates", sums.developed)),
        (sums.grown, False, ngettext("{count} made an alert grow", "{count} made an alert grow", sums.grown)),
        (sums.folded, True, ngettext("{count} folded", "{count} folded", sums.folded)),
        (sums.muted, False, ngettext("{count} muted", "{count} muted", sums.muted)),
        (sums.held, True, ngettext("{count} held", "{count} held", sums.held)),
        (sums.failed, True, ngettext("{count} failed", "{count} failed", sums.failed)),
    ]
    head = ngettext(
        "Since Monday: {count} entry for your keywords → {parts}.",
        "Since Monday: {count} entries for your keywords → {parts}.",
        sums.matched,
    )
    sentences = [fill(head, count=sums.matched, parts=_some(parts))]
    of_held = [
        (sums.on_the_way, False, ngettext("{count} on their way", "{count} on their way", sums.on_the_way)),
        (
            sums.waiting,
            False,
            ngettext("{count} waiting for a second outlet", "{count} waiting for a second outlet", sums.waiting),
        ),
    ]
    if sums.on_the_way or sums.waiting:
        sentences.append(fill(_("Of those held: {parts}."), parts=_some(of_held)))
    if sums.joined:
        more = ngettext(
            "{count} more entry joined these stories.", "{count} more entries joined these stories.", sums.joined
        )
        sentences.append(fill(more, count=sums.joined))
    return " ".join(sentences)


def _some(parts: Sequence[tuple[int, bool, str]]) -> str:
    return "".join(span.text for span in listed([fill(words, count=n) for n, always, words in parts if n or always]))


def _ailing(failing: Sequence[tuple[Feed, FeedState]], asked: Asked) -> list[str]:
    """The first source that fails, and how many more do; nothing when all are well."""
    if not failing:
        return []
    feed, state = failing[0]
    since = state.failing_since
    failed = fill(
        _("{source} has failed since {time} ({reason})") if since else _("{source} has failed ({reason})"),
        source=name_of(feed, state),
        time=asked.at(since) if since else "",
        reason=state.error or _("gone"),
    )
    rest = len(failing) - 1
    if not rest:
        return [failed]
    more = ngettext("{failure}, and {count} more (/sources)", "{failure}, and {count} more (/sources)", rest)
    return [fill(more, failure=failed, count=rest)]

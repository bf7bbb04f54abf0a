"""/why: explains an alert, or what became of an address."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.alerts.reasons import told
from bot.alerts.wording import told_placing
from bot.commands.desk import code, say
from bot.commands.history import PAST
from bot.i18n import N_, _, fill, listed, ngettext, sentence
from bot.model import DeliveryKind, DeliveryState, Field, Kind, Span, StoryId
from bot.subscriptions.match import document, hits
from bot.subscriptions.query import parse_query

if TYPE_CHECKING:
    from bot.commands.desk import Asked
    from bot.model import Delivery, Entry, Reply

#: where a matched word stands
_WHERE = {
    Field.TITLE: N_('"{words}" in the title, character {number}'),
    Field.SUMMARY: N_('"{words}" in the summary, character {number}'),
    Field.CONTENT: N_('"{words}" in the content, character {number}'),
    Field.CAPTION: N_('"{words}" in the caption, character {number}'),
    Field.CATEGORY: N_('"{words}" in the category, character {number}'),
}


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
        none = _("Nothing has rung here yet. {command} explains an article that did not ring.")
        return say(*sentence(none, command=code(_("/why ADDRESS"))))
    return await why_story(asked.with_args(max(rung, key=lambda row: row.settled or row.created).story))


async def why_story(asked: Asked) -> Reply:
    """Why this story rang here, and what became of what came after."""
    story_id = StoryId(asked.args)
    store = asked.desk.store
    rows = await store.deliveries(asked.chat.id, [story_id])
    ring = next((row for row in rows if row.kind is DeliveryKind.RING), None)
    entry = next(iter(await store.entries([ring.entry])), None) if ring else None
    if ring is None or entry is None:
        return say(_("That alert is too old: its entries are no longer kept."), private=True)
    spans: list[str | Span] = [Span(entry.title, bold=True), "\n"]
    spans += await _matched(asked, ring, entry)
    first = _("First of a new story here at {time}, seen from {source} at {seen}, published {published}.")
    times = {
        "time": asked.at(ring.settled or ring.created),
        "seen": asked.at(entry.seen),
        "published": asked.at(entry.published),
    }
    spans += [" ", fill(first, source=entry.source, **times)]
    story = next(iter(await store.stories([story_id])), None)
    others = [e for e in await store.entries(story.entries if story else ()) if e.id != entry.id]
    developments = sum(e.kind is Kind.DEVELOPMENT for e in others)
    if others:
        spans += [" ", _folded(len(others) - developments, developments)]
    return say(*spans, private=True)


def _folded(repeats: int, developments: int) -> str:
    whole = ngettext(
        "{count} entry since was folded in: {repeats}, {developments}.",
        "{count} entries since were folded in: {repeats}, {developments}.",
        repeats + developments,
    )
    return fill(
        whole,
        count=repeats + developments,
        repeats=fill(ngettext("{count} repeat", "{count} repeats", repeats), count=repeats),
        developments=fill(ngettext("{count} development", "{count} developments", developments), count=developments),
    )


async def _matched(asked: Asked, ring: Delivery, entry: Entry) -> list[str | Span]:
    mine = {s.id: s for s in await asked.mine()}
    spans: list[str | Span] = []
    for subscription in (mine[i] for i in ring.subscriptions if i in mine):
        found = hits(parse_query(subscription.query), document(entry)) or ()
        texts = dict(entry.texts())
        where = "; ".join(
            fill(_(_WHERE[hit.field]), words=texts[hit.field][hit.start : hit.end], number=hit.start + 1)
            for hit in found[:3]
        )
        rang = _("Rang for {query} ({where}).") if where else _("Rang for {query}.")
        spans += [" "] if spans else []
        spans += sentence(rang, query=code(subscription.query), where=where)
    return spans or [_("Rang for a subscription that was removed since.")]


async def _why_link(asked: Asked, link: str) -> Reply:
    store = asked.desk.store
    if not link.startswith(("http://", "https://")):
        ask = _("Give me the article's address, for example {command}.")
        return say(*sentence(ask, command=code("/why https://example.org/article")))
    found = await store.entries_by_link(link) or await store.entries_by_link(link.rstrip("/"))
    if not found:
        return say(_("Not fetched: no source of mine carried this address in what I still keep. /sources lists them."))
    entry = found[0]
    seen = fill(_("Seen at {time} from {source}."), time=asked.at(entry.seen), source=entry.source)
    prepared = document(entry)
    matching = [s for s in await asked.mine() if hits(parse_query(s.query), prepared) is not None]
    if not matching:
        return say(seen, " ", _("No subscription here matches it."))
    matches_ = sentence(_("Matches {queries}."), queries=listed([code(s.query) for s in matching]))
    return say(seen, " ", *matches_, " ", *await _fate(asked, entry))


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
            return [_("Not sent: it was there already when I first read this source.")]
        if ring is None:
            return [_("Not sent: it came before the subscription.")]
    row = own or ring
    assert row is not None
    at = asked.at(row.settled or row.created)
    if row.kind is DeliveryKind.RING and row.state is DeliveryState.SENT and own is not None:
        return [fill(_("It rang at {time}."), time=at)]
    if row.kind is DeliveryKind.DEVELOP and row.state is DeliveryState.SENT:
        return [fill(_("Sent as an update at {time}."), time=at)]
    if row.state is DeliveryState.MUTED:
        return [fill(_("Not sent: {reason}."), reason=told(row.reason))]
    if row.state is DeliveryState.WAITING:
        return [fill(_("Waiting: {reason}."), reason=told(row.reason))]
    if row.state is DeliveryState.DEAD:
        return [fill(_("Given up: {reason}."), reason=told(row.reason))]
    if row.state is DeliveryState.DUE:
        reason = told(row.reason) or _("on its way")
        return [fill(_("Held ({reason}), due {time}."), reason=reason, time=asked.at(row.due))]
    return await _repeat(asked, entry, ring)


async def _repeat(asked: Asked, entry: Entry, ring: Delivery | None) -> list[str | Span]:
    rang = next(iter(await asked.desk.store.entries([ring.entry])), None) if ring else None
    if rang is None or ring is None:
        if not entry.reason:
            return [_("Folded into a story that is shown already.")]
        return [fill(_("Folded into a story that is shown already ({reason})."), reason=told_placing(entry.reason))]
    repeat = (
        _("Not sent: repeat of {headline} ({reason}), which rang at {time}.")
        if entry.reason
        else _("Not sent: repeat of {headline}, which rang at {time}.")
    )
    at = asked.at(ring.settled or ring.created)
    return [*sentence(repeat, headline=Span(rang.title, italic=True), reason=told_placing(entry.reason), time=at)]

"""What to do next for one chat: hold, fold, send or edit. Pure: facts in, one step out.

The rows of a chat come in order; a step always deals with the first row, and with later ones that the same message
can carry. Folding happens here, at send time, and is never stored: settings that changed meanwhile count.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from hashlib import blake2b
from typing import TYPE_CHECKING, assert_never

from bot.alerts import reasons, render
from bot.alerts.facts import Edit, Facts, Send, Settle, Step
from bot.alerts.holding import held_until, rhythm_of, silenced, taken_over, was_missed
from bot.errors import QueryError
from bot.i18n import _, fill
from bot.model import Action, Button, DeliveryKind, DeliveryState, Kind
from bot.stories.summary import Excerpt, summarise
from bot.subscriptions.match import document, hits
from bot.subscriptions.query import parse_query

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bot.alerts.facts import StoryFacts
    from bot.model import Delivery, Entry, Hit, Message
    from bot.subscriptions.match import Document

#: a sent message is edited at most this often; the first edit comes at once
EDIT_SPACING = timedelta(minutes=3)
#: more rings than this at the same moment are one message
BURST = 10
#: after an outage at least this long, what was missed comes as one message
OUTAGE = timedelta(minutes=30)
_CATCH_UP_AT = 3
#: `Receipt.shown` of a story that was shown inside a digest: there is no message of its own to edit
IN_DIGEST = "digest"


def plan(rows: Sequence[Delivery], facts: Facts, limit: int, now: datetime) -> Step:
    """The next step for these rows (not empty, one chat's, in order). `limit` in UTF-16 units."""
    rows = [taken_over(row, facts, now) for row in rows]
    first = rows[0]
    if facts.chat.paused_until is not None and facts.chat.paused_until > now:
        return Settle(tuple(_final(row, DeliveryState.MUTED, reasons.PAUSED, now) for row in rows))
    story = facts.stories.get(first.story)
    if story is None or first.entry not in facts.entries:
        return Settle((_final(first, DeliveryState.DEAD, reasons.NOT_KEPT, now),))
    if reason := silenced(first, facts, now):
        return Settle((_final(first, DeliveryState.MUTED, reason, now),))
    if first.kind is DeliveryKind.RING and story.rang:
        return Settle((_final(first, DeliveryState.FOLDED, reasons.NOTHING_NEW, now),))
    match first.kind:
        case DeliveryKind.RING | DeliveryKind.DEVELOP:
            return _speak(rows, facts, limit, now)
        case DeliveryKind.GROW | DeliveryKind.CORRECT:
            return _change(rows, facts, now)
        case _:
            assert_never(first.kind)


def release(row: Delivery, due: datetime) -> Delivery:
    """The row as it was before it was claimed, due at another time."""
    return replace(row, state=DeliveryState.DUE, due=due, attempts=max(0, row.attempts - 1))


def action_id(chat: object, verb: str, subject: str) -> str:
    """Opaque and stable: the same button of the same alert has one id. At most 64 bytes on every platform."""
    return blake2b(f"{chat}\x00{verb}\x00{subject}".encode(), digest_size=12).hexdigest()


def view(row: Delivery, facts: Facts, *, subject: Delivery | None = None, brief: bool = False) -> render.View:
    """What is shown of a row; `subject` is the ring whose message it belongs to, itself by default; `brief`: no excerpt."""
    subject = subject or row
    entry = facts.entries[subject.entry]
    story = facts.stories[row.story]
    subscriptions = [s for i in subject.subscriptions if (s := facts.subscriptions.get(i))]
    found: list[Hit] = []
    if subscriptions and not brief:
        prepared = document(entry)
        for subscription in subscriptions:
            found += _hits(subscription.query, prepared)
    also = dict.fromkeys(e.source for e in story.entries if e.source != entry.source)
    return render.View(
        entry=entry,
        excerpt=Excerpt("") if brief else summarise(entry, found, facts.habits),
        also=tuple(also),
        queries=tuple(dict.fromkeys(s.query for s in subscriptions)),
        news=_news(entry, story) if not subscriptions or any(s.updates for s in subscriptions) else "",
    )


def _news(told: Entry, story: StoryFacts) -> str:
    """What the latest development says that came after the entry which is told; that entry's own news otherwise."""
    after = [e for e in story.entries if e.kind is Kind.DEVELOPMENT and e.seen >= told.seen and e.id != told.id]
    return (after[-1].news or after[-1].title) if after else told.news


def _hits(query: str, prepared: Document) -> tuple[Hit, ...]:
    try:
        return hits(parse_query(query), prepared) or ()
    except QueryError:
        return ()


def _final(row: Delivery, state: DeliveryState, reason: str, now: datetime) -> Delivery:
    return replace(row, state=state, reason=reason, settled=now)


def _speak(rows: Sequence[Delivery], facts: Facts, limit: int, now: datetime) -> Step:
    """A message that sounds: held, or bundled with others, or on its own."""
    first = rows[0]
    hold = held_until(first, facts, now)
    if hold is not None:
        due, reason = hold
        return Settle((replace(release(first, due), held=True, reason=reason),))
    bundle = [
        row
        for row in rows
        if row.kind in (DeliveryKind.RING, DeliveryKind.DEVELOP)
        and row.entry in facts.entries
        and row.story in facts.stories
        and not silenced(row, facts, now)
        and not (row.kind is DeliveryKind.RING and facts.stories[row.story].rang)
        and held_until(row, facts, now) is None
    ]
    heading = _heading(first, bundle, facts, now)
    if heading:
        return _digest(heading, bundle, rows, facts, limit)
    if first.kind is DeliveryKind.DEVELOP:
        receipt = facts.stories[first.story].receipt
        message = render.develop(view(first, facts), facts.chat.timezone, now)
        return Send(message, (first,), reply_to=receipt.message if receipt else "")
    return _ring(rows, facts, now)


def _heading(first: Delivery, bundle: Sequence[Delivery], facts: Facts, now: datetime) -> str:
    """The digest's heading, "" when the rows go out one by one."""
    clock = render.local_time(now, facts.chat.timezone, now)
    if rhythm_of(first, facts) != "off":
        return fill(_("Your news, {time}"), time=clock)
    rings = [row for row in bundle if row.kind is DeliveryKind.RING]
    if first.held and first.reason == reasons.QUIET and len([row for row in bundle if row.held]) > 1:
        return _("While it was quiet")
    missed = [row for row in rings if was_missed(row, facts)]
    if facts.away and len(missed) >= _CATCH_UP_AT and was_missed(first, facts):
        start, end = (render.local_time(moment, facts.chat.timezone, now) for moment in facts.away)
        return fill(_("While I was away ({start}–{end})"), start=start, end=end)
    return _("Many at once") if len(rings) > BURST else ""


def _digest(heading: str, bundle: Sequence[Delivery], rows: Sequence[Delivery], facts: Facts, limit: int) -> Send:
    # by the names that stories have now: what merged while it waited is told once, by its ring or its latest update
    heads = {facts.stories[row.story].story.id: row for row in bundle}
    heads |= {facts.stories[row.story].story.id: row for row in reversed(bundle) if row.kind is DeliveryKind.RING}
    told = [row for row in bundle if heads[facts.stories[row.story].story.id] is row]
    message, count = render.digest(heading, [view(row, facts, brief=True) for row in told], limit)
    shown = told[:count]
    ids = {row.id for row in shown}
    stories = {facts.stories[row.story].story.id for row in shown}
    folded = [
        row
        for row in rows
        if row.id not in ids and row.story in facts.stories and facts.stories[row.story].story.id in stories
    ]
    shows = tuple((row.story, IN_DIGEST) for row in shown if row.kind is DeliveryKind.RING)
    return Send(message, tuple(shown), tuple(folded), shows=shows)


def _ring(rows: Sequence[Delivery], facts: Facts, now: datetime) -> Send:
    first = rows[0]
    message = render.ring(view(first, facts), facts.chat.timezone, now)
    shown = render.fingerprint(message)
    message, actions = _buttons(message, first, facts, now)
    # the message shows the story as it stands now: what joined meanwhile is in it already
    folded = [r for r in rows if r.story == first.story and r.kind in (DeliveryKind.GROW, DeliveryKind.CORRECT)]
    return Send(message, (first,), tuple(folded), shows=((first.story, shown),), actions=actions)


def _buttons(message: Message, row: Delivery, facts: Facts, now: datetime) -> tuple[Message, tuple[Action, ...]]:
    subscriptions = [s for i in row.subscriptions if (s := facts.subscriptions.get(i))]
    wanted = [(_("Why"), "why", str(row.story)), (_("Mute story"), "mute", str(row.story))]
    wanted += [(fill(_("Snooze {query} 24 h"), query=s.query[:24]), "snooze", str(s.id)) for s in subscriptions[:1]]
    chat = facts.chat.id
    actions = tuple(
        Action(action_id(chat, verb, subject), chat, verb, subject, now) for _label, verb, subject in wanted
    )
    buttons = [Button(label, action.id) for (label, *_rest), action in zip(wanted, actions, strict=True)]
    return render.with_buttons(message, buttons), actions


def _sooner(first: Delivery, mine: Sequence[Delivery], ring: Delivery, facts: Facts, now: datetime) -> Step:
    """The story's ring is held still, for a digest say, and this row's own subscription may want it before."""
    hold = held_until(first, facts, now)
    if ring.entry in facts.entries and hold is None:
        ring = replace(ring, subscriptions=tuple(dict.fromkeys((*ring.subscriptions, *first.subscriptions))))
        step = _ring((ring, *mine[1:]), facts, now)
        return replace(step, rows=(ring, first))
    if hold is not None and hold[0] < ring.due:
        return Settle((replace(release(first, hold[0]), held=True, reason=hold[1]),))
    return Settle((_final(first, DeliveryState.FOLDED, reasons.NO_MESSAGE, now),))


def _change(rows: Sequence[Delivery], facts: Facts, now: datetime) -> Step:
    """An edit of the message that rang; silent, so that quiet hours don't matter."""
    first = rows[0]
    story = facts.stories[first.story]
    receipt, ring = story.receipt, story.ring
    mine = [r for r in rows if r.story == first.story and r.kind in (DeliveryKind.GROW, DeliveryKind.CORRECT)]
    if receipt is None and ring is not None and ring.state is DeliveryState.DUE and ring.held and first.subscriptions:
        return _sooner(first, mine, ring, facts, now)
    if receipt is None or ring is None or receipt.shown == IN_DIGEST or ring.entry not in facts.entries:
        why = reasons.IN_A_DIGEST if receipt else reasons.NO_MESSAGE
        return Settle(tuple(_final(row, DeliveryState.FOLDED, why, now) for row in mine))
    if receipt.edited is not None and receipt.edited <= now < receipt.edited + EDIT_SPACING:
        later = receipt.edited + EDIT_SPACING
        return Settle(tuple(replace(release(row, later), reason=reasons.BUNDLED) for row in mine))
    message = render.ring(view(first, facts, subject=ring), facts.chat.timezone, receipt.sent)
    shown = render.fingerprint(message)
    if shown == receipt.shown:
        return Settle(tuple(_final(row, DeliveryState.FOLDED, reasons.NOTHING_NEW, now) for row in mine))
    message, _ = _buttons(message, ring, facts, now)
    return Edit(message, (first,), receipt, tuple(mine[1:]), shown)

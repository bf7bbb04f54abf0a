"""/share, and what a shared link starts: `?start=` and `?startgroup=` carry 64 letters, digits, `_` and `-`.

A query that fits travels in the link itself; a longer one stays with the bot, and the link names it.
Contract: core.telegram.org/bots/features#deep-linking.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING

from bot.alerts.plan import action_id
from bot.commands.desk import code, pick, say
from bot.i18n import _, sentence
from bot.model import Action, ChatId, Span

if TYPE_CHECKING:
    from bot.commands.desk import Asked
    from bot.model import Reply, Subscription

#: characters of a payload
LONGEST = 64
_WHOLE, _NAMED = "q", "s"
_PAYLOAD = re.compile(r"[A-Za-z0-9_-]{2,64}")
#: nobody's chat: what is shared belongs to whoever opens the link
_SHARED = ChatId("shared", "query")
#: links that one message may offer
_MOST = 10


async def share(asked: Asked) -> Reply:
    """Links to the subscriptions of this chat, or to one of them, to be sent to others."""
    mine = await asked.mine()
    if not mine:
        none = _("There is nothing to share: no subscriptions here yet. Add one with {command}.")
        return say(*sentence(none, command=code("/subscribe Idlib")))
    chosen = mine[:_MOST]
    if asked.args:
        found = pick(mine, asked.args)
        if found is None:
            missing = _("I have no subscription {query} here. /subscriptions lists them with their numbers.")
            return say(*sentence(missing, query=code(asked.args[:60])))
        chosen = [found]
    return say(*await _links(asked, chosen))


async def share_ids(asked: Asked) -> Reply:
    """The button under a fresh subscription."""
    ids = {int(i) for i in asked.args.split(",") if i.isdecimal()}
    chosen = [s for s in await asked.mine() if s.id in ids]
    if not chosen:
        return say(_("That subscription is gone. /subscriptions shows what is left."), private=True)
    return say(*await _links(asked, chosen))


async def _links(asked: Asked, chosen: list[Subscription]) -> list[str | Span]:
    link = asked.incoming.bot_link
    if not link:
        spans: list[str | Span] = [_("Others get the same alerts when they send me this:")]
        for subscription in chosen:
            spans += ["\n", code(f"/subscribe {subscription.query}")]
        return spans
    spans = [_("Whoever opens the link subscribes; the second one asks for a group first.")]
    for subscription in chosen:
        payload = await _payload(asked, subscription.query)
        person, group = f"{link}?start={payload}", f"{link}?startgroup={payload}"
        spans += ["\n", code(subscription.query), ": ", Span(person, link=person), " · ", Span(group, link=group)]
    return spans


async def _payload(asked: Asked, query: str) -> str:
    whole = _WHOLE + base64.urlsafe_b64encode(query.encode()).decode().rstrip("=")
    if len(whole) <= LONGEST:
        return whole
    name = action_id(_SHARED, "subscribe", query)
    await asked.desk.store.put_actions([Action(name, _SHARED, "subscribe", query, asked.now)])
    return _NAMED + name


async def shared_query(asked: Asked, payload: str) -> str | None:
    """The query of a link; "" when it names none that is known, None when the payload is not one of ours."""
    if not _PAYLOAD.fullmatch(payload):
        return None
    kind, rest = payload[0], payload[1:]
    if kind == _NAMED:
        action = await asked.desk.store.action(rest, _SHARED)
        return action.subject if action is not None else ("" if re.fullmatch(r"[0-9a-f]{24}", rest) else None)
    if kind != _WHOLE:
        return None
    try:
        query = base64.b64decode(rest + "=" * (-len(rest) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
    return query if query.isprintable() else None

"""A list of feeds (OPML) that was sent as a file: its feeds are offered, and added at the press of a button."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from bot.commands.desk import say
from bot.errors import SourceError
from bot.i18n import _, fill, ngettext
from bot.model import Feed, FeedId, Reply, Span
from bot.sources.opml import read_opml
from bot.sources.urls import mask_url

if TYPE_CHECKING:
    from bot.commands.desk import Asked
    from bot.model import File

#: feeds of one list that are offered; a longer list is the operator's, `tocsin feeds import`
_MOST = 500
#: feeds that chats may add in all
_IN_ALL = 2000
#: feeds shown by name
_SHOWN = 10


async def offer(asked: Asked, file: File) -> Reply:
    """What of the list is new here, with a button that adds it."""
    if not asked.incoming.admin:
        return say(_("Only admins add sources here."))
    if not asked.desk.feeds_from_chats:
        return say(_("Sources are listed by the operator alone: send the list to them."))
    data = await file.read()
    if data is None:
        return say(_("I could not get that file. Lists of up to 1 MB are read; please send it again."))
    try:
        feeds = read_opml(data)
    except SourceError:
        return say(_("I can't read that file. I take lists of feeds, as news readers export them (OPML)."))
    known = {feed.id for feed, _state in await asked.desk.store.feeds()}
    fresh = [feed for feed in feeds if feed.id not in known]
    found = fill(ngettext("This list has {count} feed.", "This list has {count} feeds.", len(feeds)), count=len(feeds))
    if not fresh:
        nothing = _("I read all of them already.") if feeds else _("There is nothing in it that I could read.")
        return say(found, " ", nothing)
    return await _offered(asked, found, fresh, len(feeds) - len(fresh))


async def _offered(asked: Asked, found: str, fresh: list[Feed], known: int) -> Reply:
    offered = fresh[:_MOST]
    spans: list[str | Span] = [found]
    if known:
        spans += [" ", fill(ngettext("I read {count} already.", "I read {count} already.", known), count=known)]
    if len(fresh) > _MOST:
        spans += [" ", fill(_("I take the first {count} of a list; the operator can import more."), count=_MOST)]
    for feed in offered[:_SHOWN]:
        spans += ["\n• ", feed.name or mask_url(feed.id)]
    rest = len(offered) - _SHOWN
    if rest > 0:
        spans += ["\n", fill(ngettext("… and {count} more.", "… and {count} more.", rest), count=rest)]
    add = fill(ngettext("Add {count} source", "Add {count} sources", len(offered)), count=len(offered))
    subject = json.dumps([[feed.id, feed.name, feed.language, *feed.tags] for feed in offered])
    return say(*spans, buttons=(await asked.buttons((add, "feeds", subject)),))


async def add(asked: Asked) -> Reply:
    """The button: the offered feeds become sources, as far as there is room."""
    if not asked.desk.feeds_from_chats:
        return say(_("Sources are listed by the operator alone: send the list to them."), private=True)
    store = asked.desk.store
    room = _IN_ALL - sum(feed.origin == "added" for feed, _state in await store.feeds())
    added = full = 0
    for url, name, language, *tags in json.loads(asked.args):
        if room <= 0:
            full += 1
        elif await store.add_feed(Feed(FeedId(url), name, language, tuple(tags), origin="added"), asked.now):
            added += 1
            room -= 1
    done = fill(ngettext("{count} source added.", "{count} sources added.", added), count=added)
    later = _("What they carry at first is not news; I ring for what comes after.")
    note = [" ", fill(_("For {count} more there is no room."), count=full)] if full else []
    return Reply(say(done, " ", later, *note).message, replace=True)

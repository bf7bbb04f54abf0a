"""The silence watch: keywords and sources that used to bring news, and no longer do.

alerts and entries of the last weeks → how each used to come → those that are silent now → told, once, then as it doubles
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from bot.alerts.digest import quiet_until
from bot.alerts.plan import action_id
from bot.alerts.silence import rhythm_of, to_tell
from bot.alerts.silence_text import Failing, Silent, silence_message
from bot.i18n import speaking
from bot.model import Action, Sent
from bot.sources.urls import mask_url

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from bot.model import Chat, Delivery, FeedId, Subscription, SubscriptionId
    from bot.ports import Clock, Messenger, Pace, Store

log = structlog.get_logger()

#: how far back a rhythm is looked for: deliveries are kept a little longer
_WINDOW = timedelta(days=28)
#: entries are kept for two weeks
_ENTRIES = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class _Known:
    """What all chats share in one round."""

    now: datetime
    away: timedelta
    alerts: Mapping[SubscriptionId, Sequence[Delivery]]
    failing: Mapping[FeedId, Failing]


class SilenceWatch:
    """Looks now and then. Holds only which silent sources the log was told of."""

    def __init__(
        self,
        *,
        store: Store,
        messengers: Mapping[str, Messenger],
        pace: Pace,
        clock: Clock,
        away: tuple[datetime, datetime] | None = None,
    ) -> None:
        """`away`: from when to when the bot was not at work, before it started."""
        self._store = store
        self._messengers = messengers
        self._pace = pace
        self._clock = clock
        self._away = away
        self._told: dict[FeedId, datetime] = {}

    async def tick(self) -> None:
        """One look at everything."""
        now = self._clock.now()
        feeds = await self._store.feeds()
        failing = {
            feed.id: Failing(feed.name or state.title or mask_url(feed.id), state.failing_since, state.error)
            for feed, state in feeds
            if state.failing_since is not None
        }
        await self._sources(now)
        alerts: dict[SubscriptionId, list[Delivery]] = defaultdict(list)
        for alert in await self._store.alerts_since(now - _WINDOW):
            for subscription in alert.subscriptions:
                alerts[subscription].append(alert)
        away = self._away[1] - self._away[0] if self._away else timedelta()
        known = _Known(now, away, alerts, failing)
        chats = {alert.chat for one in alerts.values() for alert in one}
        for chat in await self._store.chats():
            if chat.id in chats and self._may_speak(chat, now):
                await self._chat(chat, known)

    def _may_speak(self, chat: Chat, now: datetime) -> bool:
        """What is not told now is told by a later look."""
        paused = chat.paused_until is not None and chat.paused_until > now
        return not chat.gone and not paused and quiet_until(chat, now) is None and chat.id.platform in self._messengers

    async def _chat(self, chat: Chat, known: _Known) -> None:
        silent = []
        for subscription in await self._store.subscriptions(chat.id):
            found = _silence(subscription, known)
            if found is not None:
                silent.append((subscription, found))
        if not silent:
            return
        entries = {e.id: e for e in await self._store.entries([a.entry for s, _ in silent for a in known.alerts[s.id]])}
        views = []
        for subscription, (silence, per_day) in silent:
            feeds = {entries[a.entry].feed for a in known.alerts[subscription.id] if a.entry in entries}
            bad = tuple(known.failing[feed] for feed in sorted(feeds) if feed in known.failing)
            views.append(Silent(subscription.query, per_day, silence, len(feeds), bad))
        first = silent[0][0]
        off = Action(action_id(chat.id, "silence", str(first.id)), chat.id, "silence", str(first.id), known.now)
        await self._store.put_actions([off])
        with speaking(chat.language):
            message = silence_message(views, off.id if len(views) == 1 else "", chat.timezone, known.now)
        messenger = self._messengers[chat.id.platform]
        group = messenger.is_group(chat.id)
        await self._pace.turn(chat.id, limits=messenger.limits, group=group)
        outcome = await messenger.send(chat.id, message)
        if not isinstance(outcome, Sent):
            log.warning("silence not told", chat=str(chat.id), outcome=type(outcome).__name__)
            return
        told = {subscription.id for subscription, _ in silent}
        for subscription in await self._store.subscriptions(chat.id):  # as they are now: people may have changed them
            if subscription.id in told:
                await self._store.update_subscription(replace(subscription, silence_told=known.now))

    async def _sources(self, now: datetime) -> None:
        """Those that answer, but have nothing new any more, are the operator's to look at."""
        times: dict[FeedId, list[datetime]] = defaultdict(list)
        names: dict[FeedId, str] = {}
        for entry in await self._store.entries_since(now - _ENTRIES):
            names[entry.feed] = entry.source
            if not entry.baseline:
                times[entry.feed].append(entry.seen)
        well = {feed.id for feed, state in await self._store.feeds() if not state.failures and not state.gone}
        away = self._away[1] - self._away[0] if self._away else timedelta()
        for feed in sorted(well & times.keys()):
            rhythm = rhythm_of(times[feed])
            silence = rhythm and to_tell(rhythm, now, away=away, told=self._told.get(feed))
            if rhythm and silence:
                self._told[feed] = now
                log.warning(
                    "source silent",
                    source=names[feed],
                    days=round(silence / timedelta(days=1), 1),
                    usual_per_day=round(rhythm.per_day, 1),
                )


def _silence(subscription: Subscription, known: _Known) -> tuple[timedelta, float] | None:
    """How long it has been silent, and how often a day it used to ring; None when there is nothing to tell."""
    paused = subscription.paused_until is not None and subscription.paused_until > known.now
    if paused or not subscription.alarm:
        return None
    rhythm = rhythm_of([alert.created for alert in known.alerts.get(subscription.id, ())])
    if rhythm is None:
        return None
    silence = to_tell(rhythm, known.now, away=known.away, told=subscription.silence_told)
    return (silence, rhythm.per_day) if silence else None

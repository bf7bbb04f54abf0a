"""Chat text or a button in, a reply out. Knows no platform: every chat speaks the same commands (docs/commands.md).

Incoming → who may → which command → the store → Reply
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import structlog

from bot.commands import language, looking, settings, silence, subscribing, why
from bot.commands.desk import Asked, Desk, code, did_you_mean, say, suggest
from bot.errors import StoreError
from bot.i18n import N_, _, sentence, speaking
from bot.model import Chat, Reply

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from bot.model import Incoming
    from bot.ports import Clock, Store

log = structlog.get_logger()

#: name → (function, whether it changes something, usage, what it does): the one list behind /help and platform menus;
#: usage and what it does are in English, as `_` translates them
COMMANDS: dict[str, tuple[Callable[[Asked], Awaitable[Reply]], bool, str, str]] = {
    "subscribe": (subscribing.subscribe, True, N_("QUERY[, QUERY…]"), N_("ring when news matches")),
    "unsubscribe": (subscribing.unsubscribe, True, N_("N or QUERY"), N_("stop one")),
    "subscriptions": (subscribing.subscriptions, False, "", N_("what I listen for here")),
    "latest": (looking.latest, False, N_("[QUERY]"), N_("the newest stories")),
    "why": (why.why, False, "[URL]", N_("why an alert came, or did not")),
    "pause": (settings.pause, True, "[N] [2h]", N_("be silent: all, or one subscription")),
    "resume": (settings.resume, True, "[N]", N_("ring again")),
    "digest": (settings.digest, True, "[N] off|hourly|daily 08:00|weekly mon 08:00", N_("collect instead of ringing")),
    "quiet": (settings.quiet, True, N_("22:00-07:00 or off"), N_("hold alerts at night")),
    "timezone": (settings.timezone, True, "Europe/Istanbul", N_("whose clock is meant")),
    "silence": (silence.silence, True, "[N] on|off", N_("tell when a keyword goes silent")),
    "language": (language.language, True, "[tr]", N_("what I speak here")),
    "updates": (settings.updates, True, "[N] on|off", N_("replies when a story develops")),
    "sources": (looking.sources, False, "", N_("what I read, and how it is")),
    "status": (looking.status, False, "", N_("what was sent, folded, held, failed")),
    "mydata": (settings.mydata, False, "", N_("everything kept about this chat")),
    "forget": (settings.forget, True, "", N_("delete everything about this chat")),
    "help": (looking.help_, False, N_("[COMMAND]"), N_("this list")),
    "start": (looking.start, False, "", N_("how to begin")),
}

_VERBS: dict[str, tuple[Callable[[Asked], Awaitable[Reply]], bool]] = {
    "why": (why.why_story, False),
    "mute": (settings.mute_story, True),
    "snooze": (settings.snooze, True),
    "subscribe": (subscribing.subscribe, True),
    "unsubscribe": (subscribing.unsubscribe_ids, True),
    "digest": (settings.digest_ids, True),
    "language": (language.language, True),
    "silence": (silence.silence_off, True),
    "page": (subscribing.subscriptions, False),
    "forget": (settings.forget_now, True),
}


class Commands:
    """The command handler of every chat. Holds only who was just asked for a query, and who asks too fast."""

    def __init__(
        self, *, store: Store, clock: Clock, quota: int = 200, wake: Callable[[], None] = lambda: None
    ) -> None:
        """`wake` is called when rows of a chat that was gone may be sent again."""
        self._desk = Desk(store=store, clock=clock, quota=quota, commands=COMMANDS)
        self._wake = wake
        self._asked: dict[tuple[str, str], datetime] = {}
        self._busy: dict[tuple[str, str], tuple[float, bool]] = {}

    def changes(self, incoming: Incoming) -> bool:
        """Whether it would change something, so that the person's rights matter."""
        if incoming.action:
            return True
        name, _rest = _split(incoming.text)
        return name in COMMANDS and COMMANDS[name][1]

    async def answer(self, incoming: Incoming) -> Reply | None:
        """The reply to what a person did; None where silence is right."""
        slow = self._too_fast(incoming)
        with speaking(incoming.language):  # until the chat's own language is known
            if slow is not None:
                return say(_("Slow down, please: I answer again in a few seconds.")) if slow else None
            try:
                chat = await self._chat(incoming)
                with speaking(chat.language):
                    return await self._answer(incoming, chat)
            except StoreError as error:
                log.warning("command failed", reason=str(error))
                return say(_("I could not do that just now: the store is not available. Please try again in a minute."))
            except Exception:
                log.exception("command failed", command=_split(incoming.text)[0])
                return say(
                    _("Something went wrong on my side, and nothing was changed. The operator can see it in the log.")
                )

    async def _answer(self, incoming: Incoming, chat: Chat) -> Reply | None:
        asked = Asked(desk=self._desk, incoming=incoming, chat=chat, now=self._desk.clock.now())
        if incoming.action:
            return await self._pressed(asked)
        name, rest = _split(incoming.text)
        who = (str(incoming.chat), incoming.user)
        was_asked = self._asked.pop(who, None)
        if not name:
            if not incoming.text.strip() or not (incoming.private or was_asked):
                return None
            if was_asked and (asked.now - was_asked).total_seconds() < 600:
                return await self._run("subscribe", asked, incoming.text)
            return subscribing.offer(incoming.text)
        if name == "subscribe" and not rest.strip():
            self._asked[who] = asked.now
        return await self._run(name, asked, rest)

    async def _run(self, name: str, asked: Asked, rest: str) -> Reply:
        if name not in COMMANDS:
            close = did_you_mean(name, [*COMMANDS])
            spans = sentence(_("I don't know {command}."), command=code(f"/{name}"))
            hint = suggest(f"/{close}") if close else []
            return say(*spans, *hint, " ", *sentence(_("{help} lists all."), help=code("/help")))
        function, changes, *_about = COMMANDS[name]
        if changes and not asked.incoming.admin:
            return say(_("Only admins change subscriptions here. Anyone may read: /subscriptions, /latest, /why."))
        return await function(asked.with_args(rest))

    async def _pressed(self, asked: Asked) -> Reply:
        action = await self._desk.store.action(asked.incoming.action, asked.chat.id)
        if action is None or action.verb not in _VERBS:
            return say(_("This button has expired. /subscriptions shows what is current."), private=True)
        function, changes = _VERBS[action.verb]
        if changes and not asked.incoming.admin:
            return say(_("Only admins change subscriptions here."), private=True)
        return await function(asked.with_args(action.subject))

    async def _chat(self, incoming: Incoming) -> Chat:
        """The chat's settings; a chat that speaks to us again can be written to again."""
        known = await self._desk.store.chat(incoming.chat)
        if known is None:
            return Chat(incoming.chat, title=incoming.title, language=incoming.language or "en")
        if known.gone:
            known = replace(known, gone="")
            await self._desk.store.put_chat(known)
            self._wake()
        return known

    def _too_fast(self, incoming: Incoming) -> bool | None:
        """None: go on. True: say so, once. False: say nothing (faults row 34). The console is its owner's own."""
        if incoming.chat.platform == "console":
            return None
        now = self._desk.clock.monotonic()
        who = (str(incoming.chat), incoming.user)
        if len(self._busy) > 10_000:
            self._busy = {key: busy for key, busy in self._busy.items() if busy[0] > now}
        until, told = self._busy.get(who, (now, False))
        until = max(until, now) + _COMMAND_COST
        if until - now > _COMMAND_BURST:
            self._busy[who] = (until - _COMMAND_COST, True)
            return not told
        self._busy[who] = (until, False)
        return None


#: seconds that one command uses up of a person's allowance, and how many seconds may be used up at once
_COMMAND_COST = 0.5
_COMMAND_BURST = 15.0


def _split(text: str) -> tuple[str, str]:
    """Cut "/subscribe@tocsin_bot Idlib" into ("subscribe", "Idlib"); no command gives ("", text)."""
    text = text.strip()
    if not text.startswith("/"):
        return "", text
    head, *rest = text[1:].split(None, 1) or [""]
    return head.split("@")[0].casefold(), rest[0] if rest else ""

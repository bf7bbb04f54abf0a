"""Chat text or a button in, a reply out. Knows no platform: every chat speaks the same commands (docs/commands.md).

Incoming → who may → which command → the store → Reply
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from bot.commands import (
    helping,
    language,
    lists,
    looking,
    managing,
    settings,
    sharing,
    silence,
    subscribing,
    trend,
    why,
)
from bot.commands.desk import Asked, Desk, code, did_you_mean, say, suggest
from bot.errors import StoreError
from bot.i18n import N_, _, sentence, speaking
from bot.model import Chat, ChatId, Incoming, Reply, Span

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from datetime import datetime

    from bot.model import Subscription
    from bot.ports import Clock, Store

log = structlog.get_logger()

#: name → (function, whether it changes something, usage, what it does): the one list behind /help and platform menus;
#: usage and what it does are in English, as `_` translates them
COMMANDS: dict[str, tuple[Callable[[Asked], Awaitable[Reply]], bool, str, str]] = {
    "subscribe": (subscribing.subscribe, True, N_("QUERY[, QUERY…]"), N_("ring when news matches")),
    "unsubscribe": (subscribing.unsubscribe, True, N_("N or QUERY"), N_("stop one")),
    "subscriptions": (subscribing.subscriptions, False, "", N_("what I listen for here")),
    "share": (sharing.share, False, N_("[N]"), N_("a link that others subscribe with")),
    "latest": (looking.latest, False, N_("[QUERY]"), N_("the newest stories")),
    "trend": (trend.trend, False, N_("QUERY [30d]"), N_("a chart of the last days")),
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
    "manage": (managing.manage, False, "@channel", N_("a channel of yours, from our private chat")),
    "mydata": (settings.mydata, False, "", N_("everything kept about this chat")),
    "forget": (settings.forget, True, "", N_("delete everything about this chat")),
    "help": (helping.help_, False, N_("[TOPIC or COMMAND]"), N_("this list")),
    "start": (helping.start, False, "", N_("how to begin")),
}

#: what people try who know other bots → what it is called here
_ELSEWHERE = {
    "list": "subscriptions",
    "add": "subscribe",
    "follow": "subscribe",
    "remove": "unsubscribe",
    "delete": "unsubscribe",
    "mute": "pause",
    "snooze": "pause",
    "stop": "pause",
    "unmute": "resume",
    "search": "latest",
    "news": "latest",
    "feeds": "sources",
    "settings": "help chat",
    "privacy": "mydata",
}

#: how people begin who were told of no command, in the languages spoken here
_GREETINGS = frozenset(
    ["hi", "hello", "hey", "hallo", "bonjour", "salut", "hola", "merhaba", "selam", "привет", "здравствуйте", "مرحبا", "سلام"]
)  # fmt: skip

#: commands and buttons that change when alerts may sound: what is held for the old settings is looked at again
_TIMING = frozenset({"pause", "resume", "digest", "quiet", "timezone", "snooze"})

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
    "unpage": (subscribing.unsubscribe_page, True),
    "share": (sharing.share_ids, False),
    "latest": (looking.latest, False),
    "sources": (looking.more_sources, False),
    "help": (helping.help_, False),
    "manage": (managing.manage, False),
    "feeds": (lists.add, True),
    "forget": (settings.forget_now, True),
}


async def _nothing_managed(_platform: str, _user: str, _name: str) -> None:
    return None


class Commands:
    """The command handler of every chat. Holds only who was just asked for a query, and who asks too fast."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        quota: int = 200,
        wake: Callable[[], None] = lambda: None,
        managed: Callable[[str, str, str], Awaitable[Chat | None]] = _nothing_managed,
        feeds_from_chats: bool = True,
    ) -> None:
        """`wake` is called when rows of a chat that was gone or held may be sent now; `managed` as in `Messenger.managed`,
        with the platform before.
        """
        self._desk = Desk(
            store=store, clock=clock, quota=quota, commands=COMMANDS, managed=managed, feeds_from_chats=feeds_from_chats
        )
        self._wake = wake
        self._asked: dict[tuple[str, str], datetime] = {}
        self._busy: dict[tuple[str, str], tuple[float, bool]] = {}

    async def trial(self, text: str) -> Reply:
        """What a query would have sent in the last seven days, said and drawn as in a chat; nothing is added or kept."""
        nobody = Incoming(ChatId("", ""), "")
        asked = Asked(self._desk, nobody, Chat(nobody.chat), self._desk.clock.now(), text)
        told = (await subscribing.trial(asked)).message
        drawn = (await trend.trend(asked, usual=7)).message
        if drawn.attachment is None:  # nothing to draw, or several queries at once
            return Reply(told)
        return Reply(replace(drawn, spans=(*told.spans, Span("\n"), *drawn.spans)))

    def changes(self, incoming: Incoming) -> bool:
        """Whether it would change something, so that the person's rights matter."""
        if incoming.action or incoming.file is not None:
            return True
        name, rest = _split(incoming.text)
        if not name:
            return (str(incoming.chat), incoming.user) in self._asked
        return name in COMMANDS and (COMMANDS[name][1] or (name == "start" and bool(rest)))

    async def answer(self, incoming: Incoming) -> Reply | None:
        """The reply to what a person did; None where silence is right."""
        slow = self._too_fast(incoming)
        with speaking(incoming.language):  # until the chat's own language is known
            if slow is not None:
                return say(_("Slow down, please: I answer again in a few seconds.")) if slow else None
            return await self._careful(incoming, self._answer)

    async def added(self, incoming: Incoming, room: Chat) -> Reply | None:
        """What to tell who made the bot an admin of a channel."""
        with speaking(incoming.language):
            return await self._careful(incoming, lambda asked: managing.added(asked, room))

    async def listed(self, chat: ChatId) -> tuple[Chat | None, Sequence[Subscription]]:
        """The chat and its subscriptions; none while the store can't tell."""
        try:
            return await self._desk.store.chat(chat), await self._desk.store.subscriptions(chat)
        except StoreError as error:
            log.warning("subscriptions not listed", reason=str(error))
            return None, []

    async def _careful(self, incoming: Incoming, work: Callable[[Asked], Awaitable[Reply | None]]) -> Reply | None:
        """The work's reply in the chat's language; what goes wrong is said, and what to do."""
        try:
            chat = await self._chat(incoming)
            with speaking(chat.language):
                return await work(Asked(desk=self._desk, incoming=incoming, chat=chat, now=self._desk.clock.now()))
        except StoreError as error:
            log.warning("command failed", reason=str(error))
            return say(_("I could not do that just now: the store is not available. Please try again in a minute."))
        except Exception:
            log.exception("command failed", command=_split(incoming.text)[0])
            return say(
                _("Something went wrong on my side, and nothing was changed. The operator can see it in the log.")
            )

    async def _answer(self, asked: Asked) -> Reply | None:
        incoming = asked.incoming
        if incoming.file is not None:
            return await lists.offer(asked, incoming.file)
        if incoming.action:
            return await self._pressed(asked)
        name, rest = _split(incoming.text)
        was_asked = self._was_asked(asked)
        if not name and (not incoming.text.strip() or not (incoming.private or was_asked)):
            return None
        if name == "cancel":
            return say(_("All right: nothing was added.") if was_asked else _("There is nothing to cancel."))
        if name == "subscribe" and not rest.strip():
            self._asked[str(incoming.chat), incoming.user] = asked.now
        if not asked.chat.managing or managing.stays(incoming, name):
            return await self._line(asked, name, rest, was_asked=was_asked)
        inside, room = await managing.into_room(asked)
        if room is None:
            return await managing.lost(asked)
        reply = await self._line(inside, name, rest, was_asked=was_asked)
        return managing.headed(reply, room)

    async def _line(self, asked: Asked, name: str, rest: str, *, was_asked: bool) -> Reply:
        if name:
            return await self._run(name, asked, rest)
        text = asked.incoming.text
        if was_asked:
            return await self._run("subscribe", asked, text)
        word = text.strip(" !.").casefold()
        if word in _GREETINGS or word in _ELSEWHERE:
            return await self._run("start" if word in _GREETINGS else word, asked, "")
        return subscribing.offer(text)

    def _was_asked(self, asked: Asked) -> bool:
        """Whether this person was asked for a query here a moment ago; the question is answered by whatever comes."""
        at = self._asked.pop((str(asked.incoming.chat), asked.incoming.user), None)
        if len(self._asked) > 10_000:
            self._asked = {who: when for who, when in self._asked.items() if asked.now - when < _PATIENCE}
        return at is not None and asked.now - at < _PATIENCE

    async def _run(self, name: str, asked: Asked, rest: str) -> Reply:
        if name not in COMMANDS:
            close = _ELSEWHERE.get(name) or did_you_mean(name, [*COMMANDS])
            spans = sentence(_("I don't know {command}."), command=code(f"/{name}"))
            hint = suggest(f"/{close}") if close else []
            return say(*spans, *hint, " ", *sentence(_("{help} lists all."), help=code("/help")))
        function, changes, *_about = COMMANDS[name]
        if changes and not asked.incoming.admin:
            return say(_("Only admins change subscriptions here. Anyone may read: /subscriptions, /latest, /why."))
        return await self._do(name, function, asked.with_args(rest))

    async def _do(self, name: str, function: Callable[[Asked], Awaitable[Reply]], asked: Asked) -> Reply:
        reply = await function(asked)
        if name in _TIMING and await self._desk.store.release_held(asked.chat.id, asked.now):
            self._wake()
        return reply

    async def _pressed(self, asked: Asked) -> Reply:
        action, room = await self._desk.store.action(asked.incoming.action, asked.chat.id), None
        if action is None and asked.incoming.private and asked.chat.managing:
            inside, room = await managing.into_room(asked)
            if room is None:
                return await managing.lost(asked)
            asked, action = inside, await self._desk.store.action(asked.incoming.action, inside.chat.id)
        if action is None or action.verb not in _VERBS:
            return say(_("This button has expired. /subscriptions shows what is current."), private=True)
        function, changes = _VERBS[action.verb]
        if changes and not asked.incoming.admin:
            return say(_("Only admins change subscriptions here."), private=True)
        reply = await self._do(action.verb, function, asked.with_args(action.subject))
        return managing.headed(reply, room) if room is not None else reply

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


#: how long a question waits for its answer
_PATIENCE = timedelta(minutes=10)
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

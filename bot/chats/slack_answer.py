"""People's doings in Slack in, answers out: rights, App Home, and where an answer belongs."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bot.chats import slack_events as events
from bot.chats import slack_outcome as outcomes
from bot.chats import slack_texts as texts
from bot.chats import slack_views as views
from bot.chats.lanes import REMEMBERED, Rights
from bot.chats.patience import Patience
from bot.i18n import _, speaking
from bot.model import ChatGone, ChatId, Incoming, Limits, Message, Refused, Reply, RetryLater, Sent, Span

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from bot.chats.slack_events import Asked
    from bot.chats.slack_send import Sender
    from bot.model import SendOutcome
    from bot.ports import Clock, CommandHandler, Pace

log = logging.getLogger(__name__)

#: docs.slack.dev/apis/web-api/rate-limits: one a second in a channel, "several hundred a minute" in a workspace
LIMITS = Limits(length=3000, platform_rate=5.0, chat_rate=0.95, chat_burst=1)

#: seconds that an answer waits for the language of who asked
_LOOKUP = 1.5
#: errors of users.info after which nobody can be told from a guest, and everybody may
_UNASKABLE = frozenset({"missing_scope", "unknown_method", "not_allowed_token_type"})


class Answers:
    """Answers what was asked with what the handler says."""

    def __init__(
        self,
        sender: Sender,
        clock: Clock,
        pace: Pace,
        on_gone: Callable[[ChatId, str], Awaitable[None]] | None,
    ) -> None:
        self._sender, self._patience, self._on_gone = sender, Patience(clock, pace, LIMITS), on_gone
        self._clock, self._rights = clock, Rights(clock.monotonic)
        self._languages: dict[str, str] = {}

    async def handle(self, asked: Asked, handler: CommandHandler) -> None:
        """Does what was asked; returns when the answer is out."""
        asked = replace(asked, incoming=await self.localised(asked.incoming))
        with speaking(asked.incoming.language):
            reply = await self._ask(asked, handler)
        if reply is None and asked.place == "line" and not asked.incoming.private and not asked.incoming.message:
            # whoever calls the bot by name gets an answer
            reply = await handler.answer(replace(asked.incoming, text="/help", id=""))
        if reply is not None:
            await self.answer(asked, reply, handler)

    async def slow_down(self, asked: Asked) -> None:
        """Says once that a flood was cut off."""
        if asked.place != "home":
            with speaking(asked.incoming.language):
                await self.answer(asked, _whisper(texts.SLOW_DOWN), None)

    async def open_modal(self, trigger: str, view: dict[str, Any]) -> None:
        """Shows a modal, within the three seconds for which a trigger is good."""
        try:
            await self._sender.call("views.open", trigger_id=trigger, view=view)
        except Exception as error:  # noqa: BLE001 -- odd answers make the SDK raise more than its own errors
            log.warning("a dialog could not be shown: %s", outcomes.describe(error))

    async def show_home(
        self, incoming: Incoming, handler: CommandHandler, *, start: int = 0, note: Message | None = None
    ) -> None:
        """Publishes the person's subscriptions, of the conversation that `incoming` is of."""
        known, mine = await handler.listed(incoming.chat)
        with speaking(known.language if known is not None else incoming.language):
            view = views.home(known, mine, self._clock.now(), channel=incoming.chat.address, start=start, note=note)
        try:
            await self._sender.call("views.publish", user_id=incoming.user, view=view)
        except Exception as error:  # noqa: BLE001 -- as in open_modal
            log.warning("App Home could not be shown: %s", outcomes.describe(error))

    async def home_press(self, incoming: Incoming, body: dict[str, Any], handler: CommandHandler) -> None:
        """One of our own buttons in App Home: a modal opens, the page turns, or a command is done."""
        what, subject = events.home_press(body) or ("", "")
        start = int(events.metadata(body).get("start") or 0)
        channel, trigger = incoming.chat.address, str(body.get("trigger_id"))
        incoming = await self.localised(incoming)
        known, mine = await handler.listed(incoming.chat)
        found = next((s for s in mine if str(int(s.id)) == subject), None)
        with speaking(known.language if known is not None else incoming.language):
            if what == "add":
                await self.open_modal(trigger, views.add(channel, from_home=True, start=start))
                return
            if what == "options" and found is not None:
                view = views.options(found, self._clock.now(), channel=channel, start=start)
                await self.open_modal(trigger, view)
                return
        if what == "page":
            await self.show_home(incoming, handler, start=int(subject) if subject.isdecimal() else 0)
            return
        command = {
            "pause": f"/pause #{subject}",
            "resume": f"/resume #{subject}",
            "remove": f"/unsubscribe #{subject}",
            "pause all": "/pause",
            "resume all": "/resume",
        }.get(what)
        # what the view shows may be gone by now: then it is shown as it is
        wanted = command if command and (found is not None or not subject) else ""
        await self.change(incoming, [wanted] if wanted else [], handler, start)

    async def change(self, incoming: Incoming, lines: Sequence[str], handler: CommandHandler, start: int) -> None:
        """Does these command lines for the conversation that App Home manages, and shows what became of it."""
        spans: list[Span] = []
        for line in lines:
            reply = await handler.answer(replace(incoming, text=line, admin=True))
            spans += [Span("\n")] if spans else []
            spans += reply.message.spans if reply is not None else []
        await self.show_home(incoming, handler, start=start, note=Message(tuple(spans)) if spans else None)

    async def direct(self, user: str) -> str:
        """The channel of a person's direct messages with the bot; "" when Slack does not say."""
        try:
            found = await self._sender.call("conversations.open", users=user)
        except Exception as error:  # noqa: BLE001 -- as in open_modal
            log.warning("direct messages could not be opened: %s", outcomes.describe(error))
            return ""
        return str((found.get("channel") or {}).get("id") or "")

    async def localised(self, incoming: Incoming) -> Incoming:
        """With the language that the person reads Slack in."""
        if incoming.language or not incoming.user:
            return incoming
        known = self._languages.get(incoming.user)
        if known is None:
            try:
                async with asyncio.timeout(_LOOKUP):
                    found = await self._person(incoming.user)
            except Exception as error:  # noqa: BLE001 -- as in open_modal
                log.info("a person's language is not known: %s", outcomes.describe(error))
                return incoming
            known = str(found.get("locale") or "")
            if len(self._languages) > REMEMBERED:
                self._languages.clear()
            self._languages[incoming.user] = known
        return replace(incoming, language=known)

    async def _person(self, user: str) -> Mapping[str, Any]:
        """What Slack tells of a person; what it tells of their rights is believed for a minute."""
        found = (await self._sender.call("users.info", user=user, include_locale=True)).get("user") or {}
        limited = ("deleted", "is_bot", "is_restricted", "is_ultra_restricted", "is_stranger")
        self._rights.put(("member", user), not any(found.get(flag) for flag in limited))
        return found

    async def _ask(self, asked: Asked, handler: CommandHandler) -> Reply | None:
        incoming = asked.incoming
        if handler.changes(incoming):
            trouble = "" if asked.place == "home" else await self._missing(incoming)
            if trouble:
                return _whisper(trouble)
            admin = incoming.private or await self._is_member(incoming.user)
            if admin is None:
                return _whisper(texts.CANT_CHECK)
            incoming = replace(incoming, admin=admin)
        return await handler.answer(incoming)

    async def _missing(self, incoming: Incoming) -> str:
        """What to say when alerts would not reach this conversation; "" when they would, or nobody knows."""
        key = ("here", incoming.chat.address)
        here = self._rights.get(key)
        if here is None:
            try:
                found = (await self._sender.call("conversations.info", channel=incoming.chat.address))["channel"]
            except Exception as error:  # noqa: BLE001 -- as in open_modal
                if outcomes.code_of(error) != "channel_not_found":
                    log.info("a conversation could not be looked up: %s", outcomes.describe(error))
                    return ""
                here = False
            else:
                here = bool(found.get("is_im") or found.get("is_member", True))
            if here:  # an invitation may come the next second
                self._rights.put(key, admin=True)
        return "" if here else texts.NOT_HERE

    async def _is_member(self, user: str) -> bool | None:
        """Whether this person is a full member of the workspace, no guest or stranger; None: Slack would not say."""
        known = self._rights.get(("member", user))
        if known is None:
            try:
                await self._person(user)
            except Exception as error:  # noqa: BLE001 -- as in open_modal
                log.warning("rights could not be checked: %s", outcomes.describe(error))
                # an app that may not ask, or a server that can't be asked, knows no guests
                return True if outcomes.code_of(error) in _UNASKABLE else None
            known = self._rights.get(("member", user))
        return known

    async def answer(self, asked: Asked, reply: Reply, handler: CommandHandler | None) -> None:
        """Puts the reply where it belongs."""
        incoming, message = asked.incoming, reply.message
        chat, thread = incoming.chat, asked.thread

        if asked.place == "home":
            if handler is not None:
                await self.show_home(incoming, handler, note=message)
            return
        only_asker = asked.place in {"slash", "whisper", "modal"} or (reply.private and not incoming.private)
        if message.attachment is not None:
            alone = incoming.user if reply.private and not incoming.private else ""
            await self._sender.send_file(chat, alone, message, thread)
            return
        if only_asker and asked.respond and not (asked.place == "press" and reply.replace):
            # an address of one's own knows no rate limit
            replacing = reply.replace and asked.place == "whisper"
            if isinstance(await self._sender.respond(asked.respond, message, replace=replacing), Sent):
                return

        async def step() -> SendOutcome:
            if asked.place == "press" and reply.replace:
                outcome = await self._sender.edit(chat, incoming.message, message)
                if not isinstance(outcome, Refused):
                    return outcome
            if only_asker and not incoming.private:
                return await self._sender.whisper(chat, incoming.user, message, thread)
            return await self._sender.send(chat, message, thread)

        match await self._patience.send(chat, step):
            case ChatGone(reason=reason):
                log.warning("an answer could not reach its channel: %s", reason)
                if self._on_gone is not None:
                    await self._on_gone(chat, reason)
            case Refused(reason=reason) | RetryLater(reason=reason):
                log.warning("an answer could not be sent: %s", reason)


def _whisper(words: str) -> Reply:
    return Reply(Message((Span(_(words)),)), private=True)

"""Slack through slack-bolt (async): Socket Mode with an app token, else HTTP with a signing secret.

Contract: bot/ports.py Messenger; docs.slack.dev. Everything is acknowledged before it is worked on.
"""

from __future__ import annotations

import logging
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import msgspec
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.signature import SignatureVerifier

from bot.chats import slack_events as events
from bot.chats import slack_views as views
from bot.chats.lanes import Lanes, Seen
from bot.chats.slack_answer import LIMITS, Answers
from bot.chats.slack_outcome import code_of, describe
from bot.chats.slack_send import REVOKED, Sender
from bot.chats.slack_socket import SocketMode
from bot.i18n import speaking
from bot.model import ChatId
from bot.pace import LocalPace

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Hashable, Mapping

    from bot.model import Incoming, Message, SendOutcome
    from bot.ports import Clock, CommandHandler, Pace

log = logging.getLogger(__name__)

_ANY = re.compile("")
#: seconds for answers in hand when it stops
_FINISH = 1.0


class SlackMessenger:
    """One workspace. Without `app_token` it hears through `webhook`, mounted where Slack's request URL points."""

    platform = events.PLATFORM
    limits = LIMITS

    def __init__(
        self,
        bot_token: str,
        *,
        clock: Clock,
        app_token: str = "",
        signing_secret: str = "",
        base_url: str = "https://slack.com/api/",
        pace: Pace | None = None,
        on_moved: Callable[[ChatId, ChatId], Awaitable[None]] | None = None,
        on_gone: Callable[[ChatId, str], Awaitable[None]] | None = None,
        on_back: Callable[[ChatId], Awaitable[None]] | None = None,
    ) -> None:
        self._clock, self._app_token = clock, app_token
        self._sender = Sender(bot_token, base_url, clock)
        self._verifier = SignatureVerifier(signing_secret) if signing_secret else None
        #: for the redaction of logs
        self.secrets = tuple(secret for secret in (bot_token, app_token, signing_secret) if secret)
        self._answers = Answers(self._sender, clock, pace or LocalPace(clock), on_gone)
        self._on_moved, self._on_gone, self._on_back = on_moved, on_gone, on_back
        self._lanes, self._seen = Lanes(), Seen()
        self._handler: CommandHandler | None = None
        self._me = AuthorizeResult(enterprise_id=None, team_id=None)
        self._app = self._build_app()
        self._socket = SocketMode(app_token, self._sender, clock, self._dispatch)

    @property
    def problem(self) -> str:
        """What keeps all of Slack from working, for people; "" when it is well."""
        return self._sender.problem or self._socket.problem

    def is_group(self, chat: ChatId) -> bool:
        return not chat.address.startswith("D")

    async def send(self, chat: ChatId, message: Message, reply_to: str = "") -> SendOutcome:
        return await self._sender.send(chat, message, reply_to)

    async def edit(self, chat: ChatId, message_id: str, message: Message) -> SendOutcome:
        return await self._sender.edit(chat, message_id, message)

    async def direct(self, user: str) -> ChatId | None:
        channel = await self._answers.direct(user)
        return ChatId(self.platform, channel) if channel else None

    async def managed(self, user: str, name: str) -> None:
        """Channels are managed in the channels: whatever is typed there is seen by the asker alone."""

    async def close(self) -> None:
        await self._lanes.close()
        await self._sender.close()

    # ------------------------------------------------------------ hearing

    async def run(self, handler: CommandHandler) -> None:
        try:
            await self._introduce()
            self._handler = handler
            if self._app_token:
                await self._socket.run()
            while True:  # HTTP mode: requests come by themselves; a refused token is asked about again
                await self._clock.sleep(REVOKED)
                if self.problem:
                    await self._introduce()
        finally:
            await self._lanes.idle(_FINISH)  # what was acknowledged is not asked again
            self._handler = None
            await self._lanes.close()

    async def _introduce(self) -> None:
        """Asks who the bot is until Slack says; its own messages are recognised by that."""
        failures = 0
        while True:
            try:
                found = await self._sender.call("auth.test")
            except Exception as error:  # noqa: BLE001 -- odd answers make the SDK raise more than its own errors
                if code_of(error) == "unknown_method":
                    log.warning("Slack did not say who the bot is: it may hear itself")
                    return
                self._sender.note(error)
                log.warning("Slack can't be reached, trying again: %s", describe(error))
                longest = REVOKED if self._sender.problem else 30.0
                await self._clock.sleep(min(2.0 ** min(failures, 10), longest))
                failures += 1
                continue
            self._sender.well()
            self._me = AuthorizeResult(
                enterprise_id=found.get("enterprise_id"),
                team_id=found.get("team_id"),
                bot_token=self._sender.client.token,
                bot_id=found.get("bot_id"),
                bot_user_id=found.get("user_id"),
            )
            me, team = found.get("user"), found.get("team")
            log.info("on Slack as @%s in %s; begin with /subscribe Idlib, or in a channel: /invite @%s", me, team, me)
            return

    def _build_app(self) -> AsyncApp:
        async def authorize() -> AuthorizeResult:
            return self._me  # bolt would ask auth.test itself, and drop what people did when that fails

        # bolt logs whole request bodies when it does not know what to do with them
        quiet = logging.getLogger("slack_bolt.tocsin")
        quiet.setLevel(logging.ERROR)
        app = AsyncApp(
            logger=quiet,
            client=self._sender.client,
            authorize=authorize,
            signing_secret="checked before bolt sees a request",  # noqa: S106 -- not one
            request_verification_enabled=False,
        )
        app.command(_ANY)(self._on_command)
        app.action(_ANY)(self._on_press)
        app.view(events.ADD)(self._on_submission)
        app.view(events.OPTIONS)(self._on_options)
        app.shortcut(events.SHORTCUT)(self._on_shortcut)
        app.event(_ANY)(self._on_event)
        return app

    async def _dispatch(self, payload: dict[str, Any]) -> dict[str, Any] | None:
        """One envelope of Socket Mode; returns once it may be acknowledged."""
        answer = await self._app.async_dispatch(AsyncBoltRequest(mode="socket_mode", body=payload))
        body = msgspec.json.decode(answer.body) if answer.body and answer.body.startswith("{") else None
        return body if isinstance(body, dict) and answer.status == 200 else None

    async def webhook(self, headers: Mapping[str, str], body: bytes) -> tuple[int, str, bytes]:
        """One request of Slack's in HTTP mode: (status, content type, body) to answer."""
        if not self._signed(headers, body):
            return 401, "text/plain", b"bad signature"
        if self._handler is None:
            return 503, "text/plain", b"starting"
        try:
            request = AsyncBoltRequest(body=body.decode(), headers=dict(headers.items()))
        except ValueError:
            return 400, "text/plain", b"not a request of Slack's"
        answer = await self._app.async_dispatch(request)
        content_type = answer.first_headers().get("content-type", "text/plain").partition(";")[0]
        return answer.status, content_type, (answer.body or "").encode()

    def _signed(self, headers: Mapping[str, str], body: bytes) -> bool:
        """Slack's signature over the raw body, not older than five minutes (docs.slack.dev …/verifying-requests)."""
        given = {name.lower(): value for name, value in headers.items()}
        if self._verifier is None:
            return False
        try:
            return self._verifier.is_valid_request(body, given)
        except (ValueError, TypeError):  # a timestamp that is no number, a body that is no text
            return False

    # ------------------------------------------------------------ what people do

    async def _on_command(self, ack: Callable[..., Awaitable[Any]], body: dict[str, Any]) -> None:
        await ack()
        self._submit(events.command(body), body)

    async def _on_press(self, ack: Callable[..., Awaitable[Any]], body: dict[str, Any]) -> None:
        await ack()
        if events.home_press(body) is not None:
            self._manage(body, lambda incoming, handler: self._answers.home_press(incoming, body, handler))
        else:
            self._submit(events.press(body), body)

    async def _on_submission(self, ack: Callable[..., Awaitable[Any]], body: dict[str, Any]) -> None:
        await ack()
        asked = events.submission(body)
        if asked is not None and events.chosen(body).get("place") == "direct":
            self._work(("modal", asked.incoming.user), body, lambda handler: self._directly(asked, handler))
        else:
            self._submit(asked, body)

    async def _directly(self, asked: events.Asked, handler: CommandHandler) -> None:
        """The same, for the direct messages with the person; where those can't be had, where it was asked for."""
        channel = await self._answers.direct(asked.incoming.user)
        if channel:
            incoming = replace(asked.incoming, chat=ChatId(self.platform, channel), private=True, admin=True)
            asked = replace(asked, incoming=incoming)
        await self._answers.handle(asked, handler)

    async def _on_options(self, ack: Callable[..., Awaitable[Any]], body: dict[str, Any]) -> None:
        await ack()
        known = events.metadata(body)
        lines = views.lines(int(known.get("id") or 0), known.get("was") or {}, events.chosen(body))
        start = int(known.get("start") or 0)
        self._manage(body, lambda incoming, handler: self._answers.change(incoming, lines, handler, start))

    def _manage(self, body: dict[str, Any], work: Callable[[Incoming, CommandHandler], Awaitable[None]]) -> None:
        """Something of App Home, for the conversation that it manages."""
        user = str((body.get("user") or {}).get("id") or "")

        async def found(handler: CommandHandler) -> None:
            channel = str(events.metadata(body).get("channel") or "") or await self._answers.direct(user)
            await work(events.managing(body, channel), handler)

        self._work(("home", user), body, found)

    async def _on_shortcut(self, ack: Callable[..., Awaitable[Any]], body: dict[str, Any]) -> None:
        await ack()
        channel = str((body.get("channel") or {}).get("id") or "")
        idea = events.suggestion(str((body.get("message") or {}).get("text") or ""))
        user, respond = str((body.get("user") or {}).get("id")), str(body.get("response_url") or "")

        async def open_it(_: CommandHandler) -> None:
            asked = await self._answers.localised(events.managing(body, channel))
            with speaking(asked.language):
                view = views.add(channel, idea, respond=respond)
            await self._answers.open_modal(str(body.get("trigger_id")), view)

        self._work(("modal", user), body, open_it)

    async def _on_event(self, ack: Callable[..., Awaitable[Any]], body: dict[str, Any]) -> None:
        await ack()
        event = body.get("event") or {}
        kind = str(event.get("type"))
        if kind in {"message", "app_mention"}:
            # a mention in a direct message may come as both
            if self._seen.first((event.get("channel"), event.get("ts"))):
                self._submit(events.message(event, body, str(self._me.bot_user_id)), body)
        elif kind == "app_home_opened" and event.get("tab", "home") == "home":
            self._work(("home", str(event.get("user"))), body, lambda handler: self._show_home(event, body, handler))
        elif kind in {"tokens_revoked", "app_uninstalled"}:
            self._work("service", body, lambda _: self._check_token())
        else:
            self._membership(event, body)

    def _membership(self, event: dict[str, Any], body: dict[str, Any]) -> None:
        found = events.change(event, str(self._me.bot_user_id))
        gone, back, moved = self._on_gone, self._on_back, self._on_moved
        if found is None:
            return
        chat, reason, to = found.chat, found.gone, found.moved_to
        if to is not None and moved is not None:
            self._work("service", body, lambda _: moved(chat, to))
        elif reason and gone is not None:
            self._work("service", body, lambda _: gone(chat, reason))
        elif to is None and not reason and back is not None:
            self._work("service", body, lambda _: back(chat))

    async def _check_token(self) -> None:
        await self._sender.token_works()

    async def _show_home(self, event: dict[str, Any], body: dict[str, Any], handler: CommandHandler) -> None:
        user = str(event.get("user") or "")
        channel = str(event.get("channel") or "") or await self._answers.direct(user)
        asked = events.managing({**body, "user": {"id": user}}, channel)
        await self._answers.show_home(await self._answers.localised(asked), handler)

    def _submit(self, asked: events.Asked | None, body: dict[str, Any]) -> None:
        if asked is not None and asked.incoming.chat.address:
            lane = (asked.incoming.chat.address, asked.incoming.user)
            self._work(
                lane,
                body,
                lambda handler: self._answers.handle(asked, handler),
                lambda: self._answers.slow_down(asked),
            )

    def _work(
        self,
        lane: Hashable,
        body: dict[str, Any],
        work: Callable[[CommandHandler], Awaitable[None]],
        overflow: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """Queues work behind that of the same person; the same event or trigger has one effect."""
        known = body.get("event_id") or body.get("trigger_id")
        handler = self._handler
        if handler is not None and (not known or self._seen.first(known)):
            self._lanes.submit(lane, lambda: work(handler), overflow)

"""Telegram through python-telegram-bot: its Bot speaks the API, everything else is decided here.

PTB's Application and rate limiter stay unused: the outbox paces sends and remembers due times over restarts.
Contract: bot/ports.py Messenger; core.telegram.org/bots/api.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import logging
from typing import TYPE_CHECKING, Any

import msgspec
from telegram.error import BadRequest, Conflict, EndPointNotFound, InvalidToken, RetryAfter

from bot.chats import telegram_outcome as outcomes
from bot.chats.lanes import Lanes, Seen
from bot.chats.telegram_answer import LIMITS, Answers
from bot.chats.telegram_menus import calls_of
from bot.chats.telegram_send import REVOKED, Sender, is_group
from bot.chats.telegram_updates import PLATFORM, UPDATES, Line, Me, Press, read
from bot.model import ChatId, RetryLater
from bot.pace import LocalPace

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from bot.chats.telegram_menus import Menu
    from bot.chats.telegram_updates import Heard
    from bot.model import Chat, Message, SendOutcome
    from bot.ports import Clock, CommandHandler, Pace

log = logging.getLogger(__name__)

#: seconds that one long poll stays open
POLL = 25
#: seconds that a batch may take before its updates are confirmed all the same
_HANDLING = 0.5
#: seconds between tries after a second poller was met
_CONFLICT = 5.0
#: seconds before the next poll when one brought nothing new at once: some servers do not hold a poll open
_NOTHING = 0.5
#: seconds between calls that only dress the bot up
_BETWEEN = 0.1
#: once who it is could not be asked, it is asked again after so many polls or looks
_ASK_AGAIN = 20
_NOWHERE = ChatId(PLATFORM, "")


class TelegramMessenger:
    """One bot account. `webhook_url` "" polls; else updates come through `webhook`, mounted at that address."""

    platform = PLATFORM
    limits = LIMITS

    def __init__(
        self,
        token: str,
        *,
        clock: Clock,
        base_url: str = "https://api.telegram.org",
        webhook_url: str = "",
        menus: Sequence[Menu] = (),
        pace: Pace | None = None,
        on_moved: Callable[[ChatId, ChatId], Awaitable[None]] | None = None,
        on_gone: Callable[[ChatId, str], Awaitable[None]] | None = None,
        on_back: Callable[[ChatId], Awaitable[None]] | None = None,
    ) -> None:
        self._sender = Sender(token, base_url, clock)
        self._bot = self._sender.bot
        self._clock, self._menus = clock, menus
        self._webhook_url = webhook_url
        # stable without being stored, and useless for anything else
        self._webhook_secret = hmac.new(token.encode(), b"tocsin webhook", hashlib.sha256).hexdigest()
        #: for the redaction of logs
        self.secrets = (token, token.partition(":")[2], self._webhook_secret)
        self._answers = Answers(
            self._sender, clock, pace or LocalPace(clock), on_moved=on_moved, on_gone=on_gone, on_back=on_back
        )
        self._handler: CommandHandler | None = None
        # the id stands in the token; the name is asked for
        self._me = Me(int(token.partition(":")[0]) if token.partition(":")[0].isdecimal() else 0)
        self._unnamed = 0
        self._lanes, self._seen = Lanes(), Seen()

    @property
    def problem(self) -> str:
        """What keeps all of Telegram from working, for people; "" when it is well."""
        return self._sender.problem

    def is_group(self, chat: ChatId) -> bool:
        return is_group(chat)

    async def send(self, chat: ChatId, message: Message, reply_to: str = "") -> SendOutcome:
        return await self._sender.send(chat, message, reply_to)

    async def edit(self, chat: ChatId, message_id: str, message: Message) -> SendOutcome:
        return await self._sender.edit(chat, message_id, message)

    async def direct(self, user: str) -> ChatId | None:
        return ChatId(self.platform, user) if user.isdecimal() else None

    async def managed(self, user: str, name: str) -> Chat | None:
        return await self._answers.managed(user, name)

    async def run(self, handler: CommandHandler) -> None:
        self._handler = handler
        try:
            await self._retrying(self._introduce)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._show_menus())
                if self._webhook_url:
                    tasks.create_task(self._keep_webhook())
                else:
                    tasks.create_task(self._poll())
        finally:
            await self._lanes.idle(_HANDLING)
            self._handler = None
            await self._lanes.close()

    async def _retrying(self, step: Callable[[], Awaitable[None]]) -> None:
        """Repeats a step until it succeeds, slower with each failure."""
        failures = 0
        while True:
            try:
                await step()
            except Exception as error:  # noqa: BLE001 -- as in _post
                await self._clock.sleep(self._pause(error, failures))
                failures += 1
            else:
                self._sender.well()
                return

    async def _introduce(self) -> None:
        """Who the bot is. A server that does not say is worked with all the same: the name only tells bots apart."""
        try:
            found = await self._bot.described("getMe")
        except (EndPointNotFound, BadRequest) as error:
            log.warning("Telegram did not say who the bot is: %s", outcomes.describe(error))
            return
        self._me = Me(int(found.get("id") or self._me.id), str(found.get("username") or ""))
        log.info("on Telegram as @%s; begin with /start at %s", self._me.username, self._me.link)

    async def _introduce_again(self) -> None:
        self._unnamed += 1
        if not self._me.username and self._unnamed % _ASK_AGAIN == 0:
            with contextlib.suppress(Exception):
                await self._introduce()

    def _pause(self, error: Exception, failures: int) -> float:
        """Seconds to wait after a failure of a call that hears people; logs what an operator should know."""
        self._sender.note(error)
        reason = outcomes.describe(error)
        match outcomes.classify(error, _NOWHERE):
            case RetryLater(after=float(after)):
                return after
            case _ if isinstance(error, InvalidToken):
                return float(min(REVOKED * 2 ** min(failures, 10), 900.0))
            case _ if isinstance(error, Conflict):
                self._sender.problem = "another program reads this Telegram bot's updates with the same token (409)"
                log.error("%s: stop it, or give each its own token. %s", self._sender.problem, reason)
                return float(min(_CONFLICT * 2 ** min(failures, 10), 60.0))
        log.warning("Telegram can't be reached, trying again: %s", reason)
        return float(min(2 ** min(failures, 10), 30.0))

    async def _poll(self) -> None:
        """Long polls; the offset confirms a batch once it is handled, so that a crash repeats rather than loses it."""
        offset, failures = 0, 0
        try:
            while True:
                asked = self._clock.monotonic()
                try:
                    batch = await self._bot.raw_updates(offset, POLL)
                except Exception as error:  # noqa: BLE001 -- as in _post
                    if isinstance(error, Conflict) and "webhook" in error.message.lower():
                        # left from before; what is pending stays pending
                        await self._retrying(self._drop_webhook)
                        continue
                    await self._clock.sleep(self._pause(error, failures))
                    failures += 1
                    continue
                self._sender.well()
                failures = 0
                before, offset = offset, max([offset, *(_number(raw) + 1 for raw in batch)])
                await self._handled([self._take(raw) for raw in batch])
                if offset == before and self._clock.monotonic() - asked < _NOTHING:
                    await self._clock.sleep(_NOTHING)
                await self._introduce_again()
        except asyncio.CancelledError:
            if offset and await self._lanes.idle(_HANDLING):
                await self._confirm(offset)
            raise

    @staticmethod
    async def _handled(batch: list[asyncio.Event | None]) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_HANDLING):
                for done in batch:
                    if done is not None:
                        await done.wait()

    async def _drop_webhook(self) -> None:
        await self._bot.ask("deleteWebhook", drop_pending_updates=False)

    async def _confirm(self, offset: int) -> None:
        """Tells Telegram what was handled, so that the next start does not answer it again."""
        try:
            async with asyncio.timeout(2):
                await self._bot.raw_updates(offset, 0)
        except Exception as error:  # noqa: BLE001 -- on the way out; the next start only answers a little twice
            log.info("the last updates could not be confirmed: %s", outcomes.describe(error))

    async def _keep_webhook(self) -> None:
        """Registers the webhook, and while the platform is not well keeps asking whether it is again."""
        await self._retrying(self._set_webhook)
        while True:
            await self._clock.sleep(REVOKED)
            if self._sender.problem:
                await self._retrying(self._introduce)

    async def _set_webhook(self) -> None:
        await self._bot.ask(
            "setWebhook", url=self._webhook_url, secret_token=self._webhook_secret, allowed_updates=list(UPDATES)
        )

    async def webhook(self, headers: Mapping[str, str], body: bytes) -> tuple[int, str, bytes]:
        """One POST of Telegram: (status, content type, body) to answer. 200 once the update is handled (within 5 s)."""
        given = headers.get("X-Telegram-Bot-Api-Secret-Token", "")
        if not hmac.compare_digest(given.encode("utf-8", "replace"), self._webhook_secret.encode()):
            return 403, "text/plain", b"forbidden"
        if self._handler is None:  # Telegram keeps the update and comes again
            return 503, "text/plain", b"starting"
        try:
            raw = msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raw = None
        if not isinstance(raw, dict):
            return 400, "text/plain", b"not an update"
        done = self._take(raw)
        if done is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(5):
                    await done.wait()
        return 200, "text/plain", b""

    def _take(self, raw: dict[str, Any]) -> asyncio.Event | None:
        """Queues one update behind those of the same person; a repeated id has no second effect.

        The event is set once the update is handled; None when nothing is worth waiting for: nothing is done, or much
        of the same person's comes first.
        """
        heard = self._read(raw)
        if heard is None:
            return None
        done = asyncio.Event()

        async def work() -> None:
            try:
                if self._handler is not None:
                    await self._answers.handle(heard, self._handler)
            finally:
                done.set()

        async def overflow() -> None:
            await self._answers.slow_down(heard)

        incoming = heard.incoming if isinstance(heard, Line | Press) else None
        lane = (incoming.chat.address, incoming.user) if incoming else "service"
        first = not self._lanes.busy(lane)
        self._lanes.submit(lane, work, overflow)
        return done if first else None

    def _read(self, raw: dict[str, Any]) -> Heard | None:
        try:
            return read(raw, self._me) if self._seen.first(_number(raw)) else None
        except Exception as error:  # noqa: BLE001 -- an update of a shape nobody has heard of
            log.warning("an update was left out, it can't be read: %s", type(error).__name__)
            return None

    async def close(self) -> None:
        await self._lanes.close()
        await self._bot.close_connections()

    async def _show_menus(self) -> None:
        """Command lists and descriptions. They are a comfort: a failure is noted, and that is all."""
        calls = [call for menu in self._menus for call in calls_of(menu)]
        given_up: set[str] = set()
        for method, parameters in calls:
            if method in given_up:
                continue
            try:
                await self._bot.ask(method, **parameters)
            except Exception as error:  # noqa: BLE001 -- as in _post
                log.info("%s failed: %s", method, outcomes.describe(error))
                if isinstance(error, EndPointNotFound | RetryAfter):  # the next start shows what is missing
                    given_up.add(method)
            await self._clock.sleep(_BETWEEN)


def _number(raw: dict[str, Any]) -> int:
    number = raw.get("update_id", -1)
    return number if isinstance(number, int) else -1

"""Messages out to Telegram, and what its answers mean. PTB's Bot speaks the API."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

import httpx
from telegram import Bot, InputFile
from telegram.constants import ParseMode
from telegram.error import InvalidToken, TelegramError

from bot.chats import telegram_outcome as outcomes
from bot.chats.gate import Gate, Quota
from bot.chats.plain import clean, cut
from bot.chats.telegram_html import CAPTION, LENGTH, plain, render
from bot.chats.telegram_updates import UPDATES
from bot.model import FILE_SIZE, Refused, RetryLater, Sent

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from bot.model import Attachment, Button, ChatId, Message, SendOutcome
    from bot.ports import Clock

log = logging.getLogger(__name__)

#: seconds between tries after a revoked token
REVOKED = 60.0
#: seconds for one send in all
_DEADLINE = 30.0
#: bytes of callback_data (core.telegram.org/bots/api#inlinekeyboardbutton)
_ACTION = 64
#: characters of the hint in an empty field (core.telegram.org/bots/api#forcereply)
_HINT = 64
_UNCHANGED = "message is not modified"


class ApiBot(Bot):
    """PTB's Bot, taken for its transport and its errors: answers are read here, by the few parts that matter.

    PTB's types refuse a whole answer, or a whole batch of updates, when one part that it calls required is missing.
    """

    async def ask(self, method: str, read_timeout: float | None = None, **parameters: Any) -> Any:
        """The `result` of one call; parameters that are None are left out. Raises what PTB raises."""
        waits: dict[str, Any] = {} if read_timeout is None else {"read_timeout": read_timeout}
        return await self._post(method, parameters, **waits)

    async def raw_updates(self, offset: int, seconds: int) -> list[dict[str, Any]]:
        """One long poll of that many seconds; a higher offset confirms what came before."""
        found = await self.ask(
            "getUpdates", seconds + 10, offset=offset, timeout=seconds, allowed_updates=list(UPDATES)
        )
        if not isinstance(found, list):
            raise TelegramError("getUpdates answered with something that is no list")
        return [update for update in found if isinstance(update, dict)]

    async def described(self, method: str, **parameters: Any) -> dict[str, Any]:
        """The same as `ask` where an object is expected; {} for anything else."""
        found = await self.ask(method, **parameters)
        return found if isinstance(found, dict) else {}

    async def member_status(self, chat: int | str, user: int) -> str:
        """A person's status in a chat."""
        return str((await self.described("getChatMember", chat_id=chat, user_id=user)).get("status", ""))

    async def file(self, file_id: str) -> bytes | None:
        """A file's bytes; None when it is larger than FILE_SIZE (core.telegram.org/bots/api#getfile)."""
        found = await self.described("getFile", file_id=file_id)
        path = str(found.get("file_path") or "")
        if not path or int(found.get("file_size") or 0) > FILE_SIZE:
            return None
        data = b""
        async with (
            httpx.AsyncClient(timeout=20) as client,
            client.stream("GET", f"{self.base_file_url}/{path}") as answer,
        ):
            answer.raise_for_status()
            async for chunk in answer.aiter_bytes():
                data += chunk
                if len(data) > FILE_SIZE:
                    return None
        return data

    async def close_connections(self) -> None:
        """Ends both HTTP clients; `Bot.shutdown` does nothing for a bot that was never initialised."""
        for request in self._request:
            await request.shutdown()


class Sender:
    """Sends and edits with one token, and knows whether that token works."""

    def __init__(self, token: str, base_url: str, clock: Clock) -> None:
        # 30 a second over all chats (core.telegram.org/bots/faq#broadcasting-to-users)
        self._gate = Gate(clock, 30, 1.0)
        # 20 a minute in a group; half a second more for what jitters on its way
        self._groups = Quota(clock, 20, 60.5)
        root = base_url.rstrip("/")
        for chatty in ("httpx", "httpcore"):  # they log addresses, and the address holds the token
            logging.getLogger(chatty).setLevel(logging.WARNING)
        self.bot = ApiBot(
            token,
            base_url=f"{root}/bot",
            base_file_url=f"{root}/file/bot",
            request=outcomes.Request(connection_pool_size=64, read_timeout=20, connect_timeout=10, pool_timeout=30),
            get_updates_request=outcomes.Request(connection_pool_size=2, connect_timeout=10, read_timeout=10),
        )
        #: what keeps the whole platform from working, for people; "" when it is well
        self.problem = ""
        self._revoked = False

    async def send(self, chat: ChatId, message: Message, reply_to: str = "") -> SendOutcome:
        async def post(text: str, mode: str | None, under: str) -> str:
            method, content = _content(message.attachment, text)
            sent = await self.bot.described(
                method,
                chat_id=address(chat),
                parse_mode=mode,
                message_thread_id=int(chat.thread) if chat.thread.isdecimal() else None,
                disable_notification=message.silent,
                reply_parameters={"message_id": int(under), "allow_sending_without_reply": True} if under else None,
                reply_markup=_markup(message),
                **content,
            )
            return str(sent.get("message_id", ""))

        wait = self._groups.take(chat.address) if is_group(chat) and not self._revoked else 0.0
        if wait > 0:
            return RetryLater("this group had its 20 messages of the minute", after=wait)
        return await self._post(chat, message, post, reply_to if reply_to.isdecimal() else "")

    async def edit(self, chat: ChatId, message_id: str, message: Message) -> SendOutcome:
        if not message_id.isdecimal():
            return Refused("no such message")

        async def post(text: str, mode: str | None, _under: str) -> str:
            await self.bot.ask(
                "editMessageText",
                chat_id=address(chat),
                message_id=int(message_id),
                text=text,
                parse_mode=mode,
                link_preview_options={"is_disabled": True},
                reply_markup=_keyboard(message.buttons),
            )
            return message_id

        outcome = await self._post(chat, message, post, "")
        return Sent(message_id) if isinstance(outcome, Refused) and outcome.reason == _UNCHANGED else outcome

    async def _post(
        self, chat: ChatId, message: Message, post: Callable[[str, str | None, str], Awaitable[str]], under: str
    ) -> SendOutcome:
        """Posts as HTML; once more as plain text, or without the reply, when Telegram stumbles over just that."""
        if self._revoked:
            return RetryLater(self.problem, after=REVOKED, platform_wide=True)
        room = LENGTH if message.attachment is None else CAPTION
        text: str = render(message.spans, room, right_to_left=message.right_to_left)
        mode: str | None = ParseMode.HTML
        while True:
            try:
                # the SDK's own limits start anew with every byte
                async with self._gate.passing(), asyncio.timeout(_DEADLINE):
                    return Sent(await post(text, mode, under))
            except Exception as error:  # noqa: BLE001 -- odd answers make the SDK raise KeyError, TypeError and more
                if outcomes.is_parse_error(error) and mode:
                    log.warning("Telegram can't read the markup of a message; sending it as plain text")
                    text, mode = plain(message.spans, room, right_to_left=message.right_to_left), None
                elif outcomes.is_reply_error(error) and under:
                    under = ""
                elif outcomes.is_unchanged(error):
                    return Refused(_UNCHANGED)
                else:
                    self.note(error)
                    return outcomes.classify(error, chat)

    def note(self, error: Exception) -> None:
        """A revoked token concerns everything; it is said once, loudly."""
        if isinstance(error, InvalidToken) and not self._revoked:
            self._revoked = True
            self.problem = "Telegram refuses the bot token (401): put the current one from @BotFather in the settings"
            log.critical("%s. Nothing is sent or heard on Telegram until then.", self.problem)

    def well(self) -> None:
        """A call that proves the token went well."""
        if self.problem:
            log.warning("Telegram works again")
        self._revoked, self.problem = False, ""


def is_group(chat: ChatId) -> bool:
    """Groups, supergroups and channels have negative ids."""
    return chat.address.startswith(("-", "@"))


def address(chat: ChatId) -> int | str:
    """The chat's id as the API takes it: a number, or the @name of a public channel."""
    return int(chat.address) if chat.address.lstrip("-").isdecimal() else chat.address


def _content(file: Attachment | None, text: str) -> tuple[str, dict[str, Any]]:
    """The method that sends it, and its parameters."""
    if file is None:
        return "sendMessage", {"text": text, "link_preview_options": {"is_disabled": True}}
    upload = InputFile(file.content, file.name)
    if file.kind == "image/png":
        return "sendPhoto", {"photo": upload, "caption": text}
    return "sendDocument", {"document": upload, "caption": text}


def _markup(message: Message) -> dict[str, Any] | None:
    """What stands under a new message: buttons, or a field that asks for an answer (bots/api#forcereply)."""
    keyboard = _keyboard(message.buttons)
    if keyboard or not message.ask:
        return keyboard
    return {"force_reply": True, "selective": True, "input_field_placeholder": cut(clean(message.ask), _HINT)}


def _keyboard(rows: Sequence[Sequence[Button]]) -> dict[str, Any] | None:
    keys = [
        [
            {"text": clean(button.label), "callback_data": button.action}
            for button in row
            if clean(button.label).strip() and 0 < len(button.action.encode()) <= _ACTION
        ]
        for row in rows
    ]
    return {"inline_keyboard": [row for row in keys if row]} if any(keys) else None

"""What an answer of the Bot API means for the outbox.

Texts and codes: core.telegram.org/bots/api#making-requests and the server's source; PTB gives them as exceptions.
"""

from __future__ import annotations

import re
from contextvars import ContextVar
from http import HTTPStatus
from math import ceil
from typing import TYPE_CHECKING

import msgspec
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    EndPointNotFound,
    Forbidden,
    InvalidToken,
    RetryAfter,
    TelegramError,
    TimedOut,
)
from telegram.request import HTTPXRequest

from bot.chats.wire import OPTIONS
from bot.model import ChatGone, ChatId, ChatMoved, Refused, RetryLater

if TYPE_CHECKING:
    from typing import Any

    import httpx

    from bot.model import SendOutcome

#: parts of the descriptions of 400s after which this chat can't be written to (compared in lower case)
_GONE = (
    "chat not found",
    "chat_write_forbidden",
    "not enough rights",
    "have no rights",
    "need administrator rights",
    "user is deactivated",
    "user_is_blocked",
    "user_is_deactivated",
    "user not found",
    "peer_id_invalid",
    "input_user_deactivated",
    "bot is not a member",
    "bot was kicked",
    "channel_private",
    "chat_restricted",
    "chat_admin_required",
    "chat_send_plain_forbidden",
    "group chat was deactivated",
    "chat was deleted",
    "the group has been migrated",
    "upgraded to a supergroup",
    # of a topic: `ChatId.thread` makes it that topic alone
    "message thread not found",
    "topic_closed",
    "topic_deleted",
    "topic_id_invalid",
)
_SHOWN = 200


#: the Retry-After header of the answer that this task got last
_retry_after: ContextVar[str] = ContextVar("retry_after", default="")
_IN_WORDS = re.compile(r"retry after (\d+(?:\.\d+)?)", re.IGNORECASE)


async def _note_header(response: httpx.Response) -> None:
    _retry_after.set(response.headers.get("Retry-After", ""))


class Request(HTTPXRequest):
    """PTB's HTTP client, stricter about answers that are not what they seem.

    PTB takes 404 for a bad token, fails on `{"ok": false}` under status 200, and logs whole bodies that are no JSON. It
    finds the pause that a 429 asks for only in `parameters`; proxies and other servers say it in words, or in a header.
    """

    def __init__(self, **settings: Any) -> None:
        hooks = {"event_hooks": {"response": [_note_header]}}
        super().__init__(httpx_kwargs=hooks, socket_options=OPTIONS, **settings)

    async def do_request(self, *args: Any, **kwargs: Any) -> tuple[int, bytes]:
        _retry_after.set("")
        code, payload = await super().do_request(*args, **kwargs)
        if code == HTTPStatus.OK and len(payload) < 4096 and b"false" in payload:
            body = _decode(payload)
            if isinstance(body, dict) and body.get("ok") is False:
                claimed = body.get("error_code")
                code = claimed if isinstance(claimed, int) and claimed >= 400 else 500
        if code == HTTPStatus.NOT_FOUND:
            raise EndPointNotFound("Not Found (404): is telegram.base_url right, and the token complete?")
        if code == HTTPStatus.TOO_MANY_REQUESTS and (seconds := _asked_for(payload)) is not None:
            raise RetryAfter(seconds)
        return code, payload

    @staticmethod
    def parse_json_payload(payload: bytes) -> dict[str, Any]:
        body = _decode(payload)
        if not isinstance(body, dict):
            raise TelegramError(f"an answer of {len(payload)} bytes that is no JSON object")
        return body


def _asked_for(payload: bytes) -> int | None:
    """The seconds that a 429 asks for: in its parameters, in its words, or in its header; None when nowhere."""
    body = _decode(payload)
    answer = body if isinstance(body, dict) else {}
    parameters = answer.get("parameters")
    in_words = _IN_WORDS.search(str(answer.get("description", "")))
    said = (parameters.get("retry_after") if isinstance(parameters, dict) else None, in_words and in_words[1])
    for seconds in (*said, _retry_after.get()):
        try:
            if seconds and float(seconds) > 0:
                return ceil(float(seconds))
        except (TypeError, ValueError, OverflowError):
            continue
    return None


def _decode(payload: bytes) -> object:
    try:
        return msgspec.json.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def is_parse_error(error: Exception) -> bool:
    """Telegram could not read our markup: the text is worth a second try without it."""
    return isinstance(error, BadRequest) and "can't parse entities" in error.message.lower()


def is_reply_error(error: Exception) -> bool:
    """The message to reply to is gone: the text is worth a second try on its own."""
    return isinstance(error, BadRequest) and "replied" in error.message.lower()


def is_unchanged(error: Exception) -> bool:
    """An edit that would change nothing: the chat shows what it should."""
    return isinstance(error, BadRequest) and "message is not modified" in error.message.lower()


def classify(error: Exception, chat: ChatId) -> SendOutcome:
    """What to do after this exception of the SDK."""
    reason = describe(error)
    match error:
        case ChatMigrated():
            return ChatMoved(ChatId(chat.platform, str(error.new_chat_id)))
        case RetryAfter():
            return RetryLater(reason, after=error._retry_after.total_seconds())  # noqa: SLF001 -- the public property warns and may lose its type
        case InvalidToken() | EndPointNotFound():
            return RetryLater(reason, platform_wide=True)
        case Forbidden():
            return ChatGone(reason)
        case BadRequest():
            gone = any(part in reason.lower() for part in _GONE)
            return ChatGone(reason) if gone else Refused(reason)
        case TimedOut() | Conflict():
            return RetryLater(reason)
        case _:
            # 5xx, cut answers, no connection: nothing is known to be wrong with the message
            return RetryLater(reason, platform_wide="ConnectError" in reason)


def describe(error: Exception) -> str:
    """The error in one short line."""
    text = error.message if isinstance(error, TelegramError) else f"{type(error).__name__}: {error}"
    text = text.partition(". Parsing the server response")[0]  # PTB adds the body, which is a proxy's page
    text = " ".join(text.split())
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"

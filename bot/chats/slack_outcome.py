"""What an answer of the Web API means for the outbox.

Error names: docs.slack.dev/reference/methods/chat.postMessage#errors and faults.md section 2.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from slack_sdk.errors import SlackApiError

from bot.model import ChatGone, Refused, RetryLater

if TYPE_CHECKING:
    from bot.model import SendOutcome

#: this channel or person can't be written to until something changes there
_GONE = frozenset(
    [
        "channel_not_found",
        "not_in_channel",
        "is_archived",
        "cannot_dm_bot",
        "user_not_found",
        "user_disabled",
        "user_not_visible",
        "restricted_action",
        "restricted_action_read_only_channel",
        "restricted_action_thread_only_channel",
        "restricted_action_non_threadable_channel",
        "restricted_action_thread_locked",
        "messages_tab_disabled",
        "posting_to_general_channel_denied",
        "ekm_access_denied",
        "access_denied",
        "no_permission",
        "team_not_found",
        "as_user_not_supported",
        "method_not_supported_for_channel_type",
        "not_allowed_for_channel",
        "channel_is_archived",
    ]
)
#: the token itself may be at fault: `auth.test` tells
TOKEN = frozenset(
    [
        "invalid_auth",
        "token_revoked",
        "token_expired",
        "account_inactive",
        "not_authed",
        "org_login_required",
        "user_removed_from_team",
        "team_access_not_granted",
        "enterprise_is_restricted",
    ]
)
#: this message will never be taken
_REFUSED = frozenset(
    [
        "no_text",
        "msg_too_long",
        "msg_blocks_too_long",
        "invalid_blocks",
        "invalid_blocks_format",
        "invalid_arguments",
        "invalid_arg_name",
        "invalid_array_arg",
        "too_many_attachments",
        "too_many_contact_cards",
        "message_not_found",
        "cant_update_message",
        "edit_window_closed",
        "block_mismatch",
        "markdown_text_conflict",
        "invalid_form_data",
        "invalid_post_type",
        "invalid_json",
        "message_limit_exceeded",
        "invalid_thread_ts",
        "thread_not_found",
        "cannot_reply_to_message",
        "is_inactive",
    ]
)
#: worth a second try without blocks
BLOCKS = frozenset({"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long"})
#: worth a second try outside the thread
THREAD = frozenset({"invalid_thread_ts", "thread_not_found", "cannot_reply_to_message"})


def code_of(error: Exception) -> str:
    """Slack's name of the error; "" when the answer had none."""
    data = getattr(getattr(error, "response", None), "data", None)
    return str(data.get("error", "")) if isinstance(data, dict) else ""


def classify(error: Exception) -> SendOutcome:
    """What to do after this exception of the SDK; names in TOKEN are judged by the caller."""
    code, reason = code_of(error), describe(error)
    if _status(error) == HTTPStatus.TOO_MANY_REQUESTS or code in {"ratelimited", "rate_limited"}:
        return RetryLater(reason, after=_retry_after(error))
    if code in _GONE or code in TOKEN:
        return ChatGone(reason)
    if code in _REFUSED:
        return Refused(reason)
    # 5xx, cut answers, names nobody has heard of: nothing is known to be wrong with the message
    return RetryLater(reason, platform_wide="ClientConnectorError" in reason)


def describe(error: Exception) -> str:
    """The error in one short line, without addresses or the answer's body."""
    if isinstance(error, SlackApiError):
        status = _status(error)
        return code_of(error) or f"Slack answered with HTTP status {status}, unreadable"
    text = " ".join(f"{type(error).__name__}: {error}".split())
    return text[:200]


def _status(error: Exception) -> int:
    response: Any = getattr(error, "response", None)
    return int(getattr(response, "status_code", 0) or getattr(response, "status", 0) or 0)


def _retry_after(error: Exception) -> float | None:
    headers = getattr(getattr(error, "response", None), "headers", None) or {}
    value = next((value for name, value in headers.items() if name.lower() == "retry-after"), "")
    try:
        return max(0.0, float(value))
    except ValueError:
        return None

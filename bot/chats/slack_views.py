"""App Home and the add-modal (docs.slack.dev/surfaces/app-home, …/surfaces/modals)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from bot.chats.slack_blocks import BLOCKS, blocks, escape, label
from bot.chats.slack_events import ADD, HOME_ADD
from bot.chats.slack_texts import ADD_BUTTON, ADD_HINT, ADD_LABEL, ADD_TITLE, CANCEL, HOME_INTRO, HOME_TITLE, SEND
from bot.i18n import _

if TYPE_CHECKING:
    from bot.model import Message

View = dict[str, Any]


def home(subscriptions: Message | None, channel: str, note: Message | None = None) -> View:
    """A person's subscriptions with their buttons; `note` is what the last press or addition led to."""
    shown: list[dict[str, Any]] = [{"type": "header", "text": label(_(HOME_TITLE))}]
    if note is not None:
        shown += [*blocks(note), {"type": "divider"}]
    if subscriptions is not None:
        shown += blocks(subscriptions)
    if channel:
        button = {
            "type": "button",
            "text": label(_(ADD_BUTTON)),
            "action_id": HOME_ADD,
            "value": HOME_ADD,
            "style": "primary",
        }
        shown.append({"type": "actions", "elements": [button]})
    shown.append({"type": "context", "elements": [{"type": "mrkdwn", "text": escape(_(HOME_INTRO)), "verbatim": True}]})
    return {"type": "home", "blocks": shown[-BLOCKS:], "private_metadata": _note(channel, home=True)}


def add(channel: str, query: str = "", *, from_home: bool = False) -> View:
    """The modal that asks for a query."""
    field: dict[str, Any] = {"type": "plain_text_input", "action_id": "query", "max_length": 1000}
    if query:
        field["initial_value"] = query
    return {
        "type": "modal",
        "callback_id": ADD,
        "private_metadata": _note(channel, home=from_home),
        "title": label(_(ADD_TITLE)),
        "submit": label(_(SEND)),
        "close": label(_(CANCEL)),
        "blocks": [
            {
                "type": "input",
                "block_id": "query",
                "label": label(_(ADD_LABEL)),
                "hint": label(_(ADD_HINT)),
                "element": field,
            }
        ],
    }


def _note(channel: str, *, home: bool) -> str:
    return msgspec.json.encode({"channel": channel, "home": home}).decode()

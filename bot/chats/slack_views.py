"""App Home and its modals (docs.slack.dev/surfaces/app-home, …/surfaces/modals).

A subscription stands there with its buttons: `tocsin_home:WHAT:ID`. What a view is about (the conversation, the page, the
values that were shown) travels in its `private_metadata`, which Slack gives back with every press and submission.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from bot.chats import slack_texts as texts
from bot.chats.slack_blocks import blocks, escape, label
from bot.chats.slack_events import ADD, HOME, OPTIONS
from bot.i18n import _, fill

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from bot.model import Chat, Message, Subscription

View = dict[str, Any]
Block = dict[str, Any]

#: subscriptions of one page, two blocks each; with the rest it stays within fifty of a view's hundred
PAGE = 12
#: blocks that a note may take
_NOTE = 15
#: characters of a query that are shown
_SHOWN = 300
#: what a modal offers: value → text
_RHYTHMS = {
    "off": texts.AT_ONCE,
    "hourly": texts.HOURLY,
    "daily 08:00": texts.DAILY,
    "weekly mon 08:00": texts.WEEKLY,
}
_PAUSES = {
    "no": texts.RINGS,
    "1h": texts.ONE_HOUR,
    "1d": texts.ONE_DAY,
    "1w": texts.ONE_WEEK,
    "on": texts.UNTIL_RESUMED,
}
_UPDATES = {"on": texts.UPDATES_ON, "off": texts.UPDATES_OFF}
#: "as it is": the value that changes nothing
_KEEP = "keep"


def home(
    chat: Chat | None,
    mine: Sequence[Subscription],
    now: datetime,
    *,
    channel: str,
    start: int = 0,
    note: Message | None,
) -> View:
    """A person's subscriptions with their buttons; `note` is what the last press or submission led to."""
    start = min(max(start, 0), max(len(mine) - 1, 0)) // PAGE * PAGE
    shown: list[Block] = [{"type": "header", "text": label(_(texts.HOME_TITLE))}]
    if note is not None:
        shown += [*blocks(note)[:_NOTE], {"type": "divider"}]
    if channel:
        paused = chat is not None and chat.paused_until is not None and chat.paused_until > now
        keys = [_button("add", "", _(texts.ADD_BUTTON), style="primary")]
        if mine:
            what, words = ("resume all", texts.RESUME_ALL) if paused else ("pause all", texts.PAUSE_ALL)
            keys.append(_button(what, "", _(words)))
        shown.append({"type": "actions", "elements": keys})
    for subscription in mine[start : start + PAGE]:
        shown += _subscription(subscription, now)
    if not mine:
        shown.append(_text(_(texts.HOME_EMPTY)))
    turns = [(start - PAGE, _(texts.BACK)), (start + PAGE, _(texts.MORE))]
    keys = [_button("page", str(at), words) for at, words in turns if 0 <= at < len(mine)]
    if keys:
        shown.append({"type": "actions", "elements": keys})
    shown.append({"type": "context", "elements": [_mrkdwn(escape(_(texts.HOME_INTRO)))]})
    return {"type": "home", "blocks": shown, "private_metadata": _note(channel=channel, home=True, start=start)}


def add(channel: str, query: str = "", *, from_home: bool = False, respond: str = "", start: int = 0) -> View:
    """The modal that asks for a query. `respond`: the address at which the answer is shown."""
    field: Block = {"type": "plain_text_input", "action_id": "query", "max_length": 1000}
    if query:
        field["initial_value"] = query
    asked = {**_input("query", _(texts.ADD_LABEL), field), "hint": label(_(texts.ADD_HINT))}
    fields = [asked]
    if not from_home and not channel.startswith("D"):
        places = {"here": texts.PLACE_HERE, "direct": texts.PLACE_DIRECT}
        fields.append(_input("place", _(texts.PLACE), _select("place", places, "here")))
    known = _note(channel=channel, home=from_home, start=start, respond=respond)
    return _modal(ADD, texts.ADD_TITLE, texts.SEND, known, fields)


def options(subscription: Subscription, now: datetime, *, channel: str, start: int = 0) -> View:
    """The modal with everything that can be set for one subscription."""
    paused = subscription.paused_until is not None and subscription.paused_until > now
    rhythms, pauses = dict(_RHYTHMS), dict(_PAUSES)
    if subscription.digest not in rhythms:
        rhythms = {_KEEP: "" if subscription.digest else texts.AS_THE_CHAT, **rhythms}
    if paused:
        pauses = {_KEEP: texts.STAYS_PAUSED, **pauses}
    was = {
        "digest": subscription.digest if subscription.digest in rhythms else _KEEP,
        "pause": _KEEP if paused else "no",
        "updates": "on" if subscription.updates else "off",
    }
    fields = [
        _input("digest", _(texts.WHEN), _select("digest", rhythms, was["digest"], unnamed=subscription.digest)),
        _input("pause", _(texts.SILENCE), _select("pause", pauses, was["pause"])),
        _input("updates", _(texts.DEVELOPMENTS), _select("updates", _UPDATES, was["updates"])),
    ]
    known = _note(channel=channel, home=True, start=start, id=int(subscription.id), was=was)
    return _modal(OPTIONS, texts.OPTIONS, texts.SAVE, known, [_text(f"`{_query(subscription)}`", raw=True), *fields])


def lines(number: int, was: Mapping[str, str], chosen: Mapping[str, str]) -> list[str]:
    """The command lines that make of a subscription what was chosen in its options."""
    found = []
    changed = {name: value for name, value in chosen.items() if value not in {_KEEP, was.get(name)}}
    if rhythm := changed.get("digest"):
        found.append(f"/digest #{number} {rhythm}")
    if pause := changed.get("pause"):
        span = "" if pause == "on" else pause
        found.append(f"/resume #{number}" if pause == "no" else f"/pause #{number} {span}".strip())
    if updates := changed.get("updates"):
        found.append(f"/updates #{number} {updates}")
    return found


def _subscription(subscription: Subscription, now: datetime) -> list[Block]:
    number = str(int(subscription.id))
    notes = []
    silent = subscription.paused_until is not None and subscription.paused_until > now
    if silent:
        notes.append(_(texts.PAUSED))
    if subscription.digest and subscription.digest != "off":
        notes.append(fill(_(texts.DIGEST), rhythm=subscription.digest))
    if not subscription.updates:
        notes.append(_(texts.UPDATES_OFF))
    said = f"`{_query(subscription)}`" + "".join(f" · {escape(note)}" for note in notes)
    sure = {
        "title": label(_(texts.REMOVE)),
        "text": {"type": "plain_text", "text": subscription.query[:_SHOWN]},
        "confirm": label(_(texts.REMOVE), 30),
        "deny": label(_(texts.CANCEL), 30),
    }
    keys = [
        _button("resume", number, _(texts.RESUME)) if silent else _button("pause", number, _(texts.PAUSE)),
        _button("options", number, _(texts.OPTIONS)),
        {**_button("remove", number, _(texts.REMOVE), style="danger"), "confirm": sure},
    ]
    return [_text(said, raw=True), {"type": "actions", "elements": keys}]


def _query(subscription: Subscription) -> str:
    """As it stands between backticks."""
    return escape(subscription.query[:_SHOWN]).replace("`", "'")


def _button(what: str, subject: str, words: str, **more: str) -> Block:
    action = f"{HOME}:{what}:{subject}"
    return {"type": "button", "text": label(words), "action_id": action, "value": action, **more}


def _select(name: str, choices: Mapping[str, str], chosen: str, unnamed: str = "") -> Block:
    found = [{"text": label(_(words) or unnamed), "value": value} for value, words in choices.items()]
    return {
        "type": "static_select",
        "action_id": name,
        "options": found,
        "initial_option": next(option for option in found if option["value"] == chosen),
    }


def _input(name: str, words: str, element: Block) -> Block:
    return {"type": "input", "block_id": name, "label": label(words), "element": element}


def _text(words: str, *, raw: bool = False) -> Block:
    return {"type": "section", "text": _mrkdwn(words if raw else escape(words))}


def _mrkdwn(words: str) -> Block:
    return {"type": "mrkdwn", "text": words, "verbatim": True}


def _modal(callback: str, title: str, submit: str, known: str, fields: list[Block]) -> View:
    return {
        "type": "modal",
        "callback_id": callback,
        "private_metadata": known,
        "title": label(_(title), 24),
        "submit": label(_(submit), 24),
        "close": label(_(texts.CANCEL), 24),
        "blocks": fields,
    }


def _note(**known: object) -> str:
    return msgspec.json.encode(known).decode()

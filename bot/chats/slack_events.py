"""Payloads of Slack to what flows understand. Pure.

Shapes: docs.slack.dev/reference/interaction-payloads, …/reference/events and …/interactivity/implementing-slash-commands.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import msgspec

from bot.i18n import N_
from bot.model import ChatId, Incoming

PLATFORM = "slack"
#: the commands that Slack itself offers; everything else goes through /tocsin
COMMANDS = (
    ("subscribe", N_("Alert me about these words"), N_('Idlib, "air defence" -exercise')),
    ("unsubscribe", N_("Stop a subscription"), N_("number or words")),
    ("subscriptions", N_("Show the subscriptions of this conversation"), ""),
    ("pause", N_("Hold alerts"), N_("[number] [2h]")),
    ("resume", N_("Send alerts again"), N_("[number]")),
    ("digest", N_("Collect alerts"), N_("[number] off | hourly | daily 08:00")),
    ("quiet", N_("No alerts at night"), "22:00-07:00"),
    ("why", N_("Why a story rang, or did not"), N_("[address of the story]")),
    ("latest", N_("The latest stories"), N_("[words]")),
    ("sources", N_("What is read"), ""),
    ("tocsin", N_("Every command: /tocsin help"), N_("help | subscribe … | status | timezone … | mydata | forget")),
)
#: words that begin a command where people type no slash: in direct messages and after a mention
_WORDS = frozenset(
    [
        "start",
        "help",
        "subscribe",
        "unsubscribe",
        "subscriptions",
        "share",
        "pause",
        "resume",
        "digest",
        "quiet",
        "timezone",
        "language",
        "updates",
        "silence",
        "why",
        "latest",
        "trend",
        "sources",
        "status",
        "mydata",
        "forget",
        "cancel",
    ]
)
#: callback ids of our modals and of the message shortcut
ADD, OPTIONS, SHORTCUT = "tocsin_add", "tocsin_options", "tocsin_alert_like_this"
#: action ids of our own buttons in App Home begin with it: HOME:WHAT:SUBJECT
HOME = "tocsin_home"
#: events after which the bot can't write in a conversation, and why
_GONE = {
    "channel_archive": "archived",
    "group_archive": "archived",
    "channel_deleted": "deleted",
    "group_deleted": "deleted",
    "channel_left": "removed from the channel",
    "group_left": "removed from the channel",
}
#: `<…>` in texts that Slack sends: links, mentions and channels
_ANGLE = re.compile(r"<([^<>|]*)(?:\|([^<>]*))?>")


@dataclass(frozen=True, slots=True)
class Asked:
    """Something a person did, and the ways in which it can be answered."""

    incoming: Incoming
    #: an address to answer to, "" without one
    respond: str = ""
    #: the thread an answer belongs in, "" for none
    thread: str = ""
    #: where it was done: "line", "slash", "press", "whisper" (a press on a message only they see),
    #: "modal", "home"
    place: str = "line"


def command(body: dict[str, Any]) -> Asked:
    """A slash command: `/subscribe x`, `/tocsin subscribe x`, and with a prefix `/news-subscribe x`."""
    name = str(body.get("command", "")).lstrip("/").rpartition("-")[2]
    words = unescape(str(body.get("text") or "")).strip()
    if words.casefold() == "help" and name != "tocsin":
        name, words = "help", name
    line = f"/{name} {words}".strip() if name != "tocsin" else as_command(words or "help", always=True)
    incoming = _incoming(body.get("channel_id"), body.get("user_id"), body, text=line, title=body.get("channel_name"))
    return Asked(incoming, respond=str(body.get("response_url") or ""), place="slash")


def message(event: dict[str, Any], body: dict[str, Any], me: str) -> Asked | None:
    """A mention, or a direct message; None for everything else that comes as a message."""
    mention = event.get("type") == "app_mention"
    private = event.get("channel_type") == "im" or str(event.get("channel", "")).startswith("D")
    own = event.get("bot_id") or event.get("user") in {None, me}
    if own or event.get("subtype") not in {None, "file_share", "thread_broadcast"} or not (mention or private):
        return None
    words = " ".join(str(event.get("text") or "").replace(f"<@{me}>", " ").split(" ")).strip()
    words = plain_text(words)
    line = as_command(words or "help", always=False) if words or mention else ""
    if not line:
        return None
    parent = str(event.get("thread_ts") or "")
    # a mention in a direct message may come as two events, to two processes
    body = {"event_id": f"{event.get('channel')} {event.get('ts')}"}
    incoming = _incoming(event.get("channel"), event.get("user"), body, text=line, message=parent)
    return Asked(incoming, thread=parent or ("" if private else str(event.get("ts") or "")))


def press(body: dict[str, Any]) -> Asked | None:
    """A pressed button on a message or in App Home."""
    actions = body.get("actions") or []
    container = body.get("container") or {}
    where = (body.get("channel") or {}).get("id") or container.get("channel_id")
    if not actions:
        return None
    action = str(actions[0].get("value") or actions[0].get("action_id") or "")
    home = not where
    if home:
        where = metadata(body).get("channel")
    ts = str(container.get("message_ts") or (body.get("message") or {}).get("ts") or "")
    incoming = _incoming(where, (body.get("user") or {}).get("id"), body, action=action, message=ts)
    place = "home" if home else "whisper" if container.get("is_ephemeral") else "press"
    thread = str(container.get("thread_ts") or ts)
    return Asked(incoming, respond=str(body.get("response_url") or ""), thread=thread, place=place)


def submission(body: dict[str, Any]) -> Asked | None:
    """The add-modal was sent: the line that subscribes."""
    query, known = chosen(body).get("query", ""), metadata(body)
    if not query or not known.get("channel"):
        return None
    user = (body.get("user") or {}).get("id")
    place = "home" if known.get("home") else "modal"
    incoming = _incoming(known["channel"], user, body, text=f"/subscribe {clean_line(query)}")
    return Asked(incoming, respond=str(known.get("respond") or ""), place=place)


def chosen(body: dict[str, Any]) -> dict[str, str]:
    """What was typed and chosen in a modal, by the name of the field."""
    values = ((body.get("view") or {}).get("state") or {}).get("values") or {}
    fields = {name: field for block in values.values() for name, field in block.items()}
    found = {
        name: field.get("value") or (field.get("selected_option") or {}).get("value") for name, field in fields.items()
    }
    return {name: str(value).strip() for name, value in found.items() if value}


@dataclass(frozen=True, slots=True)
class Change:
    """What became of a conversation: it is gone for the bot and why, or has another id, or is back."""

    chat: ChatId
    gone: str = ""
    moved_to: ChatId | None = None


def change(event: dict[str, Any], me: str) -> Change | None:
    """An event about a conversation as such; None for all others."""
    kind, channel = str(event.get("type")), event.get("channel")
    chat = ChatId(PLATFORM, str(channel.get("id") if isinstance(channel, dict) else channel))
    if kind in _GONE:
        return Change(chat, gone=_GONE[kind])
    if kind == "channel_id_changed":
        old, new = (ChatId(PLATFORM, str(event.get(f"{which}_channel_id"))) for which in ("old", "new"))
        return Change(old, moved_to=new)
    mine = kind == "member_joined_channel" and event.get("user") == me
    return Change(chat) if mine or kind in {"channel_unarchive", "group_unarchive"} else None


def home_press(body: dict[str, Any]) -> tuple[str, str] | None:
    """(what, subject) of a press of our own buttons in App Home; None for other presses."""
    action = (body.get("actions") or [{}])[0]
    said = str(action.get("action_id") or action.get("value") or "").split(":", 2)
    return (said[1], said[2]) if len(said) == 3 and said[0] == HOME else None


def managing(body: dict[str, Any], channel: str, text: str = "") -> Incoming:
    """A line of a person for the conversation that App Home manages."""
    return _incoming(channel, (body.get("user") or {}).get("id"), body, text=text)


def metadata(body: dict[str, Any]) -> dict[str, Any]:
    """What we noted in a view of ours: which conversation it manages."""
    try:
        found = msgspec.json.decode(str((body.get("view") or {}).get("private_metadata") or "{}"))
    except msgspec.DecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def suggestion(text: str) -> str:
    """A first idea for "stories like this": the longest distinct words of the message's first line, in their order."""
    first = plain_text(text).strip().split("\n")[0]
    words = list(dict.fromkeys(re.findall(r"\w[\w-]{3,}", re.sub(r"https?://\S+", " ", first))))
    # names and numbers say most, then long words
    best = sorted(words, key=lambda word: (not (word[0].isupper() or any(ch.isdigit() for ch in word)), -len(word)))[:3]
    return " ".join(word for word in words if word in best)


def plain_text(text: str) -> str:
    """Text of a message event as the person typed it: addresses for links, nothing for mentions."""

    def one(found: re.Match[str]) -> str:
        inner, shown = found[1], found[2] or ""
        if inner.startswith(("@", "!")):
            return " "
        return (f"#{shown}" if shown else " ") if inner.startswith("#") else inner.removeprefix("mailto:")

    return unescape(_ANGLE.sub(one, text)).strip()


def unescape(text: str) -> str:
    """The three escapes of Slack undone, `&amp;` last."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def as_command(words: str, *, always: bool) -> str:
    """Words that begin with a command's name as a command line; with `always` the first word is taken for one."""
    if words.startswith("/"):
        return words
    first, _, rest = words.partition(" ")
    return f"/{first.lower()} {rest}".strip() if always or first.lower() in _WORDS else words


def typed_here(text: str) -> str:
    """A command as people type it on Slack: one that is not Slack's own command goes through /tocsin."""
    name = text[1:].partition(" ")[0] if text.startswith("/") else ""
    return f"/tocsin {text[1:]}" if name in _WORDS - {known for known, *_about in COMMANDS} else text


def clean_line(text: str) -> str:
    """One line of a text that may have several."""
    return " ".join(text.split())


def _incoming(
    channel: object,
    user: object,
    body: dict[str, Any],
    *,
    text: str = "",
    action: str = "",
    message: str = "",
    title: object = "",
) -> Incoming:
    private = str(channel or "").startswith("D")
    return Incoming(
        chat=ChatId(PLATFORM, str(channel or "")),
        user=str(user or ""),
        text=text,
        action=action,
        message=message,
        admin=private,
        private=private,
        id=str(body.get("event_id") or body.get("trigger_id") or ""),
        title=str(title or ""),
    )

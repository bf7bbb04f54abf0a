"""Messages, in and out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from bot.model.subscriptions import ChatId


@dataclass(frozen=True, slots=True)
class Span:
    """A run of plain text with a look. Never markup: adapters escape it, so that nothing else can."""

    text: str
    bold: bool = False
    italic: bool = False
    strike: bool = False
    code: bool = False
    #: http or https, or ""
    link: str = ""


@dataclass(frozen=True, slots=True)
class Button:
    """`action` is an `Action.id`: opaque, at most 64 bytes."""

    label: str
    action: str


@dataclass(frozen=True, slots=True)
class Attachment:
    """A picture or a document that goes with a message."""

    name: str
    content: bytes = field(repr=False)
    #: a MIME type; image/png is shown, everything else is offered to be saved
    kind: str
    #: what stands in for it where it can't be shown, and what a screen reader says
    text: str


@dataclass(frozen=True, slots=True)
class Message:
    """One send. Line feeds stand in the spans; the first line carries the news."""

    spans: tuple[Span, ...]
    #: rows of buttons
    buttons: tuple[tuple[Button, ...], ...] = ()
    #: sent with it; an edit leaves it as it is
    attachment: Attachment | None = None
    #: no sound on the phone
    silent: bool = False
    #: what the person is asked to type, as a hint in the empty field; "" when nothing is asked
    ask: str = ""
    #: whether the language it speaks is written so; its lines then begin on the right, whatever they quote
    right_to_left: bool = False

    @property
    def text(self) -> str:
        """The message without looks."""
        return "".join(span.text for span in self.spans)


@dataclass(frozen=True, slots=True)
class Limits:
    """How long one message of a platform may be, and how fast they may follow."""

    #: in UTF-16 code units
    length: int
    #: messages a second, over all chats; 0: no limit
    platform_rate: float = 0.0
    #: messages a second in one chat, and how many may come at once
    chat_rate: float = 0.0
    chat_burst: int = 1
    #: messages a minute in a group; 0: no limit
    group_rate: float = 0.0


@dataclass(frozen=True, slots=True)
class Sent:
    """The platform has it. `message` is its id there, for edits and replies."""

    message: str


@dataclass(frozen=True, slots=True)
class RetryLater:
    """Not now. `after` in seconds as the platform asked; None: the outbox backs off."""

    reason: str
    after: float | None = None
    #: True when the whole platform (token, workspace) must wait, not just this chat
    platform_wide: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """This message will never be taken; others may."""

    reason: str


@dataclass(frozen=True, slots=True)
class ChatGone:
    """The chat can't be written to until it comes back (blocked, kicked, archived, revoked)."""

    reason: str


@dataclass(frozen=True, slots=True)
class ChatMoved:
    """The chat has a new id (group → supergroup)."""

    to: ChatId


SendOutcome = Sent | RetryLater | Refused | ChatGone | ChatMoved


@dataclass(frozen=True, slots=True)
class File:
    """A file that a person sent; only its name has arrived so far."""

    name: str
    #: its bytes, or None when it can't be had or is larger than `FILE_SIZE`
    read: Callable[[], Awaitable[bytes | None]]


#: bytes of a file that is read; lists of feeds are far smaller
FILE_SIZE = 1_000_000


@dataclass(frozen=True, slots=True)
class Incoming:
    """What a person did in a chat: typed a line or pressed a button."""

    chat: ChatId
    #: the platform's id of the person
    user: str
    #: the line as typed, "" for a press; commands start with "/" on every platform
    text: str = ""
    #: `Button.action` of the pressed button, "" for a line
    action: str = ""
    #: id of the message that the button is on or the line replies to, ""
    message: str = ""
    #: may change subscriptions here
    admin: bool = True
    #: a private chat: plain text without "/" is meant for the bot
    private: bool = True
    #: the person's UI language, BCP 47, "" unknown
    language: str = ""
    #: the platform's id of the update or event; the same id has one effect. "" where none is needed
    id: str = ""
    #: title of the chat, for people
    title: str = ""
    #: the file that came with it
    file: File | None = None
    #: address that opens a private chat with the bot, and takes `?start=` and `?startgroup=`; "" where there is none
    bot_link: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to an Incoming."""

    message: Message
    #: for the asker's eyes only, where the platform can
    private: bool = False
    #: replaces the message with the pressed button instead of adding one
    replace: bool = False

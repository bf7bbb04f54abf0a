"""Domain values to rows and back: one JSON object a row, without the fields that have their default.

Rows are decoded straight into typed structs (msgspec) and from there into the domain's dataclasses. Times are RFC 3339,
enums their values, a chat one text, so that a row reads well in the file and can be looked up by plain equality.
"""

from __future__ import annotations

import asyncio
import dataclasses
from datetime import UTC, datetime, time, timedelta
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Generic, TypeVar, get_type_hints

import msgspec

from bot import model
from bot.model import ChatId

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

T = TypeVar("T")

#: of the rows in a TinyDB store; one more at each change that older code can't read
VERSION = 1

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

_hints = {**vars(model), "datetime": datetime, "time": time}


def chat_key(chat: ChatId) -> str:
    """A chat as one text, whatever colons its parts hold."""
    key = f"{chat.platform}:{chat.address}:{chat.thread}" if chat.thread else f"{chat.platform}:{chat.address}"
    if "%" in key or key.count(":") > (2 if chat.thread else 1):
        parts = [chat.platform, chat.address, chat.thread] if chat.thread else [chat.platform, chat.address]
        key = ":".join([part.replace("%", "%25").replace(":", "%3A") for part in parts])
    return key


def chat_of(key: str) -> ChatId:
    """The chat of a `chat_key`."""
    parts = key.split(":")
    if "%" in key:
        parts = [part.replace("%3A", ":").replace("%25", "%") for part in parts]
    return ChatId(*parts)


def micros(moment: datetime) -> int:
    """Microseconds since 1970, exactly."""
    return (moment - EPOCH) // _MICROSECOND


class Codec(Generic[T]):
    """Rows of one domain type. `always` names fields that are written even when they have their default, so that
    queries on the file find them; `extra` adds fields that only the row has.
    """

    def __init__(self, cls: type[T], *always: str) -> None:
        hints = get_type_hints(cls, _hints)
        fields = dataclasses.fields(cls)  # type: ignore[arg-type]
        self._cls: Callable[..., T] = cls
        described: list[Any] = []
        for field in fields:
            kind = str if hints[field.name] is ChatId else hints[field.name]
            if field.default is dataclasses.MISSING or field.name in always:
                described.append((field.name, kind))
            else:
                described.append((field.name, kind, field.default))
        described.sort(key=len)  # those without a default first
        self._row: Callable[..., Any] = msgspec.defstruct(
            f"{cls.__name__}Row", described, omit_defaults=True, gc=False, module=__name__
        )
        names = [field.name for field in fields]
        self._fields = attrgetter(*names)
        self._chats = [i for i, name in enumerate(names) if hints[name] is ChatId]
        self._row_fields = attrgetter(*[field[0] for field in described])
        self._row_chats = [i for i, field in enumerate(described) if hints[field[0]] is ChatId]
        self._decode = msgspec.json.Decoder(self._row).decode
        self._encode = msgspec.json.Encoder().encode

    def encode(self, value: T) -> bytes:
        """The row as JSON on one line."""
        values = [*self._row_fields(value)]
        for i in self._row_chats:
            values[i] = chat_key(values[i])
        return self._encode(self._row(*values))

    def decode(self, raw: bytes) -> T:
        """Raises msgspec.MsgspecError for what is no such row."""
        values = [*self._fields(self._decode(raw))]
        for i in self._chats:
            values[i] = chat_of(values[i])
        return self._cls(*values)


#: rows decoded in one go
_SLICE = 250


async def decode_all(codec: Codec[T], raws: Sequence[bytes]) -> list[T]:
    """Many rows, with a turn for others now and then: a week of entries would hold the event loop for a second."""
    values: list[T] = []
    for start in range(0, len(raws), _SLICE):
        if start:
            await asyncio.sleep(0)  # noqa: TID251  # a turn, not a wait
        values += map(codec.decode, raws[start : start + _SLICE])
    return values


feed = Codec(model.Feed, "origin")
feed_state = Codec(model.FeedState)
hub_lease = Codec(model.HubLease)
entry = Codec(model.Entry, "kind", "story")
fingerprint = Codec(model.Fingerprint)
story = Codec(model.Story)
chat = Codec(model.Chat)
subscription = Codec(model.Subscription)
delivery = Codec(model.Delivery, "state")
receipt = Codec(model.Receipt)
mute = Codec(model.Mute)
action = Codec(model.Action)
wait = Codec(model.Wait)

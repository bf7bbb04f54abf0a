"""Chats and what they subscribe to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time

from bot.model.ids import SubscriptionId
from bot.model.news import Field


@dataclass(frozen=True, slots=True, order=True)
class ChatId:
    """Where messages go and commands come from."""

    #: "telegram", "slack" or "console"
    platform: str
    #: the platform's own id of the chat or channel
    address: str
    #: forum topic or the like, "" for the chat itself
    thread: str = ""

    def __str__(self) -> str:
        return ":".join((self.platform, self.address, self.thread) if self.thread else (self.platform, self.address))


@dataclass(frozen=True, slots=True)
class Chat:
    """A chat's settings."""

    id: ChatId
    #: IANA name
    timezone: str = "UTC"
    #: local times from and to which nothing sounds; may cross midnight; None: never quiet
    quiet: tuple[time, time] | None = None
    #: "off", "hourly", "daily 08:00" or "weekly mon 08:00"; a subscription's own digest beats it
    digest: str = "off"
    #: UI language, BCP 47
    language: str = "en"
    #: alerts are not sent before; None: not paused; datetime.max (UTC): until resumed
    paused_until: datetime | None = None
    #: "" while it can be written to, else why not ("blocked", "kicked" ...); settings are kept
    gone: str = ""
    title: str = ""
    #: of a private chat: address of the channel or group that its commands are about; "" for the chat itself
    managing: str = ""
    #: of a channel or group: people who managed it from their private chats; their right is asked for each time
    managers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Subscription:
    """A chat's wish: ring when an entry matches the query."""

    id: SubscriptionId
    chat: ChatId
    #: canonical text, as `print_query` gives it
    query: str
    created: datetime
    #: ring only when this many independent outlets carry the story
    min_outlets: int = 1
    #: whether developments come as replies
    updates: bool = True
    #: "" follows the chat; else "off", "hourly", "daily 08:00", "weekly mon 08:00"
    digest: str = ""
    #: silent before this time (pause and snooze); None: not
    paused_until: datetime | None = None
    #: whether to tell when it no longer rings though it used to
    alarm: bool = True
    #: when that was last told; None: never
    silence_told: datetime | None = None


@dataclass(frozen=True, slots=True)
class SubscriptionChange:
    """One step of the subscription table, for indexes that follow it by number."""

    version: int
    id: SubscriptionId
    #: None: removed
    subscription: Subscription | None


@dataclass(frozen=True, slots=True)
class Hit:
    """A term of a query found in an entry."""

    #: as the query prints it
    term: str
    field: Field
    #: characters of that field's text in `Entry.texts()`, end exclusive
    start: int
    end: int

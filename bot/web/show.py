"""How the page says things: templates, and the few ways in which values become text. Everything is escaped there."""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import blake2b
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined

from bot import i18n
from bot.alerts.reasons import told
from bot.alerts.render import ago, local_time
from bot.alerts.wording import told_news, told_placing
from bot.i18n import _, day_and_month, fill, ngettext
from bot.sources.urls import host_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, timedelta

    from bot.model import Attachment, ChatId, Feed, FeedState

_PLATFORMS = {"telegram": "Telegram", "slack": "Slack"}
#: height of a sparkline, and width of a bar with its gap
_TALL, _BAR = 22, 4


#: what turns the rest of a line round, and would leak out of a <bdi> when it is not closed
_TURNS = dict.fromkeys((*range(0x202A, 0x202F), *range(0x2066, 0x206A)))
#: marks above and below a letter beyond the third: they are piled up over other lines
_PILE = re.compile(
    "([\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff]{3})[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff]+"
)


def _tame(value: object) -> object:
    """A text that stays in its place, whatever it holds; markup of our own is left alone."""
    if type(value) is not str or value.isascii():
        return value
    return _PILE.sub(r"\1", value.translate(_TURNS))


def environment() -> Environment:
    """Templates in which everything is escaped and nothing may be missing."""
    made = Environment(
        loader=PackageLoader("bot.web"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_tame,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.globals.update(
        _=_, ngettext=ngettext, fill=fill, ago=ago, told=told, told_news=told_news, day_and_month=day_and_month, inline=inline, told_placing=told_placing, chat_name=chat_name, key_of=key_of, source_name=source_name,
        spark=spark, number=number, lasting=lasting, web_link=web_link, host_of=host_of, is_rtl=i18n.is_right_to_left,
        spoken=i18n.spoken,
    )  # fmt: skip
    made.filters["clock"] = clock
    for name in made.list_templates():  # compiled now, not when the first visitor waits
        made.get_template(name)
    return made


def key_of(thing: object) -> str:
    """A name for a source, a chat or a row that tells nothing of its address or id."""
    return blake2b(str(thing).encode(), digest_size=8).hexdigest()


def chat_name(chat: ChatId) -> str:
    """A chat, told apart from others without its id."""
    if chat.platform == "console":
        return _("Console")
    platform = _PLATFORMS.get(chat.platform, chat.platform)
    return fill(_("{platform} chat {mark}"), platform=platform, mark=key_of(chat)[:4])


def source_name(feed: Feed, state: FeedState) -> str:
    """The outlet's name, else the host; never the address, which may hold a password."""
    return feed.name or state.title or host_of(feed.id)


def clock(moment: datetime, now: datetime) -> str:
    """A time in UTC, as short as can be."""
    return local_time(moment, "UTC", now)


def number(value: int) -> str:
    """With thin spaces between thousands (ISO 31-0), the same in every language."""
    return f"{value:,}".replace(",", "\u202f")


def lasting(span: timedelta) -> str:
    """A length of time, roughly."""
    minutes = round(span.total_seconds() / 60)
    if minutes < 60:
        return fill(ngettext("{count} min", "{count} min", minutes), count=minutes)
    hours = round(minutes / 60)
    if hours < 48:
        return fill(ngettext("{count} h", "{count} h", hours), count=hours)
    days = round(hours / 24)
    return fill(ngettext("{count} day", "{count} days", days), count=days)


def inline(picture: Attachment) -> str:
    """The picture as an address of itself (RFC 2397)."""
    return f"data:{picture.kind};base64,{b64encode(picture.content).decode()}"


def web_link(address: str) -> str:
    """The address if it may stand in a link: http and https only."""
    return address if re.match(r"https?://", address, re.IGNORECASE) else ""


def spark(counts: Sequence[int]) -> str:
    """Bars that fill the height, as the path of an SVG; a step with anything in it is seen."""
    most = max(counts, default=0) or 1
    return "".join(
        f"M{place * _BAR} {_TALL}v-{max(2, round(count / most * _TALL))}h3V{_TALL}z"
        for place, count in enumerate(counts)
        if count
    )

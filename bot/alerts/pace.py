"""How fast messages may follow one another: token buckets that are told the time.

A bucket holds `burst` tokens and gains `rate` a second (GCRA form: it keeps only the time at which it is full again).
Times are seconds of one monotonic clock, so that a stepped wall clock neither floods nor starves a chat.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.model import ChatId, Limits

#: what one bucket may run ahead: platforms count in windows, so a full burst after silence is kept small
_PLATFORM_BURST = 1
#: sends keep this much more distance than the limit asks for: the network bunches them together again
_MARGIN = 1.02
#: buckets that are full again are forgotten when more than this many are held
_SWEEP_AT = 10_000


class Pacer:
    """Reserves a moment for each send. One per process and platform account."""

    def __init__(self, state: dict[tuple[str, str], float] | None = None) -> None:
        #: when each bucket is full again
        self.state = {} if state is None else state

    def reserve(self, chat: ChatId, *, limits: Limits, group: bool, now: float) -> float:
        """Books the next moment that all limits of the chat allow; returns how many seconds to wait for it."""
        wait = max(
            self.chat_wait(chat, limits=limits, group=group, now=now),
            self.platform_wait(chat.platform, limits=limits, now=now),
            self.blocked(chat.platform, now),
        )
        self.take(chat, limits=limits, group=group, now=now + wait)
        return wait

    def take(self, chat: ChatId, *, limits: Limits, group: bool, now: float) -> None:
        """Draws one send at this moment from all buckets of the chat."""
        for key, rate, _ in self._buckets(chat, limits, group=group):
            self.state[key] = self._after(key, rate, now)
        if len(self.state) > _SWEEP_AT:
            self.state = {key: full for key, full in self.state.items() if full > now}

    def after(self, chat: ChatId, *, limits: Limits, group: bool, now: float) -> dict[tuple[str, str], float]:
        """When the chat's own buckets would be full again after a send at this moment; draws nothing."""
        buckets = self._buckets(chat, limits, group=group)
        return {key: self._after(key, rate, now) for key, rate, _ in buckets if key[0] != "platform"}

    def platform_wait(self, platform: str, *, limits: Limits, now: float) -> float:
        """Seconds until the platform's rate over all chats allows a send; books nothing."""
        rate = limits.platform_rate
        return self._free_at(("platform", platform), rate, _PLATFORM_BURST, now) - now if rate > 0 else 0.0

    def chat_wait(self, chat: ChatId, *, limits: Limits, group: bool, now: float) -> float:
        """Seconds that this chat's own limits ask for now, whatever the rest of the platform does; books nothing."""
        buckets = self._buckets(chat, limits, group=group)
        own = (self._free_at(key, rate, burst, now) for key, rate, burst in buckets if key[0] != "platform")
        return max(own, default=now) - now

    def block(self, platform: str, until: float) -> None:
        """Nothing goes to the platform before that moment: it asked us to wait as a whole."""
        key = ("blocked", platform)
        self.state[key] = max(self.state.get(key, 0.0), until)

    def blocked(self, platform: str, now: float) -> float:
        """Seconds for which the whole platform must wait still."""
        return max(0.0, self.state.get(("blocked", platform), 0.0) - now)

    def _after(self, key: tuple[str, str], rate: float, now: float) -> float:
        return max(self.state.get(key, 0.0), now) + _MARGIN / rate

    def _free_at(self, key: tuple[str, str], rate: float, burst: int, now: float) -> float:
        return max(now, self.state.get(key, 0.0) - (burst - 1) * _MARGIN / rate)

    def keys(self, chat: ChatId, limits: Limits, *, group: bool) -> list[tuple[str, str]]:
        """Of `state`: the buckets that a send to the chat draws from."""
        return [key for key, _, _ in self._buckets(chat, limits, group=group)]

    @staticmethod
    def _buckets(chat: ChatId, limits: Limits, *, group: bool) -> list[tuple[tuple[str, str], float, int]]:
        # topics of one group share its limits: the address alone counts
        rates = (
            (("platform", chat.platform), limits.platform_rate, _PLATFORM_BURST),
            (("chat", f"{chat.platform}:{chat.address}"), limits.chat_rate, limits.chat_burst),
            (("group", f"{chat.platform}:{chat.address}"), limits.group_rate / 60 if group else 0.0, limits.chat_burst),
        )
        return [(key, rate, burst) for key, rate, burst in rates if rate > 0]

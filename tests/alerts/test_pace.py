"""Rates of the platforms (rows 58 and I5 of the fault list), on a clock that the test owns."""

import pytest

from bot.alerts.pace import Pacer
from bot.model import ChatId, Limits

LIMITS = Limits(length=4096, platform_rate=30, chat_rate=1, chat_burst=3, group_rate=20)


def chat(number: int) -> ChatId:
    return ChatId("telegram", str(number))


def times(pacer: Pacer, chats: list[ChatId], *, group: bool = False) -> list[float]:
    """The moments at which these sends would go out, all asked for at second 0."""
    return [pacer.reserve(c, limits=LIMITS, group=group, now=0.0) for c in chats]


def test_one_chat_gets_a_short_burst_then_one_a_second() -> None:
    """More than a short burst in one chat draws a 429."""
    assert times(Pacer(), [chat(1)] * 6) == pytest.approx([0, 1.02 / 30, 2.04 / 30, 1.02, 2.04, 3.06])


def test_the_platform_rate_holds_over_all_chats() -> None:
    """30 a second over all chats, whatever their number."""
    at = times(Pacer(), [chat(n) for n in range(90)])
    assert max(sum(1 for t in at if start <= t < start + 1) for start in at) <= 30
    assert 90 / at[-1] >= 0.95 * 30


def test_groups_get_twenty_a_minute() -> None:
    """20 a minute in a group, bursts counted."""
    at = times(Pacer(), [chat(-5)] * 40, group=True)
    assert max(sum(1 for t in at if start <= t < start + 60) for start in at) <= 20 + 3
    assert at[-1] > 100


def test_topics_of_one_group_share_its_limits() -> None:
    """Telegram counts the chat, not the topic."""
    pacer = Pacer()
    first = [ChatId("telegram", "-5", str(topic)) for topic in range(4)]
    assert times(pacer, first)[-1] >= 1.0 - 1e-9


def test_a_limited_chat_does_not_hold_up_others() -> None:
    """One busy chat must not delay another's alert."""
    pacer = Pacer()
    times(pacer, [chat(1)] * 3)
    assert pacer.chat_wait(chat(1), limits=LIMITS, group=False, now=0.0) >= 1.0 - 1e-9
    assert pacer.chat_wait(chat(2), limits=LIMITS, group=False, now=0.0) == 0


def test_a_blocked_platform_waits_as_long_as_it_asked() -> None:
    """A global 429 is obeyed to the second, and ends."""
    pacer = Pacer()
    pacer.block("telegram", 17.0)
    assert pacer.reserve(chat(1), limits=LIMITS, group=False, now=0.0) == 17.0
    assert pacer.blocked("telegram", 17.0) == 0
    assert pacer.blocked("slack", 0.0) == 0


def test_memory_is_bounded() -> None:
    """A million chats once seen must not stay in memory for ever."""
    pacer = Pacer()
    for number in range(30_000):
        pacer.reserve(chat(number), limits=Limits(length=1, chat_rate=1), group=False, now=float(number))
    assert len(pacer.state) < 11_000

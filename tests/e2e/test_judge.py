"""The judge of the crash loop sees what is wrong: a judge that finds nothing would pass every loop."""

from random import Random

from tests.e2e.judge import Verdict, judge_chats
from tests.e2e.lateness import Lateness, Strike, too_late
from tests.e2e.newsroom import Newsroom, headlines
from tests.emulators.telegram_api import TelegramApi


def newsroom(seed: int = 1, documents: int = 30) -> Newsroom:
    news = Newsroom(2, Random(seed))
    for _ in range(documents):
        for outlet in news.published:
            news.write(outlet)
    return news


def sent(api: TelegramApi, chat: int, *titles: str) -> None:
    text = "\n".join(f'<a href="http://x.example">{title}</a>' for title in titles)
    api.log.add("sendMessage", {"chat_id": chat, "text": f"<b>{text}</b>\nOutlet · 14:02"})["ok"] = True


def test_every_headline_is_read_in_a_message() -> None:
    """Written at random, found again, alone and in a digest."""
    titles = [title for titles in newsroom().published.values() for title in titles]
    assert len(set(titles)) == len(titles)
    assert headlines("\n".join(f"<b>{title}</b> (North)" for title in titles)) == titles


def test_no_name_comes_twice() -> None:
    """As many stories as the long loop tells: a name that came back would be one event in two, and folded."""
    titles = [title for titles in newsroom(documents=550).published.values() for title in titles]
    assert len(titles) > 3000
    names = [word for title in titles for word in (title.split()[0], title.split()[-2])]
    assert len(set(names)) == len(names)


def test_what_is_lost_doubled_out_of_order_or_strange_is_named() -> None:
    """I1 to I4, each by one message that is wrong."""
    first, second, third, other = newsroom().published["outlet0"][:4]
    expected = {1: {"outlet0": [first, second, third]}}
    verdicts: dict[str, Verdict] = {}
    cases: dict[str, list[tuple[int, *tuple[str, ...]]]] = {
        "": [(1, first), (1, second, third)],
        "I1": [(1, first), (1, third)],
        "I2": [(1, first), (1, first), (1, second, third)],
        "I3": [(1, second), (1, first), (1, third)],
        "I4": [(1, first, second), (1, third, other)],
        "I4 ": [(1, first, second), (1, third), (2, first)],
    }
    for name, told in cases.items():
        api = TelegramApi()
        for chat, *titles in told:
            sent(api, chat, *titles)
        verdicts[name] = judge_chats(api, expected, 0)
    assert {name: [p[:2] for p in verdict.problems] for name, verdict in verdicts.items()} == {
        "": [], "I1": ["I1"], "I2": ["I2"], "I3": ["I3"], "I4": ["I4"], "I4 ": ["I4"],
    }  # fmt: skip
    assert "I3 BROKEN" in verdicts["I3"].by_invariant()
    assert "BROKEN" not in verdicts[""].by_invariant()


def test_a_refused_call_is_named_with_what_came_before_it() -> None:
    """I5: which call the platform refused, in which chat, after how many others."""
    first, second = newsroom().published["outlet0"][:2]
    api = TelegramApi()
    sent(api, 1, first)
    sent(api, 2, first)
    api.log.add("sendMessage", {"chat_id": 1, "text": second}).update(ok=False, code=429)
    sent(api, 1, second)
    verdict = judge_chats(api, {chat: {"outlet0": titles} for chat, titles in ((1, [first, second]), (2, [first]))}, 0)
    assert [problem.partition(" at ")[0] for problem in verdict.problems] == [
        "I5: 1 refused, 3/s, 2, 0",
        "I5: sendMessage to 1",
    ]
    assert "after 2 calls in that second, 1 of them and 1 of the minute in the chat" in verdict.problems[1]


def test_who_is_late_without_a_fault_that_touches_him_is_named() -> None:
    """I6: a chat and an outlet beside the fault, and all after it, are late by one poll at most; what is behind may be."""
    late = Lateness({"a": (0.0, "north"), "b": (10.0, "north"), "c": (11.0, "south"), "d": (30.0, "north")})
    late.strikes = [Strike(9.0, 12.0, chats={1}), Strike(9.0, 12.0, outlets={"south"})]
    arrived = {1: {"a": 1.0, "b": 20.0, "c": 21.0, "d": 31.0}, 2: {"a": 1.0, "b": 13.5, "c": 25.0, "d": 34.0}}
    others = late.of_others(arrived)
    assert [(chat, title) for _, chat, title in others] == [(1, "a"), (1, "d"), (2, "a"), (2, "b"), (2, "d")]
    assert [line.partition(" after ")[0] for line in too_late(others, 1.0, 2.0)] == [
        "I6: 2 was told 'b'",
        "I6: 2 was told 'd'",
    ]

"""The judge of the crash loop sees what is wrong: a judge that finds nothing would pass every loop."""

import time
from random import Random

from tests.e2e.fair_clock import FairClock
from tests.e2e.judge import Verdict, judge_chats, judge_lateness
from tests.e2e.lateness import Lateness, Life, Strike, too_late
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


def lateness(asked: list[float], told: list[tuple[float, list[str]]], chat: int = 2) -> list[str]:
    """What the judge says of polls and messages in a second life, from 100 s on; all comes within a second in the first."""
    sent = {"before": [2.0], "left": [40.0], "again": [50.0, 102.0], **{f"t{n}": [102.0] for n in range(9)}}
    lives = [Life(0.0, 8.0), Life(100.0, 120.0)]
    verdict = Verdict()
    judge_lateness(
        verdict,
        {"north": [2.0, 4.0, 6.0, *asked]},
        {1: [(3.0, ["before"]), (103.0, ["t0"])], chat: [(3.0, ["before"]), *told]},
        sent,
        lives,
    )
    return [problem.partition(" after ")[0] for problem in verdict.problems]


def test_a_process_at_work_that_leaves_others_waiting_is_late() -> None:
    """I6 where the only process is killed: from when the next is at work all is due anew, but for the pace of a chat."""
    often = [100.0 + n for n in range(1, 20, 2)]
    assert lateness(often, []) == []
    verdict = Verdict()
    judge_lateness(verdict, {"north": often}, {}, {}, [Life(0.0, 8.0)])
    assert verdict.problems == ["I6: no life was long enough to be judged"]
    assert lateness(often, [(103.0, ["t0"]), (119.0, ["t0"])]) == [], "what comes again may come whenever"
    assert lateness(often, [(106.0, ["t0"])]) == ["I6: 2 was told 't0'"]
    assert lateness(often, [(104.5, ["again"])]) == [], "not taken in by the life before, and sent again"
    assert lateness(often, [(104.5, ["left"])]) == ["I6: 2 was told 'left'"], "taken in before the kill"
    assert lateness(often, [(90.0, ["left"])]) == [], "nobody is at work"
    paced = [(103.0 + n * 1.1, [f"t{n}"]) for n in range(8)]
    assert lateness(often, paced) == [], "one a second is the pace of a person"
    assert lateness(often, [*paced[:4], (paced[3][0] + 4.5, ["t4"])]) == ["I6: 2 was told 't4'"]
    slow = [(at, [f"t{n}"]) for n, at in enumerate((103.0, 104.0, 107.5, 111.0, 114.5))]
    assert lateness(often, slow, chat=-5) == [], "eighteen a minute is the pace of a group"
    assert lateness(often, slow) == [f"I6: 2 was told 't{n}'" for n in (2, 3, 4)]
    assert lateness([*often[:4], 112.0, 115.0, 118.0], []) == [
        "I6: north was not asked for 5.0 s, 2.0 s when all is well"
    ]
    assert lateness(often[:7], []) == ["I6: north was not asked for 7.0 s, 2.0 s when all is well"], (
        "to the end of the life"
    )


def test_the_fair_clock_never_runs_ahead_nor_back() -> None:
    """Between two looks too; what is before the first is 0."""
    clock = FairClock()
    began = time.monotonic()
    for _ in range(3):
        clock.look()
    ended = time.monotonic()
    shown = [clock(began + (ended - began) * part / 10) for part in range(-1, 12)]
    assert shown == sorted(shown)
    assert shown[0] == 0.0
    assert shown[-1] <= ended - began + 0.01

"""Judges a run from outside: from what a chat platform took, what a process used and what it left in writing.

The invariants are those of the fault list.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.e2e.faulty import MOST_LAG
from tests.e2e.lateness import Life, between_polls, too_late, too_seldom, waits
from tests.e2e.newsroom import headlines
from tests.emulators.common import Json
from tests.emulators.telegram_api import TelegramApi

INVARIANTS = {
    "I1": "every matching story reaches every subscribed chat",
    "I2": "duplicates are no more than kills and lost answers",
    "I3": "order in each chat",
    "I4": "nothing to a chat that did not subscribe",
    "I5": "no rate of the platform broken",
    "I6": "others late by one poll at most",
    "I7": "memory bounded, the event loop not held",
    "I8": "no secret anywhere",
}
#: bytes of memory that are too much
MOST_MEMORY = 400 << 20
#: seconds between polls of a source: it is due a second after the last, and due ones are looked for every second
POLL = 2.0
#: refused calls that are told of one by one, and the methods that count
_NAMED = 10
_PACED = ("sendMessage", "sendPhoto", "editMessageText")


@dataclass
class Verdict:
    """What was found; `problems` names each broken invariant."""

    expected: int = 0
    duplicates: int = 0
    #: kills and answers that got lost
    faults: int = 0
    peak: int = 0
    chat_peak: int = 0
    group_peak: int = 0
    #: seconds at most between two polls and until a message, and those when all was well
    polls: float = 0.0
    waits: float = 0.0
    quiet: tuple[float, float] = (0.0, 0.0)
    memory: int = 0
    lag: float = 0.0
    problems: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{self.expected} alerts expected, {self.duplicates} duplicates of {self.faults} faults, at most {self.peak}/s, "
            f"{self.chat_peak}/s in a chat, {self.group_peak}/min in a group, {self._lateness()}, {self.memory >> 20} MB, "
            f"loop held {self.lag * 1000:.0f} ms; {'; '.join(self.problems) or 'all invariants hold'}"
        )

    def _lateness(self) -> str:
        polls, waits = self.quiet
        return (
            f"{self.polls:.1f} s between polls and {self.waits:.1f} s to a message at most ({polls:.1f} and {waits:.1f} s "
            "when all is well)"
        )

    def by_invariant(self) -> str:
        """A line for each: how it stands, and its figure."""
        figures = {
            "I1": f"{self.expected} alerts",
            "I2": f"{self.duplicates} of {self.faults} faults",
            "I5": f"at most {self.peak}/s, {self.chat_peak}/s in a chat, {self.group_peak}/min in a group",
            "I6": self._lateness(),
            "I7": f"{self.memory >> 20} MB, {self.lag * 1000:.0f} ms",
        }
        lines = []
        for name, words in INVARIANTS.items():
            broken = [problem for problem in self.problems if problem.startswith(name)]
            figure = f" ({figures[name]})" if name in figures else ""
            lines.append(f"{name} {'BROKEN' if broken else 'holds '} {words}{figure}")
            lines += [f"   {problem}" for problem in broken]
        return "\n".join([*lines, *(p for p in self.problems if p.partition(":")[0] not in INVARIANTS)])


class Told:
    """What each chat was told, read from the emulator's log as it grows."""

    def __init__(self, api: TelegramApi) -> None:
        self._api = api
        self._read = 0
        #: calls that are not answered yet
        self._open: list[Json] = []
        #: chat → (seconds of the log, headlines) of each message, in order
        self.messages: dict[int, list[tuple[float, list[str]]]] = defaultdict(list)
        self.titles: dict[int, set[str]] = defaultdict(set)
        #: headlines that came again
        self.duplicates = 0

    def look(self) -> "Told":
        """Takes in what came since the last look."""
        calls = [*self._open, *self._api.log.calls[self._read :]]
        self._read = len(self._api.log.calls)
        self._open = [call for call in calls if call["ok"] is None]
        for call in calls:
            if call["method"] == "sendMessage" and call["ok"]:
                self._take(int(call["params"]["chat_id"]), call["at"], headlines(call["params"]["text"]))
        return self

    def _take(self, chat: int, at: float, titles: list[str]) -> None:
        known = self.titles[chat]
        for title in titles:
            self.duplicates += title in known
            known.add(title)
        messages = self.messages[chat]
        messages.append((at, titles))
        if len(messages) > 1 and messages[-2][0] > at:  # it was answered later than the next one
            messages.sort(key=lambda message: message[0])


def judge_chats(api: TelegramApi, expected: Mapping[int, Mapping[str, Sequence[str]]], faults: int) -> Verdict:
    """I1 to I5 by the emulator's log. `expected`: by chat and outlet, the headlines in order."""
    told = Told(api).look()
    verdict = Verdict(faults=faults, duplicates=told.duplicates)
    for chat, of_chat in expected.items():
        mine = {title for titles in of_chat.values() for title in titles}
        verdict.expected += len(mine)
        lost = mine - told.titles[chat]
        if lost:
            verdict.problems.append(f"I1: {len(lost)} of {len(mine)} never reached {chat}: {sorted(lost)[:3]}")
        if strange := told.titles[chat] - mine:
            verdict.problems.append(f"I4: {chat} was told {sorted(strange)[:3]}")
        # a digest goes by keyword: what stands in one message was told at once
        first: dict[str, int] = {}
        for number, (_, titles) in enumerate(told.messages[chat]):
            for title in titles:
                first.setdefault(title, number)
        for outlet, in_order in of_chat.items():
            numbers = [first[title] for title in in_order if title in first]
            if numbers != sorted(numbers):
                verdict.problems.append(f"I3: {chat} was told of {outlet} out of order")
    if strangers := {chat for chat, messages in told.messages.items() if messages} - expected.keys():
        verdict.problems.append(f"I4: messages to chats that never subscribed: {sorted(strangers)}")
    if verdict.duplicates > faults:
        verdict.problems.append(f"I2: {verdict.duplicates} duplicates for {faults} faults")
    _judge_pace(api, verdict)
    return verdict


def _judge_pace(api: TelegramApi, verdict: Verdict) -> None:
    peaks = api.peaks()
    verdict.peak = peaks["all_per_second"]
    verdict.chat_peak = max(peaks["chat_per_second"].values(), default=0)
    minutes = {chat: count for chat, count in peaks["chat_per_minute"].items() if chat.startswith("-")}
    verdict.group_peak = max(minutes.values(), default=0)
    refused = [call for call in api.log.calls if call.get("code") == 429 and not call.get("injected")]
    if verdict.peak > 30 or verdict.chat_peak > 3 or verdict.group_peak > 20 or refused:
        verdict.problems.append(
            f"I5: {len(refused)} refused, {verdict.peak}/s, {verdict.chat_peak}, {verdict.group_peak}"
        )
    verdict.problems += [f"I5: {_refusal(api, call)}" for call in refused[:_NAMED]]


def _refusal(api: TelegramApi, call: Json) -> str:
    """Which call, when, and how much was taken before it: what was too much for the platform."""
    at, chat = call["at"], call["params"].get("chat_id")
    before = [c for c in api.log.calls if c["ok"] and c["method"] in _PACED and at - 60 < c["at"] <= at]
    mine = [c["at"] for c in before if c["params"].get("chat_id") == chat]
    return (
        f"{call['method']} to {chat} at {at:.1f} s was refused after {sum(c['at'] > at - 1 for c in before)} calls in that "
        f"second, {sum(t > at - 1 for t in mine)} of them and {len(mine)} of the minute in the chat"
    )


def judge_lateness(
    verdict: Verdict,
    asked: Mapping[str, Sequence[float]],
    told: Mapping[int, Sequence[tuple[float, Sequence[str]]]],
    sent: Mapping[str, Sequence[float]],
    lives: Sequence[Life],
) -> None:
    """I6, measured by the first life, in which all was well: whoever waits, waits longer by one of its polls at most.

    A poll is `POLL` seconds at least, however few of them a busy machine gave to the first life.
    """
    polls, waited = between_polls(asked, lives[1:]), [*waits(told, sent, lives[1:])]
    quiet_polls, quiet_waits = between_polls(asked, lives[:1]), [*waits(told, sent, lives[:1])]
    if not (polls and waited and quiet_polls and quiet_waits):
        verdict.problems.append("I6: no life was long enough to be judged")
        return
    verdict.quiet = poll, wait = max(max(quiet_polls)[0], POLL), max(quiet_waits)[0]
    verdict.polls, verdict.waits = max(polls)[0], max(waited)[0]
    verdict.problems += too_seldom(polls, poll) + too_late(waited, wait, poll)


def judge_process(verdict: Verdict, memory: int, lag: float) -> None:
    """I7: bytes in memory at most, and the longest time that the event loop was held by one thing."""
    verdict.memory, verdict.lag = memory, lag
    if memory > MOST_MEMORY:
        verdict.problems.append(f"I7: {memory >> 20} MB of memory")
    if lag > MOST_LAG:
        verdict.problems.append(f"I7: the event loop was held for {lag * 1000:.0f} ms")


def judge_secrets(verdict: Verdict, secrets: Iterable[str], written: Iterable[Path], api: TelegramApi) -> None:
    """I8: no secret in any of these files, nor in any message."""
    for secret in secrets:
        for path in written:
            if path.is_file() and secret.encode() in path.read_bytes():
                verdict.problems.append(f"I8: a secret stands in {path.name}")
        if any(secret in str(call["params"]) for call in api.log.of("sendMessage", "editMessageText")):
            verdict.problems.append("I8: a secret was sent to a chat")

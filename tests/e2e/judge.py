"""Judges a run from outside: from what a chat platform took, what a process used and what it left in writing.

The invariants are those of the fault list. I6, that others are late by one poll at most, is judged where a fault hits
one feed or chat (tests/test_flow_faults.py); here everything is killed.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.emulators.telegram_api import TelegramApi

#: bytes of memory and seconds of the loop's time that are too much
MOST_MEMORY = 400 << 20
MOST_LAG = 0.25


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
    memory: int = 0
    lag: float = 0.0
    problems: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{self.expected} alerts expected, {self.duplicates} duplicates of {self.faults} faults, at most {self.peak}/s, "
            f"{self.chat_peak}/s in a chat, {self.group_peak}/min in a group, {self.memory >> 20} MB, "
            f"loop held {self.lag * 1000:.0f} ms; {'; '.join(self.problems) or 'all invariants hold'}"
        )


def judge_chats(api: TelegramApi, expected: Mapping[int, Mapping[str, Sequence[str]]], faults: int) -> Verdict:
    """I1 to I5 by the emulator's log. `expected`: by chat and outlet, the headlines in order."""
    verdict = Verdict(faults=faults)
    taken: dict[int, list[str]] = {}
    for call in api.log.of("sendMessage", ok=True):
        taken.setdefault(int(call["params"]["chat_id"]), []).append(call["params"]["text"])
    every = {title for of_chat in expected.values() for titles in of_chat.values() for title in titles}
    for chat, of_chat in expected.items():
        texts = taken.pop(chat, [])
        mine = {title for titles in of_chat.values() for title in titles}
        told = [title for text in texts for title in _titles(text, every)]
        verdict.expected += len(mine)
        lost = mine - set(told)
        if lost:
            verdict.problems.append(f"I1: {len(lost)} of {len(mine)} never reached {chat}: {sorted(lost)[:3]}")
        verdict.duplicates += sum(title in mine for title in told) - len(mine & set(told))
        if strange := set(told) - mine:
            verdict.problems.append(f"I4: {chat} was told {sorted(strange)[:3]}")
        # a digest goes by keyword: what stands in one message was told at once
        first: dict[str, int] = {}
        for number, text in enumerate(texts):
            first |= {title: number for title in _titles(text, every) if title not in first}
        for outlet, titles in of_chat.items():
            numbers = [first[title] for title in titles if title in first]
            if numbers != sorted(numbers):
                verdict.problems.append(f"I3: {chat} was told of {outlet} out of order")
    if taken:
        verdict.problems.append(f"I4: messages to chats that never subscribed: {sorted(taken)}")
    if verdict.duplicates > faults:
        verdict.problems.append(f"I2: {verdict.duplicates} duplicates for {faults} faults")
    _judge_pace(api, verdict)
    return verdict


def _titles(text: str, every: Iterable[str]) -> list[str]:
    """The headlines that a message shows, in order; a digest shows several."""
    lines = text.splitlines()
    return [title for line in lines for title in every if title in line]


def _judge_pace(api: TelegramApi, verdict: Verdict) -> None:
    peaks = api.peaks()
    verdict.peak = peaks["all_per_second"]
    verdict.chat_peak = max(peaks["chat_per_second"].values(), default=0)
    minutes = {chat: count for chat, count in peaks["chat_per_minute"].items() if chat.startswith("-")}
    verdict.group_peak = max(minutes.values(), default=0)
    if verdict.peak > 30 or verdict.chat_peak > 3 or verdict.group_peak > 20 or peaks["refused_for_rate"]:
        verdict.problems.append(f"I5: {peaks['refused_for_rate']} refused, {verdict.peak}/s, {verdict.chat_peak}, {verdict.group_peak}")  # fmt: skip


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

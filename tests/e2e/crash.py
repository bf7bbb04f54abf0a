"""The crash loop: the real process between real sockets, killed over and over, and judged by what arrived.

Kills come at named points of the flows (the process ends itself there), when a source has just been sent its document,
when the chat platform has just taken a message and not answered yet, and at random instants. All the while one source
hangs and one chat is told to wait, so that there are others who must not be late; only the first life is left in peace.
"""

import asyncio
import math
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from bot.model import Chat, ChatId, Subscription, SubscriptionId
from bot.store import open_store
from tests.e2e.fair_clock import FairClock
from tests.e2e.judge import Told, Verdict, judge_chats, judge_lateness, judge_process, judge_secrets
from tests.e2e.lateness import Life
from tests.e2e.newsroom import KEYWORDS, Newsroom
from tests.e2e.process import Bot
from tests.emulators.telegram_api import TOKEN, TelegramApi

#: between "fetched" and "settled": after fetch, seen stored with outbox row, claim, call sent, answer received, marked
POINTS = ("fetched", "placed:1", "committed:1", "claimed:1", "claimed:4", "calling", "sent:1", "sent:3", "settled:1", "settled:2")  # fmt: skip
SECRET = "feedkey-Zq81vTnotforlogs"
GROUP = -77
STRANGER = 999
#: the chat that the platform tells to wait, and for how many seconds each time
REFUSED, _WAIT = 1, 10
_STORE_LEASE = 3.0
#: seconds after which nothing of what a killed process had on PostgreSQL waits any more (docs/scaling.md)
_OVER = 10.0
#: polls of each outlet that are enough to be judged by
_PEACE = 4


@dataclass(frozen=True)
class Kill:
    """How one life ends: at a point, or so many seconds after the process read its n-th document.

    Documents are counted, because a busy machine starts a process in twenty seconds and then kills at random would all
    come too early.
    """

    point: str = ""
    after: float = 0.0
    reads: int = 1

    def __str__(self) -> str:
        return self.point or (f"{self.after:.1f} s after {self.reads} reads" if self.after >= 0 else "while it starts")


def kills(named: int, at_random: int, rng: Random, longest: float = 3.0) -> list[Kill]:
    """`named` times every point, and random instants up to `longest` seconds after some source was read between."""
    wanted = [Kill(point) for point in POINTS for _ in range(named)]
    wanted += [Kill(after=rng.uniform(-0.5, longest), reads=rng.randint(1, 8)) for _ in range(at_random)]
    rng.shuffle(wanted)
    return wanted


class CrashLoop:
    """A world of outlets, chats and one bot that does not live long."""

    def __init__(self, folder: Path, store: str, api: TelegramApi, rng: Random) -> None:
        self.folder = folder
        self.store = store
        self.api = api
        self.told = Told(api)
        self.news = Newsroom(3, rng, secret=SECRET)
        self.bot: Bot
        self.faults = 0
        self.memory = 0
        #: (start, end) of each life, by time.monotonic()
        self.lives: list[tuple[float, float]] = []
        self.subscribed: dict[int, set[str]] = {}
        self._clock = FairClock()
        self._ticking: asyncio.Task[None] | None = None
        self._lag = folder / "lag"
        shared = store.startswith("postgres")
        self._lease = ["--lease", str(_STORE_LEASE)] if shared else []
        self._over = _OVER if shared else 0.0
        self._most_lag = 0.0
        self._started = 0.0

    def __str__(self) -> str:
        told = self.told.look()
        up = min((at for asked in self.news.asked.values() for at in asked[-20:] if at > self._started), default=0.0)
        messages = sum(map(len, told.messages.values()))
        return (
            f"{f'up in {up - self._started:.1f} s' if up else 'not up'}, {len(self.news.keyword)} headlines, {messages} messages, "
            f"{told.duplicates} duplicates, {self.memory >> 20} MB, lag {self._most_lag * 1000:.0f} ms"
        )

    async def open(self, chats: int) -> None:
        await self.news.start()
        self._ticking = asyncio.create_task(self._clock.run(), name="fair clock")
        store = await open_store(self.store)
        for number in range(1, chats + 1):
            chat = GROUP if number == chats else number
            if chat == GROUP:
                self.api.group(chat)
            else:
                self.api.person(chat)
            words = {KEYWORDS[number % len(KEYWORDS)]} | ({KEYWORDS[0]} if number % 4 == 0 else set())
            self.subscribed[chat] = words
            await store.put_chat(Chat(ChatId("telegram", str(chat))))
            for word in sorted(words):
                subscription = Subscription(SubscriptionId(0), ChatId("telegram", str(chat)), word, datetime.now(UTC))
                await store.add_subscription(subscription)
        self.api.person(STRANGER)
        await store.close()
        self.bot = Bot(
            self.folder,
            f'[store]\nurl = "{self.store}"\n[telegram]\ntoken = "{TOKEN}"\nbase_url = "{self.api.base_url}"\n'
            f'[sources]\ninterval = 1\nallow_private_networks = ["127.0.0.0/8"]\n{self.news.sources()}',
        )

    async def close(self) -> None:
        if getattr(self, "bot", None) is not None and self.bot.process is not None:
            await self.bot.kill()
        if self._ticking is not None:
            self._ticking.cancel()
        await self.news.stop()

    async def live(self, kill: Kill) -> None:
        """One life, to its violent end."""
        if not self.lives:
            await self._live_in_peace()
        before = self.news.requests
        point = kill.point if ":" in kill.point else ""
        await self._start(["--point", point] if point else [])
        if kill.point == "fetched":
            self.news.on_serve = self._kill_now
        elif kill.point == "calling":
            self.api.on_taken = self._kill_now
        elif not point:
            if kill.after >= 0:
                await self._until(lambda: self.news.requests >= before + kill.reads, 20)
            await asyncio.sleep(max(kill.after, 0.0) if kill.after >= 0 else 1.0 + kill.after)
            self._kill_now()
        # a point that two rounds of polls did not reach (nothing was due) ends like a random instant
        enough = before + 2 * len(self.news.published)
        await self._until(lambda: self._is_over() or self.news.requests >= enough, 12)
        self.news.on_serve = self.api.on_taken = lambda: None
        await self._end()

    async def _live_in_peace(self) -> None:
        """How soon all comes when all is well; ends in a kill as well. Then the troubles begin that outlast every life."""
        await self._start([])
        await self._pass_time(within=120)
        self._kill_now()
        await self._end()
        self.news.hanging = True
        self.api.fault(
            method="sendMessage", chat=REFUSED, times=0, status=429,
            description=f"Too Many Requests: retry after {_WAIT}", parameters={"retry_after": _WAIT},
        )  # fmt: skip

    async def _pass_time(self, within: float, after: float = 0.0) -> None:
        """Until, so many seconds after the process was at work, every outlet was asked `_PEACE` times more."""
        await self._until(lambda: self.news.taken_in_since(self._started), within)
        await asyncio.sleep(after)
        asked = {outlet: len(moments) for outlet, moments in self.news.asked.items()}
        await self._until(lambda: all(len(self.news.asked[o]) >= n + _PEACE for o, n in asked.items()), within)

    async def _start(self, options: list[str]) -> None:
        self._lag.unlink(missing_ok=True)
        self._started = time.monotonic()
        await self.bot.start(stdin="", observed=[*self._lease, *options, "--lag", str(self._lag)])
        assert self.bot.process is not None
        self._clock.watched = self.bot.process.pid

    def _kill_now(self) -> None:
        if self.bot.process is not None and self.bot.process.returncode is None:
            self.bot.process.send_signal(signal.SIGKILL)

    async def _end(self) -> None:
        ended = time.monotonic()
        await self.bot.kill()
        self.lives.append((self._started, ended))
        self.faults += 1
        self._look()

    def _is_over(self) -> bool:
        return self.bot.process is None or self.bot.process.returncode is not None

    def _look(self) -> None:
        if self._lag.exists():
            self._most_lag = max(self._most_lag, float(self._lag.read_text() or 0))

    async def _until(self, check: Callable[[], object], seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                while not check():
                    self._weigh()
                    await asyncio.sleep(0.02)
        except TimeoutError:
            return False
        return True

    def _weigh(self) -> None:
        process = self.bot.process
        if process is None or process.returncode is not None:
            return
        try:
            pages = int(Path(f"/proc/{process.pid}/statm").read_text().split()[1])
        except (OSError, IndexError):
            return
        self.memory = max(self.memory, pages * os.sysconf("SC_PAGE_SIZE"))

    async def settle(self, within: float) -> Verdict:
        """The faults are over: a last life, in which everything that was published must arrive."""
        await self._start([])
        await self._pass_time(within, after=self._over)
        self.api.clear_faults()
        self.news.finished.clear()
        self.news.closed = True
        quiet = await self._until(lambda: len(self.news.finished) == len(self.news.published), within)
        expected = {chat: self.news.expected(words) for chat, words in self.subscribed.items()}
        arrived = await self._until(lambda: not self._missing(expected), within)
        await asyncio.sleep(1.0)
        self.lives.append((self._started, time.monotonic()))
        code = await self.bot.stop()
        self._look()
        verdict = judge_chats(self.api, expected, self.faults)
        if code or not quiet or not arrived:
            verdict.problems.append(f"the last life ended with {code}, sources read: {quiet}, all arrived: {arrived}")
        self._judge_lateness(verdict)
        judge_process(verdict, self.memory, self._most_lag)
        written = [self.bot.output, self.bot.errors]
        judge_secrets(verdict, [SECRET], written, self.api)
        judge_secrets(verdict, [TOKEN, TOKEN.split(":")[1]], [*written, *self.folder.glob("store.json*")], self.api)
        return verdict

    def _judge_lateness(self, verdict: Verdict) -> None:
        """I6, by a clock that a busy machine does not hurry, and without the chat that the platform tells to wait."""
        clock, started = self._clock, self.api.log.started
        told = {chat: messages for chat, messages in self.told.look().messages.items() if chat != REFUSED}
        judge_lateness(
            verdict,
            {outlet: [*map(clock, moments)] for outlet, moments in self.news.asked.items()},
            {chat: [(clock(started + at), titles) for at, titles in messages] for chat, messages in told.items()},
            {title: [*map(clock, moments)] for title, moments in self.news.sent.items()},
            [Life(clock(life.begin), clock(life.end)) for life in self._at_work()],
        )

    def _at_work(self) -> list[Life]:
        """The lives that were long enough to be judged, each from when it had taken in what it was sent."""
        begun = [self.news.taken_in_since(start) or end for start, end in self.lives]
        # the first has nobody to inherit from
        begun[1:] = [begin + self._over for begin in begun[1:]]
        return [Life(begin, end) for begin, (_, end) in zip(begun, self.lives, strict=True) if begin < end]

    def _missing(self, expected: dict[int, dict[str, list[str]]]) -> bool:
        told = self.told.look().titles
        return any(
            not told[chat].issuperset(titles) for chat, of_chat in expected.items() for titles in of_chat.values()
        )


def _nothing(_: str) -> None:
    pass


async def crash_loop(
    folder: Path,
    store: str,
    lives: list[Kill],
    rng: Random,
    *,
    chats: int = 12,
    progress: Callable[[str], None] = _nothing,
    seconds: float = math.inf,
) -> Verdict:
    """All of it, on the store at this URL. `progress` is told of each life when it is over; after `seconds` none begins."""
    end, number = time.monotonic() + seconds, 0
    async with TelegramApi() as api:
        loop = CrashLoop(folder, store, api, rng)
        try:
            await loop.open(chats)
            for number, kill in enumerate(lives, 1):
                began = time.monotonic()
                await loop.live(kill)
                progress(f"{number:4}/{len(lives)} {kill!s:28} {time.monotonic() - began:5.1f} s; {loop}")
                if time.monotonic() > end:
                    break
            return await loop.settle(within=60 + number * 2)
        finally:
            await loop.close()

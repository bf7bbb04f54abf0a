"""Several processes with their roles on one PostgreSQL, before a strict Telegram and a newspaper; and what must hold."""

import asyncio
import signal
import time
from collections import defaultdict
from collections.abc import Collection
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import psycopg

from bot.model import Chat, ChatId, DeliveryKind, Subscription, SubscriptionId
from bot.store import open_store
from tests.e2e.replay import Publisher, document
from tests.e2e.supervised import Supervised
from tests.emulators.telegram_api import TOKEN, TelegramApi

#: process types of the crash loops
FLEET = {
    "poll1": "poll", "poll2": "poll", "ingest1": "ingest", "ingest2": "ingest",
    "deliver1": "deliver", "deliver2": "deliver", "deliver3": "deliver", "chat1": "chat", "chat2": "chat",
}  # fmt: skip


def headlines(count: int, seed: int = 1) -> list[str]:
    """Headlines that share nothing but the keyword."""
    rng = Random(seed)
    syllables = [c + v for c in "bdfgklmnprstvz" for v in "aeiou"]

    def word() -> str:
        return "".join(rng.choices(syllables, k=rng.randint(3, 4)))

    return [f"{word().title()} {word()} {word()} Idlib {word()} {word()} {word()}" for _ in range(count)]


class Fleet(Supervised):
    """What processes share, what is done to them, and what must hold; counts the faults."""

    def __init__(self, folder: Path, url: str, api: TelegramApi, press: Publisher, base_url: str = "") -> None:
        super().__init__(folder)
        self.url, self.api, self.press = url, api, press
        #: faults, of which those that lost the answers to several messages count as many
        self.faults = 0
        #: all are started so that they write down how long their event loops are held
        self.observed = False
        self._frozen: set[str] = set()
        self._base_url = base_url or api.base_url
        self.config = (
            f'[store]\nurl = "{url}"\n[sources]\ninterval = 1\nallow_private_networks = ["127.0.0.0/8", "10.0.0.0/8"]\n'
        )
        for outlet in press.bodies:
            self.config += f'[[source]]\nurl = "{press.url(outlet)}"\nname = "{outlet}"\n'

    async def subscribe(self, people: int, query: str = "Idlib") -> None:
        """So many private chats, each with the query."""
        store = await open_store(self.url)
        for person in range(1, people + 1):
            self.api.person(person)
            chat = ChatId("telegram", str(person))
            await store.put_chat(Chat(chat))
            await store.add_subscription(Subscription(SubscriptionId(0), chat, query, datetime.now(UTC)))
        await store.close()

    async def start(self, name: str, roles: str, prefix: tuple[str, ...] = ()) -> None:
        chat = f'[telegram]\ntoken = "{TOKEN}"\nbase_url = "{self._base_url}/{name}"\n'
        await self.launch(name, roles, self.config + chat, prefix, observed=self.observed)

    async def start_all(self, fleet: dict[str, str] = FLEET) -> None:
        for name, roles in fleet.items():
            await self.start(name, roles)

    async def kill(self, name: str) -> int:
        await self.end_at_once(name)
        self._frozen.discard(name)
        return await self.struck(name)

    async def freeze(self, name: str) -> int:
        self.send(name, signal.SIGSTOP)
        self._frozen.add(name)
        return await self.struck(name)

    async def struck(self, name: str) -> int:
        """Counts a fault of this process, right after it: as one, or as each message that the platform took from it and
        that is nowhere recorded, as which its answer was lost. Returns how many those are.
        """
        await asyncio.sleep(0.2)  # what the server was sent before is committed
        async with await psycopg.AsyncConnection.connect(self.url) as connection:
            sql = "select d.chat, e.body::json ->> 'title' from deliveries d join entries e on e.id = d.entry where d.state = 'due'"
            owed = await (await connection.execute(sql)).fetchall()
        taken = [call["params"] for call in self.api.log.of("sendMessage", ok=True) if call["via"] == name]
        lost = sum(
            any(chat == f"telegram:{message['chat_id']}" and title in message["text"] for chat, title in owed)
            for message in taken
        )
        self.faults += max(1, lost)
        return lost

    def thaw(self, name: str) -> None:
        self.send(name, signal.SIGCONT)
        self._frozen.discard(name)

    def is_frozen(self, name: str) -> bool:
        return name in self._frozen

    async def holder(self, lease: str) -> str:
        """The process that was elected, by its name here; "" when nobody is."""
        async with await psycopg.AsyncConnection.connect(self.url) as connection:
            found = await (
                await connection.execute(
                    "select holder from leases where name = %s and until > clock_timestamp()", [lease]
                )
            ).fetchone()
        pid = int(found[0].rpartition(":")[2]) if found else 0
        return next((n for n, b in self.bots.items() if b.process is not None and b.process.pid == pid), "")

    async def elected(self, lease: str) -> str:
        """As soon as somebody is: on a busy machine a lease may run out before it is renewed."""
        while not (name := await self.holder(lease)):
            await asyncio.sleep(0.1)
        return name

    async def epoch(self, lease: str) -> int:
        """Higher with each election; 0 while nobody holds it."""
        async with await psycopg.AsyncConnection.connect(self.url) as connection:
            sql = "select epoch from leases where name = %s and until > clock_timestamp()"
            found = await (await connection.execute(sql, [lease])).fetchone()
        return found[0] if found else 0

    async def cut_connections(self) -> None:
        """Every connection of every process at once."""
        self.faults += 1
        async with await psycopg.AsyncConnection.connect(self.url, autocommit=True) as connection:
            await connection.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and query <> '' "
                "and datname = current_database() and application_name <> 'schema'"
            )

    # ------------------------------------------------------------ what must hold

    def rung(self) -> dict[int, list[str]]:
        """Chat → texts of new messages that the platform took, in order."""
        found: dict[int, list[str]] = defaultdict(list)
        for call in self.api.log.of("sendMessage", ok=True):
            found[int(call["params"]["chat_id"])].append(call["params"]["text"])
        return found

    def arrived(self, titles: Collection[str]) -> dict[int, dict[str, float]]:
        """Chat → headline → when it first came, by the monotonic clock."""
        found: dict[int, dict[str, float]] = defaultdict(dict)
        for call in self.api.log.of("sendMessage", ok=True):
            for title in titles:
                if title in call["params"]["text"]:
                    found[int(call["params"]["chat_id"])].setdefault(title, call["at"] + self.api.log.started)
        return found

    async def in_hand(self, name: str) -> set[int]:
        """Chats whose lane this process drains, or drained until just now."""
        async with await psycopg.AsyncConnection.connect(self.url) as connection:
            sql = """
                select c.chat from claims c join procrastinate_jobs j on j.lock = 'lane ' || c.lane and j.status = 'doing'
                join tocsin_workers w on w.worker = j.worker_id and w.session like '%%:' || %s
            """
            process = self.bots[name].process
            assert process is not None
            found = await (await connection.execute(sql, [str(process.pid)])).fetchall()
        return {int(chat.partition(":")[2]) for (chat,) in found}

    async def claimed(self, name: str) -> set[str]:
        """Outlets that this process has in hand."""
        process = self.bots[name].process
        assert process is not None
        async with await psycopg.AsyncConnection.connect(self.url) as connection:
            sql = """
                select f.body::json ->> 'name' from polls p join feeds f on f.id = p.feed
                where p.leased_until > now() and p.holder like '%%:' || %s
            """
            found = await (await connection.execute(sql, [str(process.pid)])).fetchall()
        return {name for (name,) in found}

    def missing(self, titles: list[str], people: int) -> list[tuple[int, str]]:
        """Alerts that did not come (yet)."""
        rung = self.rung()
        return [
            (person, title)
            for person in range(1, people + 1)
            for title in titles
            if not any(title in text for text in rung.get(person, ()))
        ]

    async def all_arrive(self, titles: list[str], people: int, within: float) -> None:
        """Waits until I1 holds."""
        try:
            async with asyncio.timeout(within):
                while self.missing(titles, people):
                    await asyncio.sleep(0.2)
        except TimeoutError:
            missing = self.missing(titles, people)
            raise AssertionError(f"{len(missing)} alerts never came, {missing[:3]}; {self.errors()}") from None

    async def judge(self, titles: list[str], people: int) -> int:
        """I1-I5 and I8 from the platform's log; gives the number of duplicates."""
        assert self.missing(titles, people) == []  # I1
        rung = self.rung()
        assert set(rung) <= set(range(1, people + 1))  # I4
        order, duplicates = await self._owed(), len(self.twice(titles))
        for chat, texts in rung.items():
            firsts: list[str] = []
            for text in texts:  # many at once come as one message
                told = sorted((t for t in titles if t in text), key=order[chat].index)
                firsts += [title for title in told if title not in firsts]
            assert firsts == sorted(firsts, key=order[chat].index), chat  # I3, by what came first
        assert duplicates <= self.faults, f"{duplicates} duplicates, {self.faults} faults"  # I2
        peaks = self.api.peaks()
        assert peaks["all_per_second"] <= 30, peaks  # I5
        assert peaks["refused_for_rate"] == 0, peaks
        for bot in self.bots.values():  # I8
            assert TOKEN.partition(":")[2] not in bot.printed() + bot.errors.read_text()
        return duplicates

    def twice(self, titles: list[str], began: float = 0.0) -> list[str]:
        """Each message that told a chat nothing new: what, by whom and when before, and by whom and when again; seconds are
        since `began` of the monotonic clock.
        """
        known: dict[tuple[str, str], str] = {}
        found = []
        for call in self.api.log.of("sendMessage", ok=True):
            chat, text = str(call["params"]["chat_id"]), call["params"]["text"]
            told = [title for title in titles if title in text]
            now = f"by {call['via']} at {call['at'] + self.api.log.started - began:.1f} s"
            if told and all((chat, title) in known for title in told):
                found.append(f"{chat} was told {told[0]!r} {known[chat, told[0]]}, again {now}")
            for title in told:
                known.setdefault((chat, title), now)
        return found

    async def _owed(self) -> dict[int, list[str]]:
        """Chat → headlines in the order in which they were owed."""
        found: dict[int, list[str]] = defaultdict(list)
        async with await psycopg.AsyncConnection.connect(self.url) as connection:
            sql = "select d.chat, e.body::json ->> 'title' from deliveries d join entries e on e.id = d.entry where d.kind = %s order by d.n"
            for chat, title in await (await connection.execute(sql, [DeliveryKind.RING.value])).fetchall():
                found[int(chat.partition(":")[2])].append(title)
        return found

    def errors(self) -> str:
        """The last lines that the processes wrote, for a failing test."""
        return "\n".join(f"{n}: {b.errors.read_text()[-600:]}" for n, b in self.bots.items())


class Newspaper:
    """Publishes headlines one after another."""

    def __init__(self, press: Publisher, titles: list[str]) -> None:
        self._press, self._titles, self._outlets = press, titles, [*press.bodies]
        self._out: dict[str, list[str]] = {outlet: [] for outlet in self._outlets}
        self._next = 0
        #: headline → (seconds of the monotonic clock, outlet)
        self.published: dict[str, tuple[float, str]] = {}

    def publish(self) -> None:
        """The next headline, in the next outlet."""
        outlet = self._outlets[self._next % len(self._outlets)]
        self.published[self._titles[self._next]] = (time.monotonic(), outlet)
        self._out[outlet].append(self._titles[self._next])
        self._next += 1
        self._press.bodies[outlet].append(document(tuple(self._out[outlet])))
        self._press.at[outlet] = len(self._press.bodies[outlet]) - 1

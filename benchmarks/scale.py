"""Many processes on one PostgreSQL: deliveries and stories a second, and what the size of the tables costs.

    python -m benchmarks.scale [--outbox 1000000] [--subscriptions 1000000] [--feeds 100000] [--fan-out 100000]
                               [--deliveries 20000] [--documents 400] [--only deliver,ingest,fan-out,tables,feeds]

The server is one of the benchmark's own, with fsync on. The chat platform is a stub without limits, so that what is
measured is the bot; a real one permits 30 messages a second (Telegram) or one a second in a channel (Slack).
"""

import argparse
import asyncio
import resource
import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

import psycopg

from bot.app.together import Together
from bot.clock import SystemClock
from bot.deliver import Deliverer
from bot.ingest import Ingest
from bot.model import (
    Chat,
    ChatId,
    Delivery,
    DeliveryKind,
    DeliveryState,
    Entry,
    EntryId,
    Feed,
    FeedId,
    Limits,
    Message,
    ParsedEntry,
    ParsedFeed,
    PollCommit,
    SendOutcome,
    Sent,
    Settlement,
    Story,
    StoryId,
    Subscription,
    SubscriptionId,
    delivery_id,
)
from bot.ports import CommandHandler, Store
from bot.store import codec
from bot.store.postgres import PostgresStore, open_postgres
from bot.stories.summary import Habits
from tests.store.cluster import Cluster, cluster

CLOCK = SystemClock()
PLATFORM = "bench"


class Stub:
    """A chat platform that takes everything at once."""

    platform = PLATFORM
    limits = Limits(length=4096)

    def __init__(self) -> None:
        self.sent = 0

    def is_group(self, chat: ChatId) -> bool:  # noqa: ARG002
        return False

    async def send(self, chat: ChatId, message: Message, reply_to: str = "") -> SendOutcome:  # noqa: ARG002
        self.sent += 1
        return Sent(f"{id(self)}.{self.sent}")

    async def edit(self, chat: ChatId, message_id: str, message: Message) -> SendOutcome:  # noqa: ARG002
        return Sent(message_id)

    async def direct(self, user: str) -> ChatId | None:  # noqa: ARG002
        return None

    async def managed(self, user: str, name: str) -> Chat | None:  # noqa: ARG002
        return None

    async def run(self, handler: CommandHandler) -> None:  # noqa: ARG002
        return

    async def close(self) -> None:
        return


def no_fault(_: str) -> None:
    return


def make_ingest(store: Store) -> Ingest:
    return Ingest(store=store, clock=CLOCK, wake=lambda: None, owners={}, habits=Habits(), fault=no_fault)


async def worker(role: str, url: str) -> None:
    """One process of the fleet; ends with its standard input."""
    store = await open_postgres(url)
    together = Together(url, store, CLOCK)
    await together.prepare()

    def make(own: Store, at_once: int) -> Deliverer:
        return Deliverer(
            store=own, messengers={PLATFORM: Stub()}, clock=CLOCK, rng=Random(), habits=Habits(), away=None,
            pace=together.pace, fault=no_fault, at_once=at_once,
        )  # fmt: skip

    work = together.deliver(make) if role == "deliver" else together.take_in(make_ingest(store))
    task = asyncio.create_task(work)
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await together.stop(2.0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await store.close()


async def with_workers(role: str, url: str, count: int, work: Callable[[], Awaitable[float]]) -> float:
    """What `work` measures while so many processes run."""
    fleet = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-m", "benchmarks.scale", "--worker", role, url,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        )
        for _ in range(count)
    ]  # fmt: skip
    try:
        for process in fleet:
            assert process.stdout is not None
            await process.stdout.readline()
        await asyncio.sleep(2.0)
        return await work()
    finally:
        for process in fleet:
            assert process.stdin is not None
            process.stdin.close()
        await asyncio.gather(*(process.wait() for process in fleet))


class Bench:
    """One database and what is measured in it."""

    def __init__(self, server: Cluster, asked: argparse.Namespace, store: PostgresStore) -> None:
        self.url, self.asked, self.store = server.dsn, asked, store
        self._stories = 0

    async def sql(self, *statements: str) -> list[tuple[object, ...]]:
        found: list[tuple[object, ...]] = []
        async with await psycopg.AsyncConnection.connect(self.url, autocommit=True) as connection:
            for statement in statements:
                cursor = await connection.execute(statement.encode())
                found = await cursor.fetchall() if cursor.description else []
        return found

    async def people(self, count: int, query: str) -> None:
        """Chats with a subscription each, by the server itself."""
        chat = codec.chat.encode(Chat(ChatId(PLATFORM, "0"))).decode()
        plain = Subscription(SubscriptionId(0), ChatId(PLATFORM, "0"), query, datetime.now(UTC) - timedelta(days=1))
        row = codec.subscription.encode(plain).decode().replace('"id":0', "\"id\":' || n || '")
        other = row.replace(query, "w' || n || '")
        await self.sql(
            f"insert into chats (id, gone, body) select '{PLATFORM}:' || n, false, replace('{chat}', '{PLATFORM}:0', "
            f"'{PLATFORM}:' || n) from generate_series(1, {count}) n",
            f"insert into subscriptions (id, chat, version, body) select n, '{PLATFORM}:' || n, n, "
            f"replace('{row}', '{PLATFORM}:0', '{PLATFORM}:' || n) from generate_series(1, {count}) n",
            f"insert into subscriptions (id, chat, version, body) select n, '{PLATFORM}:' || (n % {count} + 1), n, "
            f"replace('{other}', '{PLATFORM}:0', '{PLATFORM}:' || (n % {count} + 1)) "
            f"from generate_series({count + 1}, {max(count, self.asked.subscriptions)}) n",
            "update counters set subscription_version = (select max(version) from subscriptions)",
            "select setval('subscription_ids', (select max(id) from subscriptions))",
            "analyze",
        )

    async def owe(self, chats: Iterable[int]) -> tuple[StoryId, float]:
        """One story that all of these chats are owed, by the commit of the store; and the seconds that took."""
        self._stories += 1
        now, number = datetime.now(UTC), self._stories
        story, entry = StoryId(f"owed{number}"), EntryId(f"owed-e{number}")
        title = f"Ferry {number} runs aground off Idlib"
        kept = Entry(
            entry, FeedId("f"), "Wire", title, f"https://n.example/{number}", str(number), title, now, now, story=story
        )
        rows = [
            Delivery(
                delivery_id(chat, story, DeliveryKind.RING, entry), chat, story, entry, DeliveryKind.RING,
                (SubscriptionId(int(chat.address)),), now, now,
            )
            for chat in (ChatId(PLATFORM, str(n)) for n in chats)
        ]  # fmt: skip
        state = (await self.store.feeds())[0][1]
        began = time.perf_counter()
        await self.store.commit(
            PollCommit(state, None, (kept,), (), (Story(story, title, now, now, (entry,)),), tuple(rows))
        )
        return story, time.perf_counter() - began

    # ------------------------------------------------------------ deliveries a second

    async def deliveries(self) -> None:
        print("\n| deliver processes | deliveries/s | against one | chats out of order |\n|---|---|---|---|")
        base = 0.0
        for count in (1, 2, 4):
            per_chat = 4
            chats = range(1, self.asked.deliveries // per_chat + 1)
            await self.sql("delete from deliveries", "delete from claims", "delete from receipts", "delete from procrastinate_jobs",
                           "update lanes set woken = false", "vacuum analyze")  # fmt: skip

            async def work(chats: range = chats, per_chat: int = per_chat) -> float:
                for _ in range(per_chat):
                    await self.owe(chats)
                began = time.perf_counter()
                total = len(chats) * per_chat
                first = 0
                while (done := await self._sent()) < total:
                    if not first:
                        first, began = done, time.perf_counter()
                    await asyncio.sleep(0.2)
                return (total - first) / (time.perf_counter() - began)

            rate = await with_workers("deliver", self.url, count, work)
            base = base or rate
            print(f"| {count} | {rate:,.0f} | {rate / base:.2f}x | {await self._disordered()} |", flush=True)

    async def _sent(self) -> int:
        [(count,)] = await self.sql("select count(*) from deliveries where state = 'sent'")
        return int(str(count))

    async def _disordered(self) -> object:
        sql = "select count(*) from (select settled < lag(settled) over (partition by chat order by n) as wrong from deliveries) d where wrong"
        return (await self.sql(sql))[0][0]

    # ------------------------------------------------------------ stories a second

    async def stories(self) -> None:
        print("\n| ingest processes | documents/s | new stories/s |\n|---|---|---|")
        together = Together(self.url, self.store, CLOCK)
        rng = Random(7)
        for count in (1, 2, 4):
            feeds = [Feed(FeedId(f"https://f{count}-{n}.example/rss")) for n in range(self.asked.documents)]
            await self.store.sync_feeds(feeds, CLOCK.now())

            async def work(feeds: list[Feed] = feeds, rng: Random = rng) -> float:
                claimed = await self.store.claim_feeds(CLOCK.now(), 600, len(feeds))
                for leased in claimed:
                    items = tuple(
                        ParsedEntry(title=text(rng, 9), summary=text(rng, 40), link=f"https://n.example/{rng.random()}", guid=str(rng.random()))
                        for _ in range(3)
                    )  # fmt: skip
                    read = replace(leased.state, last_parsed=CLOCK.now())
                    await together.inbox.put(replace(leased, state=read), read, ParsedFeed("Wire", items))
                before = await self._left()
                began = time.perf_counter()
                while await self._left():
                    await asyncio.sleep(0.1)
                return before / (time.perf_counter() - began)

            rate = await with_workers("ingest", self.url, count, work)
            print(f"| {count} | {rate:,.0f} | {rate * 3:,.0f} |", flush=True)

    async def _left(self) -> int:
        [(count,)] = await self.sql("select count(*) from inbox")
        return int(str(count))

    # ------------------------------------------------------------ one story for very many

    async def fan_out(self) -> None:
        count = self.asked.fan_out
        began = time.perf_counter()
        ingest = make_ingest(self.store)
        await ingest.follow()
        loaded = time.perf_counter() - began
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(
            f"\n{self.asked.subscriptions:,} subscriptions read and indexed in {loaded:.1f} s; this process {memory:,.0f} MB"
        )
        await self.store.sync_feeds([Feed(FeedId("https://fan.example/rss"))], CLOCK.now())
        [leased] = await self.store.claim_feeds(CLOCK.now(), 600, 1)
        read = replace(leased.state, last_parsed=CLOCK.now())
        item = ParsedEntry(
            title="Shells hit market in Idlib, nine dead", summary="", link="https://n.example/fan", guid="fan"
        )
        began = time.perf_counter()
        await ingest(replace(leased, state=read), read, ParsedFeed("Wire", (item,)))
        took = time.perf_counter() - began
        rows = (
            await self.sql(
                "select count(*) from deliveries where entry = (select id from entries where body like '%fan%' limit 1)"
            )
        )[0][0]
        print(f"one story for {count:,} chats: {took:.1f} s from the document to {rows:,} outbox rows, committed")

    # ------------------------------------------------------------ what the size of the tables costs

    async def tables(self) -> None:
        print(
            "\n| settled rows in the outbox | claim of 64 chats | settle of one | claim by lane | next due |\n|---|---|---|---|---|"
        )
        sizes = sorted({10_000, self.asked.outbox // 10, self.asked.outbox})
        there = 0
        for size in sizes:
            await self._settled_rows(there, size)
            there = size
            print(f"| {size:,} | {' | '.join(await self._claims())} |", flush=True)
        for plan in await self._plans("free chats of a lane") + await self._plans("rows of a claim"):
            print(plan)

    async def feeds(self) -> None:
        print("\n| feeds | claim of 64 | save of one |\n|---|---|---|")
        for size in (1_000, self.asked.feeds):
            await self._feed_rows(size)
            print(f"| {size:,} | {' | '.join(await self._polls())} |", flush=True)
        for plan in await self._plans("due feeds"):
            print(plan)

    async def _settled_rows(self, there: int, size: int) -> None:
        """Fills the outbox with what was sent long ago; without its indexes, which are made again after."""
        chats = min(size, 100_000)
        kept = "select indexdef from pg_indexes where tablename = 'deliveries' and indexname like 'deliveries\\_%' and indexname not like '%pkey'"
        indexes = [str(row[0]) for row in await self.sql(kept)]
        chat = f"'{PLATFORM}:' || (n % {chats} + 1)"
        await self.sql(
            *(f"drop index {definition.split()[2]}" for definition in indexes),
            "set synchronous_commit = off",
            "insert into deliveries (id, chat, story, entry, kind, subscriptions, created, due, state, attempts, reason, settled, held) "
            f"select {chat} || '|old' || n, {chat}, 'old' || (n / 100), 'e' || n, 'ring', '{{}}', now() - interval '1 day', "
            f"now() - interval '1 day', 'sent', 1, '', now(), false from generate_series({there + 1}, {size}) n",
            "set maintenance_work_mem = '400MB'",
            *indexes,
            f"insert into claims (chat) select '{PLATFORM}:' || n from generate_series(1, {chats}) n on conflict do nothing",
            "vacuum analyze deliveries",
            "vacuum analyze claims",
        )

    async def _claims(self) -> list[str]:
        _, _ = await self.owe(range(1, 4001))
        claim, settle, lane, due = [], [], [], []
        for number in range(25):
            began = time.perf_counter()
            claims = await self.store.claim_deliveries(CLOCK.now(), 60, 64)
            claim.append(time.perf_counter() - began)
            for one in claims:
                sent = tuple(replace(r, state=DeliveryState.SENT, settled=CLOCK.now()) for r in one.deliveries)
                began = time.perf_counter()
                await self.store.settle(Settlement(one.chat.id, one.epoch, sent))
                settle.append(time.perf_counter() - began)
            began = time.perf_counter()
            for one in await self.store.of_lane(number).claim_deliveries(CLOCK.now(), 60, 2):
                lane.append(time.perf_counter() - began)
                sent = tuple(replace(r, state=DeliveryState.SENT, settled=CLOCK.now()) for r in one.deliveries)
                await self.store.settle(Settlement(one.chat.id, one.epoch, sent))
            began = time.perf_counter()
            await self.store.next_due(CLOCK.now())
            due.append(time.perf_counter() - began)
        return [f"{statistics.median(times) * 1000:.1f} ms" for times in (claim, settle, lane, due)]

    async def _plans(self, about: str) -> list[str]:
        """Which indexes the statements of a claim and of waking use."""
        from bot.store.pg_chats import OUTBOX
        from bot.store.pg_feeds import SQL as FEEDS

        plans = []
        for name, statement, values in (
            ("free chats of a lane", OUTBOX["free_chats_of_lane"], {"lane": 3, "now": CLOCK.now(), "limit": 2}),
            (
                "rows of a claim",
                OUTBOX["claim_deliveries"],
                {"chats": [f"{PLATFORM}:7"], "now": CLOCK.now(), "until": CLOCK.now(), "rows": 200},
            ),
            ("due feeds", FEEDS["claim_feeds"], {"now": CLOCK.now(), "until": CLOCK.now(), "limit": 64}),
        ):
            if name != about:
                continue
            async with await psycopg.AsyncConnection.connect(self.url) as connection:
                cursor = await connection.execute(f"explain {statement}".encode(), values)
                lines = [str(line) for (line,) in await cursor.fetchall()]
                await connection.rollback()
            used = [part.split(" on ")[0].split(" using ")[-1] for part in lines if "Index" in part and "Scan" in part]
            scans = [line.strip(" ->") for line in lines if "Seq Scan" in line]
            plans.append(
                f"{name}: {', '.join(dict.fromkeys(u.strip(' ->') for u in used))}{'; ' + ', '.join(scans) if scans else ''}"
            )
        return plans

    async def _feed_rows(self, size: int) -> None:
        feed = codec.feed.encode(Feed(FeedId("https://x0/"))).decode()
        await self.sql(
            "delete from feeds",
            f"insert into feeds (id, added, body) select 'https://x' || n || '/', true, replace('{feed}', 'x0', 'x' || n) "
            f"from generate_series(1, {size}) n",
            "insert into polls (feed, next_poll, gone, body) select id, now() - random() * interval '1 hour', false, "
            """'{"feed":"' || id || '","next_poll":"2026-01-01T00:00:00Z"}' from feeds""",
            "vacuum analyze feeds", "vacuum analyze polls",
        )  # fmt: skip

    async def _polls(self) -> list[str]:
        claim, save = [], []
        for _ in range(12):
            began = time.perf_counter()
            claimed = await self.store.claim_feeds(CLOCK.now(), 300, 64)
            claim.append(time.perf_counter() - began)
            for leased in claimed:
                began = time.perf_counter()
                await self.store.save_feed(
                    replace(leased.state, next_poll=CLOCK.now() + timedelta(hours=1)), leased.epoch
                )
                save.append(time.perf_counter() - began)
        return [f"{statistics.median(times) * 1000:.1f} ms" for times in (claim, save)]


def text(rng: Random, count: int) -> str:
    """Words that no other story has."""
    return " ".join("".join(rng.choices("bcdfglmnprstaeiou", k=rng.randint(4, 9))) for _ in range(count)).capitalize()


async def run(asked: argparse.Namespace, server: Cluster) -> None:
    store = await open_postgres(server.dsn)
    bench = Bench(server, asked, store)
    together = Together(server.dsn, store, CLOCK)
    await together.prepare()
    store.turnstile = None  # this process only fills the tables
    await store.sync_feeds([Feed(FeedId("f"))], CLOCK.now())
    await bench.people(max(asked.fan_out, asked.deliveries // 4), "Idlib")
    steps = {
        "deliver": bench.deliveries,
        "ingest": bench.stories,
        "fan-out": bench.fan_out,
        "tables": bench.tables,
        "feeds": bench.feeds,
    }
    for name, step in steps.items():
        if name in asked.only.split(","):
            if name in {"tables", "fan-out", "feeds"}:
                store.wake = None
            await step()
    await store.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--outbox", type=int, default=1_000_000)
    parser.add_argument("--subscriptions", type=int, default=1_000_000)
    parser.add_argument("--feeds", type=int, default=100_000)
    parser.add_argument("--fan-out", type=int, default=100_000)
    parser.add_argument("--deliveries", type=int, default=20_000)
    parser.add_argument("--documents", type=int, default=400)
    parser.add_argument("--only", default="deliver,ingest,fan-out,tables,feeds")
    parser.add_argument("--worker", nargs=2, metavar=("ROLE", "URL"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.worker:
        asyncio.run(worker(*asked.worker))
        return
    with cluster(durable=True) as server:
        asyncio.run(run(asked, server))


if __name__ == "__main__":
    main()

"""All rows of a PostgreSQL store, read and written."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bot.errors import StoreError
from bot.model import Fingerprint, Mute, Wait
from bot.store import codec
from bot.store.codec import chat_key, chat_of
from bot.store.pg_base import do, rows
from bot.store.pg_chats import SQL as CHATS
from bot.store.pg_entries import put_entries, put_fingerprints, put_stories
from bot.store.pg_feeds import SQL as FEEDS
from bot.store.pg_outbox import delivery_of, receipt_of
from bot.store.postgres import open_postgres
from bot.store.rows import TABLES, Rows, removed_row, subscription_row, version_of
from bot.store.statements import statements

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bot.store.pg_base import Connection
    from bot.store.postgres import PostgresStore

SQL = statements("copy")

#: rows sent at once
BATCH = 1000


async def read_postgres(url: str) -> Rows:
    """Every row, as of one moment; claimed deliveries as they were before the claim."""
    store = await open_postgres(url, read_only=True)

    async def work(connection: Connection) -> Rows:
        await connection.execute("set transaction isolation level repeatable read")
        found: Rows = {}
        for table in ("feeds", "polls", "hubs", "chats", "entries", "stories", "actions"):
            found[table] = [body.encode() for (body,) in await rows(connection, SQL[f"all_{table}"])]
        found["subscriptions"] = [
            subscription_row(codec.subscription.decode(body), version)
            for body, version in await rows(connection, SQL["all_subscriptions"])
        ]
        found["removed"] = [removed_row(*row) for row in await rows(connection, SQL["all_removed"])]
        found["fingerprints"] = [
            codec.fingerprint.encode(Fingerprint(*row)) for row in await rows(connection, SQL["all_fingerprints"])
        ]
        found["mutes"] = [
            codec.mute.encode(Mute(chat_of(row[0]), row[1], row[2])) for row in await rows(connection, SQL["all_mutes"])
        ]
        found["deliveries"] = [
            codec.delivery.encode(delivery_of(row)) for row in await rows(connection, SQL["all_deliveries"])
        ]
        found["receipts"] = [
            codec.receipt.encode(receipt_of(row)) for row in await rows(connection, SQL["all_receipts"])
        ]
        found["waits"] = [codec.wait.encode(_wait(*row)) for row in await rows(connection, SQL["all_waits"])]
        return found

    try:
        return await store.run(work)
    finally:
        await store.close()


def _wait(key: str, free_at: float) -> Wait:
    """A bucket of `bot.store.pg_pace`; nobody knows when it was filled last."""
    kind, _, name = key.partition(" ")
    until = datetime.fromtimestamp(free_at, UTC)
    return Wait(kind, name, until, until)


async def write_postgres(url: str, given: Rows, done: Callable[[int], None]) -> None:
    """All rows in one transaction. Raises StoreError when there are any already."""
    store = await open_postgres(url)

    async def work(connection: Connection) -> None:
        for table in TABLES:
            if await rows(connection, SQL[f"any_{table}"]):
                raise StoreError(f"the database has {table} already: name an empty one, or another schema")
        count = 0
        for table, batch in _batches(given):
            await _write(connection, store, table, batch, count)
            count += len(batch)
            done(count)
        await do(connection, SQL["set_version"])
        await do(connection, SQL["set_subscription_id"])

    try:
        await store.run(work)
    finally:
        await store.close()


def _batches(given: Rows) -> Iterator[tuple[str, list[bytes]]]:
    for table in TABLES:
        for start in range(0, len(given[table]), BATCH):
            yield table, given[table][start : start + BATCH]


async def _write(connection: Connection, store: PostgresStore, table: str, batch: list[bytes], position: int) -> None:
    match table:
        case "feeds":
            for place, feed in enumerate(map(codec.feed.decode, batch), start=position):
                added = feed.origin == "added"
                body = codec.feed.encode(feed).decode()
                await do(connection, FEEDS["put_feed"], id=feed.id, added=added, position=place, body=body)
        case "polls":
            for raw in batch:
                state = codec.feed_state.decode(raw)
                values = {"next_poll": state.next_poll, "gone": state.gone, "body": raw.decode()}
                await do(connection, SQL["put_poll"], feed=state.feed, **values)
        case "hubs":
            for raw in batch:
                hub = codec.hub_lease.decode(raw)
                await do(connection, FEEDS["put_hub_lease"], key=hub.key, feed=hub.feed, due=hub.due, body=raw.decode())
        case "chats":
            for raw in batch:
                chat = codec.chat.decode(raw)
                await do(connection, CHATS["put_chat"], id=chat_key(chat.id), gone=bool(chat.gone), body=raw.decode())
        case "subscriptions":
            for raw in batch:
                row = codec.subscription.decode(raw)
                body = codec.subscription.encode(row).decode()
                values = {"id": row.id, "chat": chat_key(row.chat), "version": version_of(raw).version, "body": body}
                await do(connection, CHATS["add_subscription"], **values)
        case "removed":
            for known in map(version_of, batch):
                await do(connection, CHATS["note_removed"], id=known.id, version=known.version)
        case "fingerprints":
            await put_fingerprints(connection, {row.entry: row for row in map(codec.fingerprint.decode, batch)})
        case "entries":
            await put_entries(connection, {row.id: row for row in map(codec.entry.decode, batch)})
        case "stories":
            await put_stories(connection, {row.id: row for row in map(codec.story.decode, batch)})
        case "mutes":
            for mute in map(codec.mute.decode, batch):
                values = {"chat": chat_key(mute.chat), "story": mute.story, "since": mute.since}
                await do(connection, CHATS["put_mute"], **values)
        case "actions":
            for action in map(codec.action.decode, batch):
                await store.put_action(connection, action)
        case "deliveries":
            await store.put_deliveries(connection, map(codec.delivery.decode, batch))
        case "receipts":
            receipts = [codec.receipt.decode(raw) for raw in batch]
            await store.put_receipts(connection, receipts)
        case "waits":
            for wait in map(codec.wait.decode, batch):
                key, free_at = f"{wait.kind} {wait.name}", wait.until.timestamp()
                await do(connection, SQL["put_wait"], key=key, free_at=free_at)


async def check_postgres(url: str) -> list[str]:
    """What only the tables of PostgreSQL can have wrong."""
    store = await open_postgres(url, read_only=True)

    async def work(connection: Connection) -> list[str]:
        wrong = await rows(connection, SQL["wrong_claims"])
        return [f"claims: {chat} would next be served at {at}, but is due at {due}" for chat, at, due in wrong]

    try:
        return await store.run(work)
    finally:
        await store.close()

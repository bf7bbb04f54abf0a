"""Every row of a store as JSON, by table: the form in which stores are copied and checked.

The tables and rows are those of the TinyDB store. A copy is right when each table has as many rows with the same
checksum on both sides; the checksum does not depend on the order of the rows.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import msgspec
import xxhash

from bot.model import Delivery, DeliveryState, Feed, FeedState, Subscription, delivery_id
from bot.store import codec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime

    from bot.store.codec import Codec

Rows = dict[str, list[bytes]]

CODECS: dict[str, Codec[Any]] = {
    "feeds": codec.feed,
    "polls": codec.feed_state,
    "hubs": codec.hub_lease,
    "chats": codec.chat,
    "subscriptions": codec.subscription,
    "fingerprints": codec.fingerprint,
    "entries": codec.entry,
    "stories": codec.story,
    "mutes": codec.mute,
    "actions": codec.action,
    "deliveries": codec.delivery,
    "receipts": codec.receipt,
    "waits": codec.wait,
}
#: in the order in which they are copied
TABLES = (*CODECS, "removed")


class Version(msgspec.Struct, gc=False):
    """The number of a subscription's last change, which its row carries; of removed ones with the id alone."""

    version: int
    id: int = 0


version_of = msgspec.json.Decoder(Version).decode


def subscription_row(subscription: Subscription, version: int) -> bytes:
    """A subscription with the number of its last change."""
    return b'%s,"version":%d}' % (codec.subscription.encode(subscription)[:-1], version)


def removed_row(subscription: int, version: int) -> bytes:
    """A removed subscription."""
    return b'{"id":%d,"version":%d}' % (subscription, version)


def normal(table: str, raw: bytes) -> bytes:
    """The row as this version writes it. Raises msgspec.MsgspecError and TypeError for what is none."""
    if table == "removed":
        known = version_of(raw)
        return removed_row(known.id, known.version)
    value = CODECS[table].decode(raw)
    if isinstance(value, Subscription):
        return subscription_row(value, version_of(raw).version)
    return CODECS[table].encode(value)


def waits_at(raws: Iterable[bytes], now: datetime) -> list[bytes]:
    """What the pace must know from now on: one store keeps what is over for a while, the other none of the beginnings."""
    waits = map(codec.wait.decode, raws)
    return [codec.wait.encode(replace(wait, since=now)) for wait in waits if wait.until > now]


def checksum(rows: Iterable[bytes]) -> int:
    """The same for the same rows in any order."""
    return sum(map(xxhash.xxh3_64_intdigest, rows)) & (2**64 - 1)


def findings(rows: Rows) -> Iterator[str]:
    """What is wrong with rows that can be read."""
    names: dict[str, Callable[[Any], Any]] = {
        "feeds": lambda feed: feed.id,
        "polls": lambda state: state.feed,
        "hubs": lambda lease: lease.key,
        "chats": lambda chat: chat.id,
        "subscriptions": lambda subscription: subscription.id,
        "fingerprints": lambda known: known.entry,
        "entries": lambda entry: entry.id,
        "stories": lambda story: story.id,
        "mutes": lambda mute: (mute.chat, mute.story),
        "actions": lambda action: action.id,
        "deliveries": lambda delivery: delivery.id,
        "receipts": lambda receipt: (receipt.chat, receipt.story, receipt.message),
        "waits": lambda wait: (wait.kind, wait.name),
    }
    keys: dict[str, set[Any]] = {}
    for table, name in names.items():
        seen = keys[table] = set()
        for raw in rows[table]:
            value = CODECS[table].decode(raw)
            if name(value) in seen:
                yield f"{table}: {name(value)} is there twice"
            seen.add(name(value))
            yield from _about(value)
    for feed in keys["feeds"] ^ keys["polls"]:
        yield f"feeds: {feed} has {'no state' if feed in keys['feeds'] else 'a state, but is not listed'}"


def _about(value: Feed | FeedState | Delivery | object) -> Iterator[str]:
    if isinstance(value, Delivery):
        derived = delivery_id(value.chat, value.story, value.kind, value.entry)
        if value.id != derived:
            yield f"deliveries: {value.id} should be {derived}"
        if value.state is DeliveryState.SENT and value.settled is None:
            yield f"deliveries: {value.id} was sent, nobody knows when"

"""Serving people side by side."""

from __future__ import annotations

import asyncio

from bot.chats.lanes import Lanes, Rights, Seen


async def test_one_person_in_order_two_side_by_side() -> None:
    """A slow command holds back only its own person."""
    lanes, done = Lanes(), []
    gate = asyncio.Event()

    async def slow() -> None:
        await gate.wait()
        done.append("slow")

    async def quick(name: str) -> None:
        done.append(name)

    lanes.submit("ann", slow)
    lanes.submit("ann", lambda: quick("after"))
    lanes.submit("bob", lambda: quick("bob"))
    assert not await lanes.idle(0.05)
    assert done == ["bob"]
    gate.set()
    assert await lanes.idle(1)
    assert done == ["bob", "slow", "after"]


async def test_row_34_a_flood_is_dropped_and_told_once() -> None:
    """Beyond the limit nothing queues, and the overflow is done exactly once."""
    lanes, done = Lanes(pending=3), []

    async def note(what: str) -> None:
        done.append(what)

    taken = [lanes.submit("ann", lambda: note("work"), lambda: note("slow down")) for _ in range(10)]
    assert taken == [True] * 3 + [False] * 7
    assert await lanes.idle(1)
    assert done == ["work"] * 3 + ["slow down"]
    assert lanes.submit("ann", lambda: note("later"))
    assert await lanes.idle(1)


async def test_a_failure_ends_one_piece_of_work_only() -> None:
    """An exception in a handler is logged; the person's next command is served."""
    lanes, done = Lanes(), []

    async def broken() -> None:
        raise RuntimeError("bug")

    async def fine() -> None:
        done.append(1)

    lanes.submit("ann", broken)
    lanes.submit("ann", fine)
    assert await lanes.idle(1)
    assert done == [1]


def test_row_39_ids_are_remembered_within_bounds() -> None:
    """The memory of update ids does not grow for ever."""
    seen = Seen(size=2)
    assert [seen.first(key) for key in ("a", "a", "b", "c", "a")] == [True, False, True, True, True]


def test_rights_are_believed_for_a_minute() -> None:
    """An admin who was demoted loses the right within 60 s."""
    now = 0.0
    rights = Rights(lambda: now)
    rights.put("ann", admin=True)
    now = 59.9
    assert rights.get("ann") is True
    now = 60.1
    assert rights.get("ann") is None

"""The orders kept in memory agree with looking at everything."""

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.store.order import DueHeap, DueRows, Ordered
from tests.store.samples import NOW, after

STEPS = st.lists(st.tuples(st.integers(0, 5), st.one_of(st.none(), st.integers(0, 20))), max_size=60)


@given(steps=STEPS)
def test_ordered_is_sorted_by_value(steps: list[tuple[int, int | None]]) -> None:
    """Whatever comes in whatever order, and leaves again."""
    order, model = Ordered(), dict[int, int]()
    for row, value in steps:
        if row in model:
            order.remove(model.pop(row), row)
        if value is not None:
            order.add(value, row)
            model[row] = value
        for limit in (0, 7, 21):
            assert sorted(order.since(limit)) == sorted(r for r, v in model.items() if v >= limit)
            assert [model[r] for r in order.since(limit)] == sorted(v for v in model.values() if v >= limit)
            assert sorted(order.before(limit)) == sorted(r for r, v in model.items() if v < limit)
        assert order.last() == max(model.values(), default=0)


@given(steps=STEPS)
def test_due_rows_know_the_earliest(steps: list[tuple[int, int | None]]) -> None:
    """Rows move to and fro."""
    rows, model = DueRows(), dict[int, datetime]()
    for row, value in steps:
        if value is None:
            rows.drop(row)
            model.pop(row, None)
        else:
            rows.put(row, after(value))
            model[row] = after(value)
        assert rows.first() == min(model.values(), default=None)
        assert rows.due == model


@given(steps=STEPS, limit=st.integers(1, 3))
def test_the_heap_gives_what_is_due_longest_first_and_forgets_nothing(
    steps: list[tuple[int, int | None]], limit: int
) -> None:
    """Guesses may be too early, never too late."""
    model: dict[int, datetime] = {}
    heap: DueHeap[int] = DueHeap(model.get)
    for number, (key, value) in enumerate(steps):
        if value is None:
            model.pop(key, None)
        else:
            model[key] = after(value)
            heap.touch(key, after(value - number % 3))
        first = heap.first()
        assert (first and first[0]) == min(model.values(), default=None)
        now = NOW + timedelta(seconds=number % 20)
        due = sorted((at, key) for key, at in model.items() if at <= now)
        taken = heap.take(now, limit)
        assert [model[key] for key in taken] == [at for at, _ in due[:limit]]
        for free in taken:
            heap.touch(free, model[free])

"""The collector does not hold the event loop of a big bot."""

import gc

import pytest

from bot.heap import LONG, watch_collections


@pytest.mark.parametrize(("took", "frozen"), [(LONG * 2, True), (LONG / 2, False)])
def test_what_survived_a_long_collection_is_not_looked_at_again(took: float, frozen: bool) -> None:
    """I7: a collection that took long sets its survivors aside; a quick one leaves everything as it is."""
    moments = iter((0.0, took))
    end = watch_collections(lambda: next(moments))
    try:
        before = gc.get_freeze_count()
        gc.collect()
        assert (gc.get_freeze_count() > before) is frozen
    finally:
        end()
    assert gc.get_freeze_count() == 0
    gc.collect()  # nobody watches any more


def test_younger_generations_are_left_alone() -> None:
    """They are quick, and asking for the time costs more than they do."""

    def never() -> float:
        raise AssertionError

    end = watch_collections(never)
    gc.collect(0)
    gc.collect(1)
    end()

"""The short version of tests/soak/fuzz_queries.py."""

from __future__ import annotations

from tests.soak.fuzz_queries import run


def test_generated_strings_break_nothing() -> None:
    """Neither a crash, nor a slow parse, nor a text that is understood in two ways."""
    outcomes, _ = run(3000, seed=2)

    assert outcomes["understood"] > 200
    assert outcomes["refused"] > 200

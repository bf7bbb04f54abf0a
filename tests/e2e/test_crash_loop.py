"""The crash loop in short: tests/soak/crash_loop.py runs it with hundreds of kills."""

from pathlib import Path
from random import Random

import pytest

from tests.e2e.crash import crash_loop, kills
from tests.store.stores import Place


@pytest.mark.slow
async def test_killed_at_every_point_nothing_is_lost(place: Place, tmp_path: Path) -> None:
    """Row 45: at each step between "fetched" and "settled", on both stores: I1 to I8."""
    rng = Random(20261125)
    verdict = await crash_loop(tmp_path, place.url, kills(1, 0, rng), rng, chats=6)
    assert verdict.problems == []
    assert verdict.expected > 0

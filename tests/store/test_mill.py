"""The mill in short: tests/soak/mill_journal.py runs it for as long as one likes."""

import random
from pathlib import Path

import pytest

from tests.soak.mill_journal import JOURNAL, STOCK, STORE, Subject, cut, fill, kill


@pytest.mark.slow
@pytest.mark.parametrize("subject", [JOURNAL, STORE], ids=["journal", "store"])
def test_killed_at_aimed_and_random_instants_nothing_acknowledged_is_lost(tmp_path: Path, subject: Subject) -> None:
    """Kill -9 in the middle of writing, syncing, linking and renaming (faults row 45)."""
    tally = kill(subject, tmp_path, 30, random.Random(7))

    assert (tally.damaged, tally.lost) == (0, 0)
    assert tally.killed == tally.rounds


@pytest.mark.parametrize("subject", [JOURNAL, STORE], ids=["journal", "store"])
def test_a_full_disk_loses_and_damages_nothing(tmp_path: Path, subject: Subject) -> None:
    """A limit on the size of files, at many sizes (faults row 48)."""
    tally = fill(subject, tmp_path, 25, 37)

    assert (tally.damaged, tally.lost) == (0, 0)
    assert tally.acknowledged


def test_cut_short_it_keeps_what_came_before(tmp_path: Path) -> None:
    """Truncated and filled with NULs (faults row 49)."""
    tally = cut(JOURNAL, tmp_path, 40)

    assert (tally.damaged, tally.lost) == (0, 0)


def test_the_mill_does_break_stores(tmp_path: Path) -> None:
    """TinyDB's own storage comes out damaged, so the mill is no formality."""
    assert fill(STOCK, tmp_path, 5, 37).damaged
    assert cut(STOCK, tmp_path, 10).damaged

"""Every match is in exactly one place of the account."""

import itertools
from dataclasses import fields
from datetime import UTC, datetime

from bot.alerts.account import Account, account, monday
from bot.model import DeliveryKind, DeliveryState, Tally

PARTS = ("rung", "grown", "developed", "folded", "held", "muted", "failed")


def test_every_row_is_in_exactly_one_place() -> None:
    """Whatever a row says of itself, it is counted once: in one part of what matched, or beside it."""
    for tally in itertools.starmap(Tally, itertools.product(DeliveryKind, DeliveryState, (True, False), (True, False))):
        sums = account({tally: 3})
        whole = {name: getattr(sums, name) for name in (*PARTS, "joined", "corrected") if getattr(sums, name)}
        assert list(whole.values()) == [3], tally
        assert sums.matched == sum(getattr(sums, name) for name in PARTS)
        assert (sums.matched == 3) is (tally.matched and tally.kind is not DeliveryKind.CORRECT), tally


def test_the_parts_of_an_account() -> None:
    """Each word means what the glossary says."""
    ring, grow, develop, correct = DeliveryKind
    due, waiting, sent, folded, muted, dead = DeliveryState
    rows = [
        (ring, sent, False, True), (grow, sent, False, True), (develop, sent, False, True), (grow, folded, True, True),
        (ring, due, True, True), (ring, due, False, True), (ring, waiting, False, True), (grow, muted, False, True),
        (ring, dead, False, True), (grow, sent, False, False), (correct, sent, False, False),
    ]  # fmt: skip
    sums = account({Tally(*row): 10**n for n, row in enumerate(rows)})
    assert sums == Account(
        rung=1, grown=10, developed=100, folded=1000, held=1110000, muted=10**7, failed=10**8, on_the_way=10**5,
        waiting=10**6, joined=10**9, corrected=10**10,
    )  # fmt: skip
    assert sums.sent == 111
    assert {field.name for field in fields(Account)} >= set(PARTS)


def test_the_week_begins_on_monday() -> None:
    """One period for everybody who counts."""
    assert monday(datetime(2026, 3, 1, 23, 59, tzinfo=UTC)) == datetime(2026, 2, 23, tzinfo=UTC)
    assert monday(datetime(2026, 3, 2, 0, 0, 1, tzinfo=UTC)) == datetime(2026, 3, 2, tzinfo=UTC)

"""The short version of tests/soak/fuzz_sources.py."""

import pytest

from tests.soak.fuzz_sources import CHECKS, one


@pytest.mark.parametrize("target", CHECKS)
def test_mutated_documents_break_nothing(target: str) -> None:
    """No exception, no text that chats can't take, no link that leads elsewhere than to the web, nothing past a limit."""
    outcomes = {one(target, 2, number) for number in range(60)}
    assert len(outcomes) > 1

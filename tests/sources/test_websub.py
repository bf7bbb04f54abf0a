from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.model import FeedId, HubLease, HubState
from bot.sources.websub import Standing, in_words, standing

NOW = datetime(2026, 11, 25, 6, tzinfo=UTC)
HOUR = timedelta(hours=1)
ACTIVE = HubLease(
    "key", FeedId("https://a.example/"), "https://hub.example/?token=hush", "t", "secret", NOW + HOUR,
    HubState.ACTIVE, NOW + 5 * HOUR, last_push=NOW - HOUR,
)  # fmt: skip


@pytest.mark.parametrize(
    ("lease", "worth", "words"),
    [
        (ACTIVE, Standing.POSTS, "lease until 2026-11-25 11:00 UTC; last post 2026-11-25 05:00 UTC"),
        (replace(ACTIVE, last_push=NOW - 3 * HOUR), Standing.SILENT, "last post 2026-11-25 03:00 UTC: polled as before"),
        (replace(ACTIVE, last_push=None), Standing.SILENT, "or since it missed news: polled as before"),
        (replace(ACTIVE, until=NOW), Standing.ASKED, "not confirmed: polled as before"),
        (replace(ACTIVE, state=HubState.ASKED, until=None, reason="502 Bad Gateway"), Standing.ASKED, "not confirmed: 502"),
        (replace(ACTIVE, state=HubState.DENIED, reason="no"), Standing.REFUSED, "refused: no: polled as before, asked again"),
    ],
)  # fmt: skip
def test_an_operator_sees_what_a_hub_is_worth(lease: HubLease, worth: Standing, words: str) -> None:
    """Who relies on a hub must see when it fell silent; its secrets are not shown."""
    assert standing(lease, NOW, 2 * 3600.0) is worth
    told = in_words(lease, NOW, 2 * 3600.0)
    assert words in told
    assert told.startswith("https://hub.example/?token=***: ")

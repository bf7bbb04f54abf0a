"""Messages as neutral spans."""

from random import Random

import pytest

from bot.alerts import render
from bot.model import Message
from bot.stories.summary import Excerpt
from tests.store.samples import entry


def views(count: int, rng: Random) -> list[render.View]:
    """Alerts of many lengths, some with letters outside the basic plane, for a few keywords."""
    words = ("Lighthouse", "quay", "😀", "Аэропорт закрыт", "observatory " * 9)
    return [
        render.View(
            entry(f"e{n}", title=" ".join(rng.choices(words, k=rng.randint(1, 6)))),
            Excerpt("", ()),
            ("North",) * rng.randint(0, 12),
            (rng.choice(("Idlib", "S-300", "quake")),),
            news=rng.choice(("", "toll 3 → 11")),
        )
        for n in range(count)
    ]


@pytest.mark.parametrize("count", [1, 2, 3, 40, 200])
@pytest.mark.parametrize("limit", [40, 300, 4096])
def test_a_digest_shows_as_many_as_fit(count: int, limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """One more would not fit; and hundreds owed are not tried one by one, which held the event loop for a third of a second."""
    given = views(count, Random(count))
    made = 0
    compose = render._digest

    def counted(heading: str, some: list[render.View]) -> Message:
        nonlocal made
        made += 1
        return compose(heading, some)

    monkeypatch.setattr(render, "_digest", counted)
    message, shown = render.digest("While I was away", given, limit)
    assert made <= 10
    assert message == compose("While I was away", given[:shown])
    assert shown == 1 or render.utf16(message.text) <= limit
    assert shown == count or render.utf16(compose("While I was away", given[: shown + 1]).text) > limit

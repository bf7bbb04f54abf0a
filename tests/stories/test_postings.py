"""Which stories have a term: counted one by one, whatever order they open, grow, merge and close in."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from bot.stories.postings import Postings, steady

TERMS = ("corvo", "ferry", "dock", "7")


@given(
    st.lists(st.tuples(st.integers(0, 60), st.sets(st.sampled_from(TERMS), min_size=1), st.booleans()), max_size=120)
)
def test_counts_are_those_of_the_open_stories(steps: list[tuple[int, set[str], bool]]) -> None:
    """Arrays keep numbers of closed stories for a while; what is counted must not show it."""
    postings = Postings({})
    known: dict[int, Counter[str]] = {}
    for story, terms, close in steps:
        if close and story in known:
            counts = known.pop(story)
            postings.leave(counts, known.__contains__)
        elif not close:
            counts = known.setdefault(story, Counter())
            postings.again([term for term in terms if term in counts])
            postings.add([term for term in terms if term not in counts], story)
            counts.update(terms)

    for term in TERMS:
        have = [story for story, counts in known.items() if term in counts]
        assert postings.mentions(term) == len(have)
        assert postings.spread(term) == sum(counts[term] for counts in known.values())
        assert set(have) <= set(postings.stories.get(term, ()))
    assert set(postings.stories) == {term for counts in known.values() for term in counts}


def test_an_array_is_cleared_of_closed_stories() -> None:
    """Or a bot that runs for a year would remember every story it ever had."""
    postings = Postings({})
    for story in range(1000):
        postings.add(["corvo"], story)
        if story >= 10:
            postings.leave({"corvo": 1}, lambda number, now=story: number > now - 10)  # type: ignore[misc]

    assert postings.mentions("corvo") == 10
    assert len(postings.stories["corvo"]) < 60


def test_a_weight_is_as_if_worked_out_anew() -> None:
    """Weights are kept while they hold; a kept one that no longer holds would change decisions after a restart."""
    grown, anew = Postings({}), Postings({})
    for story in range(200):
        grown.add(["corvo"], story)
        assert grown.weights["corvo"] == grown.weights.__missing__("corvo")
    anew.add(["corvo"] * 200, 0)

    assert grown.weights["corvo"] == anew.weights["corvo"]
    assert [n for n in range(33) if steady(n) != n] == []

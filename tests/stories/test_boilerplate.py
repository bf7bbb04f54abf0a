import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.stories import boilerplate
from bot.stories.boilerplate import blanked


@pytest.mark.parametrize("pattern", [*boilerplate._LINKS, *boilerplate._PHRASES])
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_no_phrase_goes_unseen_for_want_of_a_hint(pattern: str, data: st.DataObject) -> None:
    text = data.draw(st.from_regex(re.compile(pattern, re.IGNORECASE)))

    if boilerplate._PHRASE.search(text):
        assert blanked(text) != text


@pytest.mark.parametrize(
    "text",
    [
        "Rain fell all day. READ THE FULL STORY",
        "Yağmur yağdı. HABERİN DEVAMI",
        "Yağmur yağdı. Devamini oku",
        "Rain fell all day. Share | Tweet | Print",
        "Rain fell all day. ſign up",
    ],
)
def test_hints_know_letters_that_are_equal_without_case(text: str) -> None:
    assert "\x00" in blanked(text)


def test_hints_are_folded() -> None:
    assert [hint for hint in boilerplate._HINTS if boilerplate._folded(hint) != hint] == []

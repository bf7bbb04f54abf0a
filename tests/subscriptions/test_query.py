"""The query language: what is understood, what is refused and where, and that text and meaning are one."""

from __future__ import annotations

import contextlib
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.errors import QueryError
from bot.subscriptions.nodes import (
    Expr,
    Facet,
    InTitle,
    Phrase,
    Prefix,
    Query,
    Term,
    conjunction,
    disjunction,
    negation,
    positive,
)
from bot.subscriptions.query import caret, explain, notices, parse_query, print_query, split_subscriptions

WORDS = [
    "Idlib",
    "S-300",
    "C++",
    "AT&T",
    "50%",
    ".NET",
    "U.S.",
    "US",
    "or",
    "Al-Qaeda",
    "ракета",
    "北京",
    "צה״ל",
    "O'Brien",
    "x",
]

leaf: st.SearchStrategy[Expr] = st.one_of(
    st.sampled_from(WORDS).map(Term),
    st.sampled_from(["air defence", "AND", "a (b", "x", "-y", "min:2"]).map(Phrase),
    st.builds(Phrase, st.just("rebels government"), st.integers(0, 50)),
    st.sampled_from(["missil", "al-qae"]).map(Prefix),
    st.builds(
        Facet,
        st.sampled_from(["source", "tag"]),
        st.sampled_from(["bbc.co.uk", "Al Jazeera", "OR", "a-b", "-x", "x:y"]),
    ),
    st.builds(Facet, st.just("lang"), st.sampled_from(["en", "zh-hans"])),
)
in_title = st.recursive(
    st.sampled_from(WORDS).map(Term),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(conjunction),
        st.lists(inner, min_size=1, max_size=3).map(disjunction),
        inner.map(negation),
    ),
    max_leaves=4,
).map(InTitle)
trees = st.recursive(
    leaf | in_title,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=4).map(conjunction),
        st.lists(inner, min_size=1, max_size=4).map(disjunction),
        inner.map(negation),
    ),
    max_leaves=12,
)
queries = st.builds(Query, trees.filter(positive), st.integers(1, 20))


@given(queries)
def test_printing_and_parsing_are_inverse(query: Query) -> None:
    """Subscriptions are stored as printed: what was understood must be what is understood after a restart."""
    assert parse_query(print_query(query)) == query
    assert explain(query)


PIECES = st.sampled_from(
    [*WORDS, " ", " ", " ", "(", ")", '"', "“", "OR", "AND", "NOT", "-", "|", ",", "title:", "source:", "lang:", "min:2", "~4", "*",
     "missil*", "foo:", "🚀", "\u200b", "\n", "\x00", "\ud800", "\u200f", "「", "）", "–", "'", "#", "+", ":", "."]
)  # fmt: skip
TYPED = st.lists(PIECES, max_size=30).map("".join) | st.text(st.characters(exclude_categories=[]), max_size=60)


@settings(max_examples=500)
@given(TYPED)
@example("title:(a -b) | (x y) min:3")
def test_any_text_is_understood_or_refused_with_its_place(typed: str) -> None:
    """Nothing that a person can type may crash the bot, and a suggestion must do what it says."""
    try:
        query = parse_query(typed)
    except QueryError as caught:
        error = caught
    else:
        printed = print_query(query)
        assert parse_query(printed) == query
        assert print_query(parse_query(printed)) == printed
        notices(typed, query)
        return
    assert 0 <= error.position <= len(typed)
    assert "\n" not in error.message
    assert caret(error).endswith("^")
    if error.suggestion:
        parse_query(error.suggestion)


@pytest.mark.parametrize(
    ("typed", "understood"),
    [
        ("Idlib", "Idlib"),
        ("air defence", "air AND defence"),
        ("air AND defence", "air AND defence"),
        ("air (defence OR defense) -football", "air AND (defence OR defense), not in: football"),
        ("air (defence | defense) NOT football", "air AND (defence OR defense), not in: football"),
        ("a OR b c", "a OR (b AND c)"),
        ("NOT a b", "b, not in: a"),
        ("“air defence” –football", '"air defence", not in: football'),
        ('"rebels government"~4', '"rebels government" in any order with at most 4 other words between'),
        ("missil*", "words beginning with missil"),
        ("title:(Turkey OR Russia) Idlib", "(Turkey OR Russia) in the title AND Idlib"),
        ('source:"Al Jazeera" lang:EN tag:war', "source Al Jazeera AND language en AND tag war"),
        ("Idlib min:2", "Idlib, from at least 2 independent outlets"),
        ("min:2 Idlib", "Idlib, from at least 2 independent outlets"),
        ("#Idlib", "Idlib"),
        ("Idlib!", "Idlib"),
        ("U.S.", "U.S."),
        ("rock & roll", "rock AND roll"),
        ("--a", "a"),
        ("NOT (a OR NOT b)", "not (a OR not b)"),
        ("(北京 OR 上海)", "北京 OR 上海"),
        ("source:(bbc.co.uk OR cnn.com)", "source bbc.co.uk OR source cnn.com"),
        ("title: Idlib", "Idlib in the title"),
        ("a a A", "a AND A"),
    ],
)
def test_how_it_is_understood(typed: str, understood: str) -> None:
    """The answer to /subscribe says this to the person."""
    assert explain(parse_query(typed)) == understood


@pytest.mark.parametrize(
    ("typed", "position", "part", "suggestion"),
    [
        ("", 0, "nothing to search for", ""),
        ("   ", 0, "nothing to search for", ""),
        ("-football", 0, "only what not to find", "football"),
        ("a OR -b", 5, "only what not to find", "a OR b"),
        ('say "air', 4, "quote is not closed", 'say "air"'),
        ("(a b", 0, "not closed", "(a b)"),
        ("a b)", 3, "never opened", "a b"),
        ("a OR", 2, "after OR", "a"),
        ("OR a", 0, "before OR", "a"),
        ("a ()", 2, "nothing between", "a"),
        ("mi*", 0, "at least 3 letters", "mi"),
        ("*sile", 0, "end of a word", "sile*"),
        ("foo:bar", 0, "no field foo:", '"foo:bar"'),
        ("https://x.org", 0, "no field https:", '"https://x.org"'),
        ("Idlib min:0", 6, "from 1 to", "Idlib min:2"),
        ("Idlib min:x", 6, "from 1 to", "Idlib min:2"),
        ("(Idlib min:2)", 7, "outside parentheses", ""),
        ("min:2", 0, "nothing to search for", ""),
        ("title:", 0, "after title:", ""),
        ("title:(source:x)", 0, "can't stand in title:", ""),
        ("lang:english", 0, "such as en", ""),
        ("a, b", 1, "separates subscriptions", "a OR b"),
        ("a 🚀", 2, "no letters or digits", "a"),
        ('""', 0, "between these quotes", ""),
        ("Idlib~2", 5, "after a quoted phrase", "Idlib"),
        ('"a b"~', 5, "from 0 to 50", '"a b"~4'),
        ("NOT football", 0, "only what not to find", "football"),
        ('"a b"~many', 5, "from 0 to 50", '"a b"~4'),
        ('"a b" ~4', 6, "after a quoted phrase", '"a b"~4'),
        ("Turkey,Russia", 6, "a comma separates", "Turkey OR Russia"),
        ("Turkey OR OR Russia", 7, "belongs after OR", "Turkey OR Russia"),
        ("site:bbc.co.uk war", 0, "no field site:", "source:bbc.co.uk war"),
        ("titel:war", 0, "no field titel:", "title:war"),
    ],
)
def test_what_can_not_be_meant_is_refused(typed: str, position: int, part: str, suggestion: str) -> None:
    """One line, the place, and where there is one a text that would do."""
    with pytest.raises(QueryError) as caught:
        parse_query(typed)

    assert part in caught.value.message
    assert (caught.value.position, caught.value.suggestion) == (position, suggestion)


def test_the_caret_stands_under_the_place() -> None:
    """Wide characters take two columns; long queries are cut around the place."""
    with pytest.raises(QueryError) as short:
        parse_query("北京 OR")
    with pytest.raises(QueryError) as long:
        parse_query("word " * 40 + ") " + "word " * 5)

    assert caret(short.value) == "北京 OR\n     ^"
    shown, mark = caret(long.value).split("\n")
    assert shown[len(mark) - 1] == ")"
    assert len(shown) <= 62


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("Idlib, S-300", ["Idlib", "S-300"]),
        ('"air, defence", (a, b)', ['"air, defence"', "(a, b)"]),
        ("Idlib,, ,S-300,", ["Idlib", "S-300"]),
        ("Идлиб，С-300、إدلب، x", ["Идлиб", "С-300", "إدلب", "x"]),
        ("“a, b”, c", ["“a, b”", "c"]),
    ],
)
def test_commas_separate_subscriptions(typed: str, expected: list[str]) -> None:
    """`/subscribe Idlib, S-300` makes two; a comma inside quotes or parentheses makes none."""
    assert split_subscriptions(typed) == expected


def test_small_operators_are_asked_about() -> None:
    """`Turkey or Russia` is understood as three words, and the person is asked."""
    query = parse_query("Turkey or Russia")

    assert explain(query) == "Turkey AND or AND Russia"
    assert notices("Turkey or Russia", query) == ["“or” is searched for as a word. Did you mean OR?"]
    assert notices("Turkey OR Russia", parse_query("Turkey OR Russia")) == []


@pytest.mark.parametrize(
    "huge",
    [
        "(" * 100_000,
        "a OR " * 100_000,
        '"' * 10_000_000,
        "NOT " * 100_000,
        "-" * 100_000 + "a",
        "title:(" * 50_000,
        "a," * 100_000,
        "a" * 501,
    ],
    ids=["parentheses", "or", "quotes", "not", "minus", "title", "commas", "length"],
)
def test_beyond_the_limits_is_refused_at_once(huge: str) -> None:
    """No size of input makes the parser slow or deep."""
    started = time.thread_time()
    with contextlib.suppress(QueryError):
        split_subscriptions(huge)
    with pytest.raises(QueryError) as caught:
        parse_query(huge)
    assert len(caught.value.text) <= 500
    assert time.thread_time() - started < 0.05


@pytest.mark.parametrize(
    "text",
    [
        "(" * 20 + "a" + ")" * 20,
        " ".join(["x"] * 50),
        "-" * 498 + "a",
        "NOT " * 124 + "a b",
        "((a|b) " * 19 + ")" * 19,
        "|".join("ab" * 25),
    ],
)
def test_at_the_limits_it_is_quick_and_printable(text: str) -> None:
    """The deepest and longest accepted queries parse in milliseconds, and so does what they print as."""
    parse_query("warm up")
    started = time.thread_time()
    query = parse_query(text)

    assert time.thread_time() - started < 0.05  # a loaded machine; the soak run measures 5 ms
    assert parse_query(print_query(query)) == query


@pytest.mark.parametrize(
    ("text", "part"), [("(" * 21 + "a" + ")" * 21, "20"), (" ".join(map(str, range(51))), "50"), ("a" * 501, "500")]
)
def test_limits_are_named(text: str, part: str) -> None:
    """A person who meets a limit is told which."""
    with pytest.raises(QueryError, match=part):
        parse_query(text)

"""The index, one query on one document, and the places of hits: they speak with one voice."""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.model import ChatId, Entry, Field, Subscription, SubscriptionChange, SubscriptionId
from bot.subscriptions.conditions import MAX_ALTERNATIVES, alternatives, condition, holds, leaves
from bot.subscriptions.match import SubscriptionIndex, document, hits, matches
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
from bot.subscriptions.query import parse_query

from .entries import SEEN, entry

VOCABULARY = [
    "a", "us", "US", "who", "strike", "strikes", "striking", "air", "defence", "S-300", "С-300", "S", "300", "A-10", "C++", "AT&T", "50%",
    ".NET", "Al-Qaeda", "Idlib's", "İdlib'de", "U.S.", "missile", "missiles", "policies", "police", "北京", "東京都", "서울에서", "ไทย",
    "ракета", "ракетами", "بإدلب", "إدلب", "city", "cities",
]  # fmt: skip
SEPARATORS = [" ", " ", " ", " ", ", ", ". ", "! ", "-", "\n", "\n\n", " (", ") ", "。"]


@st.composite
def texts(draw: st.DrawFn) -> str:
    """Words of the vocabulary, so that queries have something to find."""
    found = draw(st.lists(st.tuples(st.sampled_from(VOCABULARY), st.sampled_from(SEPARATORS)), max_size=12))
    return "".join(word + gap for word, gap in found)


entries = st.builds(
    lambda title, language, summary, captions, tags: entry(
        title, language, summary=summary, captions=captions, tags=tags
    ),
    texts(),
    st.sampled_from(["en", "ru", "ar", "tr", "zh", ""]),
    texts(),
    st.lists(texts(), max_size=2).map(tuple),
    st.sampled_from([(), ("war",), ("sport", "War news")]),
)
runs = st.lists(st.sampled_from(VOCABULARY), min_size=1, max_size=3).map(" ".join)
leaf = st.one_of(
    st.sampled_from(VOCABULARY).map(Term),
    runs.map(Phrase),
    st.builds(Phrase, runs, st.integers(0, 4)),
    st.sampled_from(["str", "miss", "S-300", "идл", "al-qae", "poli", "北京"]).map(Prefix),
    st.sampled_from(
        [
            Facet("source", "bbc.co.uk"),
            Facet("source", "BBC"),
            Facet("lang", "en"),
            Facet("tag", "war"),
            Facet("source", "x"),
        ]
    ),
)
words_only = st.one_of(st.sampled_from(VOCABULARY).map(Term), runs.map(Phrase), st.just(Prefix("miss"))).map(InTitle)
trees = st.recursive(
    leaf | words_only,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=4).map(conjunction),
        st.lists(inner, min_size=1, max_size=4).map(disjunction),
        inner.map(negation),
    ),
    max_leaves=8,
).filter(positive)


def empty(index: SubscriptionIndex) -> bool:
    """Whether nothing is left in any of its tables."""
    terms = index._terms
    inflected = any(terms._inflected.values())
    return not (
        index._queries
        or len(index)
        or terms.places
        or terms._tested
        or terms._triggers
        or terms._beginnings
        or inflected
        or terms._facets
    )


@settings(max_examples=250, deadline=None)
@given(
    st.lists(trees.map(Query), min_size=1, max_size=6),
    st.lists(entries, min_size=1, max_size=3),
    st.randoms(use_true_random=False),
)
def test_the_index_matches_and_hits_agree(queries: list[Query], found: list[Entry], chance: random.Random) -> None:
    """An alert rings by the index, is explained by `hits`, and tried out by `matches`: one truth for the three."""
    index = SubscriptionIndex()
    keys = {chance.randrange(1000): query for query in queries for _ in range(chance.randrange(1, 3))}
    for key, query in keys.items():
        index.add(key, query)
    for each in found:
        doc = document(each)
        expected = sorted(key for key, query in keys.items() if matches(query, doc))

        assert sorted(index.match(doc)) == expected

        for query in queries:
            shown = hits(query, doc)
            assert (shown is not None) == matches(query, doc)
            parts = dict(each.texts())
            assert all(0 <= hit.start < hit.end <= len(parts[hit.field]) for hit in shown or ())
    order = list(keys)
    chance.shuffle(order)
    for i, key in enumerate(order):
        assert index.remove(key)
        doc = document(found[0])
        assert sorted(index.match(doc)) == sorted(k for k in order[i + 1 :] if matches(keys[k], doc))
    assert empty(index)


@settings(max_examples=200, deadline=None)
@given(trees, entries)
def test_alternatives_mean_the_same(expr: Expr, each: Entry) -> None:
    """The index lays conditions out as alternatives; that must not change what they mean."""
    doc = document(each)
    tree = condition(expr)
    laid = alternatives(tree)
    if laid is None:
        return

    fired = {leaf.key: leaf.holds(doc) for leaf in leaves(tree)}
    expected = holds(tree, lambda leaf: leaf.holds(doc))
    assert any(all(fired[k] for k in a.wanted) and not any(fired[k] for k in a.unwanted) for a in laid) is expected


def test_branched_queries_are_matched_too() -> None:
    """A query with more alternatives than are laid out is checked as it stands."""
    groups = " ".join(f"(x{i} OR y{i})" for i in range(6))
    query = parse_query(f"{groups} -zz")
    assert alternatives(condition(query.expr)) is None
    assert MAX_ALTERNATIVES < 2**6
    index = SubscriptionIndex()
    index.add(1, query)
    index.add(2, query)

    assert sorted(index.match(document(entry("x0 y1 x2 y3 x4 y5")))) == [1, 2]
    assert list(index.match(document(entry("x0 y1 x2 y3 x4")))) == []
    assert list(index.match(document(entry("x0 y1 x2 y3 x4 y5 zz")))) == []
    index.remove(1)
    index.remove(2)
    assert empty(index)


def test_identical_queries_are_one() -> None:
    """A thousand people who ask for one thing cost one entry of the index."""
    index = SubscriptionIndex()
    for key, typed in enumerate(["a1 (b2 OR c3)", "(c3 | b2) a1", "a1 b2 OR a1 c3", "A1 AND (B2 OR C3)"]):
        index.add(key, parse_query(typed))

    assert len(index._queries) == 1
    assert sorted(index.match(document(entry("a1 c3 b2")))) == [0, 1, 2, 3]


def test_keys_come_once_and_are_replaced() -> None:
    """A subscription whose query was changed rings for the new one alone."""
    index = SubscriptionIndex()
    index.add(5, parse_query("Idlib OR Aleppo OR Homs"))
    assert list(index.match(document(entry("Idlib, Aleppo and Homs, Idlib again")))) == [5]

    index.add(5, parse_query("Hama"))
    assert list(index.match(document(entry("Idlib")))) == []
    assert list(index.match(document(entry("Hama")))) == [5]
    assert (len(index), 5 in index, index.remove(5), index.remove(5)) == (1, True, True, False)


def test_following_the_table_of_subscriptions() -> None:
    """Several processes each hold an index and catch up by number."""

    def subscribed(number: int, query: str) -> SubscriptionChange:
        chat = ChatId("console", "1")
        return SubscriptionChange(
            number, SubscriptionId(number), Subscription(SubscriptionId(number), chat, query, SEEN)
        )

    index = SubscriptionIndex()
    assert (
        index.follow([subscribed(3, "Idlib"), subscribed(4, "Homs"), SubscriptionChange(5, SubscriptionId(3), None)])
        == 5
    )
    assert index.follow([]) == 0
    assert sorted(index.match(document(entry("Idlib Homs")))) == [4]


def test_queries_learn_of_a_language_when_it_comes() -> None:
    """Inflections are known for queries added before and after the first entry of a language."""
    index = SubscriptionIndex()
    index.add(1, parse_query("ракеты"))
    doc = document(entry("Пуск ракетами", "ru"))
    assert list(index.match(doc)) == [1]
    index.add(2, parse_query("ракета"))
    assert sorted(index.match(doc)) == [1, 2]
    index.remove(1)
    assert list(index.match(doc)) == [2]


def test_hits_stand_where_they_say() -> None:
    """The alert shows them in bold: in each field, in the original text."""
    each = entry(
        "U.S. strikes hit Idlib’s S‑300s", "en", summary="Near İdlib'de, the air-defence.", captions=("Idlib", "a map")
    )
    query = parse_query('US strike Idlib S-300 "air defence" -football')
    shown = hits(query, document(each))

    assert shown is not None
    parts = dict(each.texts())
    assert [(hit.term, hit.field, parts[hit.field][hit.start : hit.end]) for hit in shown] == [
        ("US", Field.TITLE, "U.S."),
        ("strike", Field.TITLE, "strikes"),
        ("Idlib", Field.TITLE, "Idlib"),
        ("S-300", Field.TITLE, "S‑300"),
        ("Idlib", Field.SUMMARY, "İdlib"),
        ('"air defence"', Field.SUMMARY, "air-defence"),
        ("Idlib", Field.CAPTION, "Idlib"),
    ]
    assert hits(parse_query("Idlib -strike"), document(each)) is None


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("source:bbc.co.uk", True), ("source:www.bbc.co.uk", True), ("source:bbci.co.uk", True), ("source:bbc", True), ('source:"BBC News"', True),
        ("source:news", True), ("source:cnn.com", False), ("source:bc.co.uk", False), ("source:co", True), ("lang:en", True), ("lang:en-GB", True),
        ("lang:fr", False), ("tag:war", True), ("tag:WAR", True), ("tag:wa", False), ("Idlib source:bbc.co.uk", True), ("Idlib -source:bbc.co.uk", False),
        ("title:Idlib", True), ("title:rebels", False), ("title:(Idlib OR rebels)", True), ("title:(Idlib rebels)", False),
    ],
)  # fmt: skip
def test_fields(typed: str, found: bool) -> None:
    """Where a word stands, and where the entry comes from."""
    doc = document(entry("Idlib burns", summary="rebels leave", tags=("war",)))
    index = SubscriptionIndex()
    index.add(1, parse_query(typed))

    assert matches(parse_query(typed), doc) is found
    assert list(index.match(doc)) == [1] * found


def test_phrases_stay_within_sentences_captions_and_fields() -> None:
    """Neighbours across a boundary were never said together."""
    doc = document(
        entry(
            "They came by air",
            summary="Defence ministers met in Iraq by air. Defence.",
            captions=("sea", "air", "defence"),
        )
    )

    assert not matches(parse_query('"air defence"'), doc)
    assert matches(parse_query("air defence"), doc)
    for name in ("St. Petersburg", "Gen. Smith", "Prof. Jones", "U.S. Army"):
        assert matches(parse_query(f'"{name}"'), document(entry(f"Seen in {name} today")))


def test_thousands_of_like_queries_stay_quick() -> None:
    """One hot word with thousands of different queries below it must not slow every story that has it."""
    index = SubscriptionIndex()
    for key in range(3_000):
        index.add(key, parse_query(f"china AND word{key}x -not{key}x"))
    doc = document(entry("China says word77x and more"))
    index.match(doc)
    started = time.thread_time()

    assert list(index.match(doc)) == [77]
    assert time.thread_time() - started < 0.01


@pytest.mark.parametrize(
    ("title", "typed"),
    [
        ("Missiles hit port", "missile"),
        ("Ракетами по порту", "ракета"),
        ("بإدلب", "إدلب"),
        ("Les attaques continuent dans la ville", "attaque"),
    ],
)
def test_a_text_without_a_declared_language_is_inflected_too(title: str, typed: str) -> None:
    """Many feeds declare no language, and a headline can be too short to tell: its script says enough."""
    doc = document(entry(title, ""))

    assert matches(parse_query(typed), doc)
    assert not matches(parse_query(f"{typed} lang:xx"), doc)


def test_an_entry_in_another_alphabet_than_its_feed_declares() -> None:
    """One feed in many languages, declared as English: each entry is still inflected by its own."""
    assert matches(parse_query("إدلب"), document(entry("قصف الطيران الحربي بإدلب فجر اليوم", "en")))
    assert matches(parse_query("ракета"), document(entry("Пуск двух ракет сорвался утром", "en")))
    assert matches(parse_query("missile"), document(entry("Two missiles hit the old port", "ru")))


def test_a_language_in_words_is_no_code() -> None:
    """`<language>English</language>` says nothing that could be looked up: the text shows it."""
    doc = document(entry("Two missiles were fired at the harbour on Monday, officials said", "English"))

    assert matches(parse_query("missile lang:en"), doc)


def test_who_asked_for_alternatives_is_found_once_however_many_ask() -> None:
    """Queries of the same few words, asked by one or by hundreds: as each by itself says, while they come and go."""
    chance = random.Random(4)
    letters = "abcdef"

    def some(depth: int) -> Expr:
        if depth == 0 or chance.random() < 0.2:
            return Term(chance.choice(letters) * 3)
        parts = [some(depth - 1) for _ in range(chance.randrange(2, 4))]
        if chance.random() < 0.4:
            return disjunction(parts)
        return conjunction([*parts, negation(some(0))] if chance.random() < 0.5 else parts)

    index, asked = SubscriptionIndex(), dict[int, Query]()
    docs = [
        document(entry(" ".join(letter * 3 for i, letter in enumerate(letters) if 1 << i & chosen)))
        for chosen in range(64)
    ]
    for turn in range(60):
        query = Query(some(3))
        if positive(query.expr):
            for _ in range(chance.choice([1, 1, 2, 40])):
                key = chance.randrange(10_000)
                index.add(key, query)
                asked[key] = query
        for key in chance.sample(sorted(asked), len(asked) // 4):
            index.remove(key)
            del asked[key]
        for doc in chance.sample(docs, 8):
            held = {id(query): matches(query, doc) for query in asked.values()}
            assert sorted(index.match(doc)) == sorted(key for key, query in asked.items() if held[id(query)]), turn
    for key in asked:
        index.remove(key)
    assert empty(index)


@pytest.mark.parametrize("few", [1, 3, 60, 200])
def test_a_word_that_excludes_takes_out_just_those_who_excluded_it(few: int) -> None:
    """However many of those who asked for a word exclude another: the first, the last and all between."""
    index = SubscriptionIndex()
    chance = random.Random(few)
    excluding = set(chance.sample(range(200), few))
    for key in range(200):
        index.add(key, parse_query("shells -drill" if key in excluding else "shells -football"))
    either = chance.sample(range(200, 400), 3)
    for key in range(200, 400):
        index.add(key, parse_query("(shells OR drill) -exercise" if key in either else "(shells OR rain) -film"))

    found = index.match(document(entry("Shells fall during drill exercise")))

    assert sorted(found) == [key for key in range(400) if key not in excluding and key not in either]

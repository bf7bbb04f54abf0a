"""Folding and words: the fast ways give what the slow way gives, and people's equalities hold."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.text import (
    alphabets,
    cutting,
    detect_language,
    fold,
    folded_offsets,
    folding,
    likely_language,
    surfaces,
    tokens,
    words,
    written_in,
)

ASCII = st.text(st.sampled_from("aZsS.'-07 \n`\"U_%\x00"), max_size=40) | st.text(st.characters(max_codepoint=127))
ANY = st.text(st.characters(exclude_categories=[])) | st.text(
    st.sampled_from("aS.'’ 0б‘Сéй฿ฯ๓カﾞำ\u0306\u0301İıßﬁ北京ｶﾞ한\u1100\u1161ไท\u200bאב\"״ة\u064e½1️⃣𝐀क़\u0345ΐ"), max_size=30
)


@given(ASCII)
@example("0'S.a")
def test_the_ascii_fast_path_gives_what_the_reference_gives(typed: str) -> None:
    """A story in plain English must not be cut otherwise than one with a single curly quote in it."""
    reference = list(cutting._analyse(typed))

    assert words(typed) == [token.word for token in reference]
    assert tokens(typed) == reference


@given(ANY)
def test_every_path_gives_the_same_words(typed: str) -> None:
    """Clustering reads words, alerts read tokens: they must speak of the same."""
    assert words(typed) == [token.word for token in tokens(typed)]
    assert len(surfaces(typed)) == len(words(typed))


@pytest.mark.parametrize("alphabet", alphabets._ALPHABETS)
def test_each_two_neighbours_of_an_alphabet_are_cut_as_the_reference_cuts_them(alphabet: alphabets.Alphabet) -> None:
    """What an alphabet takes it must take exactly: marks that combine, letters of two scripts, signs that vanish."""
    for one in alphabet.chars:
        row = [f"q{one}{other}q{one}q1" for other in alphabet.chars]
        found = alphabet.words(" ".join(row), cased=False)
        if found is not None:
            assert found == [token.word for token in cutting._analyse(" ".join(row))]
            continue
        for pair in row:
            found = alphabet.words(pair, cased=False)
            assert found is None or found == [token.word for token in cutting._analyse(pair)]


@given(
    st.one_of(
        [st.text(st.sampled_from(alphabet.chars + "🚀✈\ufe0f…'.s 1"), max_size=30) for alphabet in alphabets._ALPHABETS]
    )
)
@example("a.ß.'s")
def test_a_text_in_one_alphabet_is_cut_as_the_reference_cuts_it(typed: str) -> None:
    """The quick way for the scripts of the news gives what the long way gives."""
    reference = list(cutting._analyse(typed))

    found = alphabets.in_one_alphabet(typed)
    assert found is None or found == [token.word for token in reference]
    found = alphabets.in_one_alphabet(typed, cased=True)
    if any(map(unicodedata.combining, typed)):  # a mark on a digit: the reference shows the digit with it
        return
    assert found is None or found == [typed[token.start : token.end].replace(".", "") for token in reference]


@given(ANY)
def test_tokens_stand_where_they_say(typed: str) -> None:
    """Bold text is cut from the original by these offsets: in order, never outside, never empty.

    One character can give two words (½), so that two may begin at one place.
    """
    start = 0
    for token in tokens(typed):
        assert start <= token.start < token.end <= len(typed)
        assert token.word
        start = token.start


@given(ANY)
def test_folding_is_done_once(typed: str) -> None:
    """Both sides fold: a text folded twice must not differ from one folded once.

    Invisible characters are left out: one may keep a mark from its letter, and the second folding joins the two.
    """
    typed = "".join(char for char in typed if fold(char))
    assert fold(fold(typed)) == fold(typed)


@given(ANY)
def test_composed_and_decomposed_text_are_one(typed: str) -> None:
    """Feeds from some systems decompose letters; people type them composed."""
    assert fold(unicodedata.normalize("NFC", typed)) == fold(unicodedata.normalize("NFD", typed))


@given(ANY)
def test_offsets_of_folded_text_rise(typed: str) -> None:
    """Terms with signs are found in the folded text and shown in the original."""
    folded, offsets = folded_offsets(typed)

    assert folded == fold(typed)
    assert len(offsets) == len(folded) + 1
    assert offsets == sorted(offsets)
    assert offsets[-1] == len(typed)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Erdoğan", "Erdogan"), ("café", "cafe"), ("Łódź", "Lodz"), ("Ørsted", "Orsted"), ("Đoković", "Dokovic"),
        ("İSTANBUL", "istanbul"), ("ISPARTA", "ısparta"), ("STRASSE", "straße"), ("ёлка", "елка"), ("ΑΘΉΝΑ", "αθηνα"),
        ("مُحَمَّد", "محمد"), ("إدلب", "ادلب"), ("مدينة", "مدينه"), ("موسى", "موسي"), ("کی", "كي"), ("عـــراق", "عراق"),
        ("٣٠٠", "300"), ("۳۰۰", "300"), ("३००", "300"), ("３００", "300"), ("ba\u200bnk", "bank"), ("ba\u00adnk", "bank"),
        ("S‑300", "S-300"), ("S–300", "S-300"), ("Idlib’s", "Idlib's"), ("ｶﾞｻﾞ", "ガザ"), ("Ａ", "a"), ("ﬁre", "fire"),
        ("pаypal", "paypal"), ("Idlіb", "Idlib"), ("ракeта", "ракета"), ("שָׁלוֹם", "שלום"), ("फ़ौज", "फौज"), ("한국", "한국"),
    ],
)  # fmt: skip
def test_equal_after_folding(one: str, other: str) -> None:
    """What the query language promises to hold equal."""
    assert fold(one) == fold(other)


@pytest.mark.parametrize(("one", "other"), [("война", "воина"), ("мой", "мои"), ("Idlib", "Midlib"), ("北", "京")])
def test_still_different_after_folding(one: str, other: str) -> None:
    """й is a letter of its own: wars are no warriors."""
    assert fold(one) != fold(other)


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("İdlib'de #Idlib Idlib’s", "idlib de idlib idlib"),
        ("U.S. U.S.'s U.S.A, e.g. this.", "us us usa eg this"),
        ("S-300PMU-2 T72 19th", "s 300 pmu 2 t 72 19 th"),
        ("the plan's 300 'S-300' refugees'", "the plan 300 s 300 refugees"),
        ("bbc.co.uk C++ AT&T 50%", "bbc co uk c at t 50"),
        ("北京2022年 カタカナ", "北 京 2022 年 カ タ カ ナ"),
        ("이들리브에서", "이 들 리 브 에 서"),
        ("ไทย", "ไ ท ย"),
        ('צה"ל צה״ל', "צהל צהל"),
        ("हिन्दी में", "हिन्दी में"),
        ("می‌شود", "ميشود"),
        ("", ""),
        ("🚀 — … !?", ""),
    ],
)
def test_words(typed: str, expected: str) -> None:
    """The words of QUERY's table, script by script."""
    assert words(typed) == expected.split()


def test_token_offsets_survive_folding() -> None:
    """What is shown in bold is what was written, capitals, marks and all."""
    typed = "Im İdlib’de: S‑300 ﬁre, ba\u200bnk"

    assert [typed[token.start : token.end] for token in tokens(typed)] == [
        "Im", "İdlib", "de", "S", "300", "ﬁre", "ba\u200bnk",
    ]  # fmt: skip


def test_long_texts_do_not_fill_the_memory() -> None:
    """A feed of noise must not grow the caches without bound."""
    for i in range(300):
        words(" ".join(f"é{i}x{j}" for j in range(200)))

    assert len(cutting._chunks) <= folding.LIMIT
    assert len(folding.folds) <= folding.LIMIT


@pytest.mark.parametrize(
    ("sample", "language"),
    [
        ("Rebels leave the town after a week of heavy fighting", "en"),
        ("Les rebelles quittent la ville après une semaine de combats", "fr"),
        ("Повстанцы покинули город после недели тяжелых боев", "ru"),
        ("叙利亚政府军进入伊德利卜", "zh"),
        ("シリア政府軍がイドリブに入った", "ja"),
        ("시리아 정부군이 이들리브에 진입했다", "ko"),
        ("กองทัพซีเรียเข้าสู่อิดลิบ", "th"),
        ("Trump", ""),
        ("", ""),
        ("123 456 !!", ""),
        ("zzzz zzzz 0000 zzzz xxxx xxxx xxxx zzzz xxxxx xxxx xxxxx zzzz", ""),  # the model says zxx: no language
    ],
)
def test_language_is_told_only_when_it_shows(sample: str, language: str) -> None:
    """A wrong language would inflect wrongly; none at all only misses inflections."""
    assert detect_language(sample) == language


def test_a_short_text_is_taken_for_the_likeliest_known_language() -> None:
    """Two words in a headline are too few to be sure, and enough for plurals to be found."""
    known = frozenset({"en", "fr", "it", "ru", "uk", "ar", "fa"})

    assert likely_language("Le stragi del sabato", known) == "it"
    assert likely_language("Strike hits the depot", known) == "en"
    assert likely_language("", known) == "en"
    assert likely_language("Суд", known) == "ru"
    assert likely_language("Указ Зеленського", known) == "uk"


def test_a_declared_language_must_be_of_the_script() -> None:
    """A feed declares one language for all its entries; an entry in another alphabet is inflected by its own."""
    assert written_in("Missiles fell on Idlib", "en")
    assert written_in("Путин said: Путин", "en") is False
    assert written_in("The daily Правда wrote that", "en")
    assert not written_in("قصف الطيران بإدلب", "en")
    assert not written_in("Missiles fell on Idlib", "ru")
    assert written_in("S-300", "xx")
    assert written_in("Ракеты упали", "uk")

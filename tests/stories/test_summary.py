from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.model import Entry, EntryId, FeedId, Hit
from bot.stories.summary import Excerpt, Habits, sentences, summarise

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def entry(
    title: str = "A headline of its own",
    summary: str = "",
    content: str = "",
    captions: tuple[str, ...] = (),
    language: str = "en",
    key: str = "1",
) -> Entry:
    return Entry(
        id=EntryId(key),
        feed=FeedId("https://gazette.example/feed"),
        source="Gazette",
        title=title,
        link="",
        guid=key,
        summary=summary,
        seen=NOW,
        published=NOW,
        content=content,
        captions=captions,
        language=language,
    )


def hits(of: Entry, term: str) -> list[Hit]:
    found = []
    for field, text in of.texts():
        at = text.find(term)
        while at >= 0:
            found.append(Hit(term, field, at, at + len(term)))
            at = text.find(term, at + 1)
    return found


def shown(of: Entry, *terms: str) -> str:
    return summarise(of, [hit for term in terms for hit in hits(of, term)]).text


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("Mr. Lund met Dr. Oye. They left.", "en", ["Mr. Lund met Dr. Oye.", "They left."]),
        ("He came from the U.S. Senate. It voted.", "en", ["He came from the U.S. Senate.", "It voted."]),
        ("It cost 3.5 million. No. 7 won!", "en", ["It cost 3.5 million.", "No. 7 won!"]),
        ("“We stay.” She left. J. Smith spoke.", "en", ["“We stay.”", "She left.", "J. Smith spoke."]),
        ("Was it so? Yes... perhaps.", "en", ["Was it so?", "Yes... perhaps."]),
        ("Am 3. Mai kam er, z.B. Nr. 4. Er ging.", "de", ["Am 3. Mai kam er, z.B. Nr. 4. Er ging."]),
        ("В г. Корве 5 млн. руб. нашли. Всё.", "ru", ["В г. Корве 5 млн. руб. нашли.", "Всё."]),
        ("东京发生地震。无人伤亡！真的吗？", "zh", ["东京发生地震。", "无人伤亡！", "真的吗？"]),
        ("هل غرقت السفينة؟ نعم. انتهى", "ar", ["هل غرقت السفينة؟", "نعم.", "انتهى"]),
        ("नाव डूब गई। तीन मरे।", "hi", ["नाव डूब गई।", "तीन मरे।"]),
        ("One line\nAnother line", "en", ["One line", "Another line"]),
        ("", "en", []),
    ],
)
def test_sentences_end_where_the_language_ends_them(text: str, language: str, expected: list[str]) -> None:
    """An abbreviation that ends a sentence makes a half one."""
    assert [text[start:end] for start, end in sentences(text, language)] == expected


@given(st.text(max_size=300), st.sampled_from(["en", "de", "ru", "zh", ""]))
def test_sentences_lose_nothing(text: str, language: str) -> None:
    """Every visible character lies in exactly one sentence."""
    spans = sentences(text, language)

    assert all(a < b for a, b in spans)
    assert all(spans[i][1] <= spans[i + 1][0] for i in range(len(spans) - 1))
    kept = "".join(text[a:b] for a, b in spans)
    assert "".join(kept.split()).replace("\x00", "") == "".join(text.split()).replace("\x00", "")


BOILERPLATE = [
    "Here's the full story.",
    "Read more...",
    "Continue reading",
    "[Read more]",
    "Log In Register",
    "* Here's how to easily get unlimited access to read this full article.",
    "Simply enjoy exclusive and premium content on all devices.",
    "The post A headline of its own appeared first on Some Blog.",
    "Sign up for our daily newsletter.",
    "We use cookies to improve this site.",
    "Share this on Facebook",
    "Follow us on Twitter for more.",
    "© 2026 Gazette. All rights reserved.",
    "Weiterlesen",
    "Der Beitrag Eine Zeile erschien zuerst auf Ein Blog.",
    "Lire la suite",
    "Seguir leyendo",
    "Leia mais",
    "Continua a leggere",
    "Читать далее",
    "Подписывайтесь на наш Telegram-канал.",
    "Devamını oku",
    "اقرأ المزيد",
    "阅读全文",
    "続きを読む",
    "submitted by /u/someone [link] [comments]",
]


@pytest.mark.parametrize("prompt", BOILERPLATE)
@pytest.mark.parametrize("before", ["Monitors entered Idlib on Tuesday. ", "Monitors entered Idlib on Tuesday.\n"])
def test_boilerplate_is_left_out(prompt: str, before: str) -> None:
    """People read the first two sentences on a lock screen: none of them may be a prompt."""
    assert shown(entry(summary=before + prompt), "Idlib") == "Monitors entered Idlib on Tuesday."


def test_a_prompt_glued_to_a_cut_sentence_goes_with_it() -> None:
    """Pages cut a sentence and glue their link to it; both are noise."""
    of = entry(summary="Monitors entered Idlib on Tuesday. The rebels wanted to throw theHere's the full story.")

    assert shown(of) == "Monitors entered Idlib on Tuesday."


def test_news_that_uses_the_words_of_prompts_stays() -> None:
    """A rule that eats news is worse than a prompt."""
    for said in (
        "The committee will get the full report on Monday.",
        "Readers want to read more books than ever.",
        "Parents had to register the births in person.",
        "The post was filled in May.",
    ):
        assert shown(entry(summary=said)) == said


def test_what_an_outlet_repeats_is_boilerplate() -> None:
    """Every outlet has its own phrases, which no rule foresees."""
    habits = Habits()
    motto = "Gazette stands with the towns of the coast."
    for i, title in enumerate(["Ferry sinks off Corvo", "Budget passes", "Schools reopen in cellars"]):
        habits.learn(entry(title=title, summary=f"Something about {title.lower()} happened. {motto}", key=str(i)))
    of = entry(summary=f"Monitors entered Idlib on Tuesday. {motto}")

    assert summarise(of, [], habits).text == "Monitors entered Idlib on Tuesday."
    assert motto in summarise(of, []).text


def test_copies_of_one_entry_are_no_habit() -> None:
    """A story that is published three times must not lose its text."""
    habits = Habits()
    for i in range(5):
        habits.learn(entry(summary="Monitors entered Idlib on Tuesday.", key=str(i)))

    assert summarise(entry(summary="Monitors entered Idlib on Tuesday."), [], habits).text


def test_habits_are_bounded() -> None:
    """A feed of a million sentences must not fill the memory."""
    habits = Habits(per_feed=10)
    for i in range(100):
        habits.learn(entry(title=f"t{i}", summary=f"Sentence of the {'x' * i} kind.", key=str(i)))

    assert sum(map(len, habits._known.values())) <= 10


def test_the_sentence_that_matches_is_chosen_and_marked() -> None:
    """The excerpt answers why it rang."""
    filler = (
        "This sentence fills the lead with things that nobody asked for in a good many words of no use at all. " * 3
    )
    of = entry(summary=f"{filler}The S-300 stood near Idlib. {filler}")
    excerpt = summarise(of, [*hits(of, "S-300"), *hits(of, "Idlib")])

    assert "The S-300 stood near Idlib." in excerpt.text
    assert [excerpt.text[a:b] for a, b in excerpt.marks] == ["S-300", "Idlib"]
    assert len(excerpt.text) <= 280


def test_the_headline_is_not_repeated() -> None:
    """It stands above the excerpt already."""
    title = "Monitors enter Idlib after night of shelling"
    for summary in (f"{title}.", f"{title}\nNine people died.", f"{title} Nine people died."):
        assert title not in shown(entry(title=title, summary=summary))
    assert shown(entry(title=title, summary=title)) == ""


def test_a_caption_is_shown_only_when_it_alone_matches() -> None:
    """Captions describe pictures; they are news only where nothing else carries the word."""
    lead = "The delivery has been started already, the minister said."
    captions = ("A marching band", "An S-300 battery on parade")
    only = entry(summary=lead, captions=captions)
    both = entry(summary=f"{lead} S-300 systems are meant.", captions=captions)

    assert shown(only, "S-300").startswith("An S-300 battery on parade")
    assert "marching" not in shown(only, "S-300")
    assert "parade" not in shown(both, "S-300")


def test_markup_is_gone_and_marks_stay_true() -> None:
    """Left-over tags and entities must not reach a phone, nor shift the bold."""
    of = entry(summary="<p>Police said &quot;no&quot; in <b>Idlib</b> &amp; Hama.</p><br/>More came later.")
    excerpt = summarise(of, hits(of, "Idlib"))

    assert excerpt.text == 'Police said "no" in Idlib & Hama. More came later.'
    assert [excerpt.text[a:b] for a, b in excerpt.marks] == ["Idlib"]


def test_half_sentences_are_not_shown() -> None:
    """A summary that a feed cut after 100 characters ends in the middle of a word."""
    assert shown(entry(summary="Monitors entered Idlib. They found that the vill...")) == "Monitors entered Idlib."
    assert (
        shown(entry(summary="Monitors entered Idlib. They found that the vill [&#8230;]")) == "Monitors entered Idlib."
    )
    assert shown(entry(summary="Monitors entered Idlib. They found that the")) == "Monitors entered Idlib."


def test_nothing_but_the_headline_gives_nothing() -> None:
    """Nothing is invented."""
    assert summarise(entry(), []) == Excerpt("")


_PIECES = st.sampled_from(
    [
        "Idlib ",
        "fell. ",
        "The ",
        "S-300 ",
        "\n",
        "<b>",
        "</b>",
        "&amp; ",
        "said ",
        "Read more ",
        "… ",
        "ж. ",
        "东京。",
        "\x00",
    ]
)


@given(st.lists(_PIECES, max_size=60).map("".join), st.lists(_PIECES, max_size=60).map("".join))
@settings(max_examples=150)
def test_marks_lie_in_the_excerpt_and_show_matched_words(summary: str, content: str) -> None:
    """Bold never covers another word, whatever the text is."""
    of = entry(summary=summary, content=content)
    excerpt = summarise(of, hits(of, "Idlib"))

    assert all(excerpt.text[a:b] == "Idlib" for a, b in excerpt.marks)
    assert len(excerpt.text) <= 280 * 1.25
    assert "\x00" not in excerpt.text
    assert "\n" not in excerpt.text

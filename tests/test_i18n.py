"""One catalogue has every text that a person sees, in every language alike: nothing escapes it, and no slip in it hurts."""

import ast
import os
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from bot import i18n
from bot.alerts.reasons import OUTLETS_SO_FAR, told
from bot.alerts.render import local_time
from bot.i18n import _, fill, listed, ngettext, retold, sentence, speaking
from bot.model import Incoming, Message, Reply, Span
from tests.catalogues import MARKERS, ROOT, TEMPLATE, Marked, called, messages, modules, template, write_po
from tests.test_flow import PRIZE, SHELLS, SHELLS_2, SHELLS_3
from tests.world import HERE, OUTLETS, World, item

#: "qq" is nobody's language
PSEUDO = "qq"


@pytest.fixture
def locale(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder of catalogues in place of the real one."""
    monkeypatch.setattr(i18n, "LOCALE", tmp_path / "locale")
    i18n.nearest.cache_clear()
    yield tmp_path / "locale"
    i18n.nearest.cache_clear()


# ---------------------------------------------------------------- the template


def test_the_template_has_every_message() -> None:
    """Translators get each message of the code; TOCSIN_WRITE_POT=1 writes the template anew."""
    if os.environ.get("TOCSIN_WRITE_POT"):
        TEMPLATE.write_text(template(), "utf-8")
    assert TEMPLATE.read_text("utf-8") == template(), "run TOCSIN_WRITE_POT=1 python -m pytest tests/test_i18n.py"


def test_translators_tools_read_the_template() -> None:
    """A new language is begun with `pybabel init`, which refuses a header that leaves its places open."""
    with TEMPLATE.open("rb") as file:
        found = {m.id if isinstance(m.id, str) else m.id[0] for m in read_po(file) if m.id}
    assert found == {message.one for message in messages()}


def test_messages_can_be_moved_and_counted() -> None:
    """Places are named, never numbered; both forms know the same places; no text is counted here and plain there."""
    found = messages()
    for message in found:
        for text in message:
            names = i18n.fields(text)
            assert names is not None, text
            assert all(name.isidentifier() for name in names), text
        assert not message.many or i18n.fields(message.one) == i18n.fields(message.many), message
        assert not message.many or "count" in (i18n.fields(message.many) or ()), message
    assert not {m.one for m in found if m.many} & {m.one for m in found if not m.many}


def test_every_place_is_filled() -> None:
    """Each `fill` and `sentence` gives a value for every place of the messages it is given."""
    for path in modules():
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if called(node) not in {"fill", "sentence"} or not isinstance(node, ast.Call):
                continue
            given = {keyword.arg for keyword in node.keywords}
            inside = [
                m.value for m in ast.walk(node.args[0]) if isinstance(m, ast.Constant) and isinstance(m.value, str)
            ]
            for text in inside if None not in given else ():  # **values are seen only when run
                assert (i18n.fields(text) or set()) <= given, f"{path.relative_to(ROOT)}:{node.lineno}: {text}"


def test_shipped_catalogues_fill_only_known_places() -> None:
    """A translation with a place that nobody fills would be shown in English: it is a mistake to be told of here."""
    for path in sorted(i18n.LOCALE.glob("*/LC_MESSAGES/*.po")):
        language = path.parts[-3]
        with speaking(language):
            spoken = i18n.nearest(language).texts
            for message in messages():
                if message.many:
                    for count in range(200):
                        raw = spoken.ngettext(message.one, message.many, count)
                        assert ngettext(message.one, message.many, count) == raw, f"{path}: {raw}"
                else:
                    assert _(message.one) == spoken.gettext(message.one), f"{path}: {message.one}"


SHIPPED = ("ar", "de", "es", "fr", "ru", "tr")


@pytest.mark.parametrize("language", SHIPPED)
def test_headings_beside_each_other_differ(language: str) -> None:
    """Two links with one name lead nobody anywhere."""
    with speaking(language):
        sections = [_(name) for name in ("Overview", "Stories", "Alerts", "Sources", "Subscriptions", "Outbox")]
        topics = [_(name) for name in ("Queries", "Keywords", "Alerts", "News", "This chat")]
    assert len(set(sections)) == 6
    assert len(set(topics)) == 5


@pytest.mark.parametrize("language", SHIPPED)
def test_shipped_catalogues_are_as_good_as_whole(language: str) -> None:
    """A chat in another language is not half in English; nothing is kept of texts that are gone, nothing is doubtful."""
    with i18n.LOCALE.joinpath(language, "LC_MESSAGES", "tocsin.po").open("rb") as file:
        catalogue = read_po(file, locale=language)
    told = {m.id if isinstance(m.id, str) else m.id[0]: m for m in catalogue if m.id}
    known = {message.one for message in messages()}
    missing = sorted(known - told.keys())
    assert len(missing) <= len(known) * 0.05, missing
    assert len(told.keys() - known) <= len(known) * 0.05, sorted(told.keys() - known)
    for key, message in told.items():
        forms = message.string if isinstance(message.string, tuple) else (message.string,)
        assert all(forms), key
        assert not message.fuzzy, key
        if not isinstance(message.id, str):
            assert len(forms) == catalogue.num_plurals, key


@pytest.mark.parametrize(
    ("language", "one", "few", "many"),
    [
        ("de", "1 Meldung", "3 Meldungen", "11 Meldungen"),
        ("fr", "1 sujet", "3 sujets", "11 sujets"),
        ("es", "1 tema", "3 temas", "11 temas"),
        ("tr", "1 haber", "3 haber", "11 haber"),
        ("ru", "1 сюжет", "3 сюжета", "11 сюжетов"),
        ("ar", "خبر واحد", "3 أخبار", "11 خبرًا"),
    ],
)
async def test_a_person_is_answered_in_their_language(
    world: World, language: str, one: str, few: str, many: str
) -> None:
    """As the platform tells it, from the first word on, with plurals as the language has them."""
    with speaking(f"{language}-XX"):
        told = [fill(ngettext("{count} story", "{count} stories", n), count=n) for n in (1, 3, 11)]
    assert told == [one, few, many]
    english = await world.commands.answer(Incoming(HERE, "u", "/start", language="en"))
    other = await world.commands.answer(Incoming(replace(HERE, address="2"), "v", "/start", language=language))
    assert english is not None
    assert other is not None
    assert english.message.text != other.message.text
    assert i18n.nearest(language).locale.text_direction == ("rtl" if language == "ar" else "ltr")


# ---------------------------------------------------------------- nothing passes by it

#: what a person types is the same in every language
TYPED = {
    "[N] [2h]",
    "[N] off|hourly|daily 08:00|weekly mon 08:00",
    "[N] on|off",
    "daily 08:00",
    "help chat",
    "/timezone ",
    "/help ",
    "/language ",
    "/unsubscribe ",
}
#: what these are given is seen; `code` is for what is typed
SEEN = {"say", "Span", "Message", "Reply", "Button", "Text", "label", "escape", "fill", "sentence", "listed", "suggest"}


def literals(node: ast.AST, *, seen: bool) -> Iterator[tuple[int, str]]:
    """String literals with letters that are not marked as messages; with `seen`, only those given to what is seen."""
    if called(node) in {*MARKERS, "code"} or isinstance(node, ast.Raise):
        return
    if isinstance(node, ast.Call):
        if called(node) == "compile" or (
            isinstance(node.func, ast.Attribute) and ast.unparse(node.func.value) == "log"
        ):
            return
        if seen and called(node) in SEEN:
            for argument in node.args:
                yield from literals(argument, seen=False)
            return
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return  # a docstring
    if (
        not seen
        and isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and re.search(r"[^\W\d_]", node.value)
    ):
        yield node.lineno, node.value
    for child in ast.iter_child_nodes(node):
        if not (isinstance(node, ast.FormattedValue) and child is node.format_spec):
            yield from literals(child, seen=seen)


def test_no_sentence_passes_by_the_catalogue() -> None:
    """In commands and alerts any literal of several words is a message, or something that is typed."""
    escaped = [
        f"{path.relative_to(ROOT)}:{line}: {text!r}"
        for path in modules()
        if path.parent.name in {"commands", "alerts"}
        for line, text in literals(ast.parse(path.read_text("utf-8")), seen=False)
        if " " in text and text not in TYPED and "(?i:reuters" not in text
    ]
    assert escaped == []


def test_no_word_is_shown_without_the_catalogue() -> None:
    """Everywhere, what is put into a message, a button or a label has no letters of its own."""
    escaped = [
        f"{path.relative_to(ROOT)}:{line}: {text!r}"
        for path in modules()
        if path.parent.name in {"commands", "alerts", "chats"} or path.name == "app.py"
        for line, text in literals(ast.parse(path.read_text("utf-8")), seen=True)
        if text not in TYPED
    ]
    assert escaped == []


def test_the_walk_finds_what_it_is_for() -> None:
    """The two tests above would see an escaped text."""
    tree = ast.parse('say("Two words", code("/help"))\nspans = [f"{n} words"]\nlog.info("not seen")')
    assert [text for _line, text in literals(tree, seen=True)] == ["Two words"]
    assert [text for _line, text in literals(tree, seen=False)] == ["Two words", " words"]


# ---------------------------------------------------------------- a language in which every message is marked


def write_pseudo(locale: Path) -> None:
    texts = {m: tuple(f"⟦{text}⟧" for text in (m if m.many else m[:1])) for m in messages()}
    write_po(locale, PSEUDO, texts, "nplurals=2; plural=(n != 1);")


#: told by feeds and people, or numbers and clocks, or names that languages have for themselves
GIVEN = [
    "English",
    *(text for entry in (SHELLS, SHELLS_2, SHELLS_3, PRIZE) for text in (entry.title, entry.summary)),
    *OUTLETS,
]


def unmarked(spans: tuple[Span, ...], typed: str = "") -> set[str]:
    """Words outside ⟦…⟧ that neither a feed brought nor a person types."""
    text = "".join("" if span.code or span.link else span.text for span in spans)
    for given in GIVEN:
        text = text.replace(given, "")
    depth, outside = 0, ""
    for char in text:
        depth += {"⟦": 1, "⟧": -1}.get(char, 0)
        outside += " " if depth else char
    return set(re.findall(r"[^\W\d_]+", outside)) - set(re.findall(r"[^\W\d_]+", typed)) - {"AND", "OR"}


def assert_marked(message: Message, typed: str = "") -> None:
    assert unmarked(message.spans, typed) == set(), message.text
    for button in (button for row in message.buttons for button in row):
        assert unmarked((Span(button.label),)) == set() or re.match(r"\d+ ", button.label), button.label


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    world = await World(tmp_path).open()
    yield world
    await world.store.close()


#: understood, doubted and refused in all the ways there are
QUERIES = (
    "lighthouse min:2", "title:war -football -(a b)", '"keeper prize"~4', "light*", "lang:en tag:war source:bbc.co.uk x",
    "keeper or prize", '"keep*" prize', '"side by side"', "(a OR b", "a)", '"a', '""', "AND", "a OR", "()", "-a", "a OR -b",
    "lang:english-", "tag:(a b)", "title:(tag:a)", "nofield:x", "min:0 a", "min:2 min:3 a", "(a min:2)", "a ~4", '"a b"~x',
    "*a", "a*", "...", "((((((((((((((((((((((a))))))))))))))))))))))", " ".join(f"w{n}" for n in range(60)), "word " * 120,
)  # fmt: skip


async def test_a_whole_life_in_another_language(locale: Path, world: World) -> None:
    """Commands, refusals, alerts, updates, digests and buttons: every word comes from the catalogue."""
    write_pseudo(locale)

    async def say(text: str = "", *, action: str = "", admin: bool = True) -> Reply:
        world.clock.advance(2)
        reply = await world.commands.answer(Incoming(HERE, "u", text, action=action, admin=admin, language=PSEUDO))
        assert reply is not None
        assert_marked(reply.message, text if text.startswith("/subscribe") else "")
        return reply

    empty = "start, help, help subscribe, help pause, help pauze, subscibe, why, status, sources, latest, subscriptions, unsubscribe"
    for line in empty.split(", "):
        await say(f"/{line}")
    for line in ("/subscribe", "word", "word", "/subscribe Idlib, ferry", "/subscribe Idlib", "/subscribe lighthouse"):
        await say(line)
    for query in QUERIES:
        await say(f"/subscribe {query}")
    await world.baseline()
    await world.poll("North Wire", SHELLS, PRIZE)
    await world.deliver()
    await world.poll("Harbour Post", SHELLS_2)
    await world.deliver()
    world.clock.advance(600)
    await world.poll("Levant Daily", SHELLS_3)
    await world.poll("North Wire", replace(SHELLS, title=SHELLS.title + " at noon"), PRIZE)
    await world.deliver()
    for line in (
        f"/why {SHELLS.link}", f"/why {SHELLS_2.link}", f"/why {PRIZE.link}", "/why https://n.example/none", "/why", "/why x",
        "/latest", "/latest Idlib", "/latest whale", "/status", "/unsubscribe 9", "/unsubscribe Idlb", "/unsubscribe",
        "/pause", f"/why {SHELLS.link}", "/pause 1 2h", "/subscriptions", "/resume 1", "/resume", "/pause 2h", "/resume",
        "/digest", "/digest x", "/digest 1 hourly", "/digest off", "/digest daily 8:00", "/quiet", "/quiet 22:00-07:00",
        "/quiet off", "/timezone", "/timezone Mars", "/timezone istanbul", "/trend", "/trend Idlib 2d", "/trend whale", "/silence", "/silence 1 off", "/silence on", "/language", "/language Klingon", "/language qp", "/updates", "/updates 1 off", "/updates on",
        "/subscriptions", "/forget",
    ):  # fmt: skip
        await say(line)
    await say("/subscribe x", admin=False)
    await say(action="stale")
    await world.poll("Coast Radio", *(item(f"Idlib {n}", link=f"https://c.example/{n}") for n in range(3)))
    world.clock.advance(2 * 86_400)
    await world.deliver()
    shown = [message for _chat, message in world.chat.shown.values()]
    assert len(shown) >= 3
    for message in shown:
        assert_marked(message, "Idlib")  # a digest is headed by the keyword
        assert any("⟦" in span.text for span in message.spans)
    assert "⟦Mute story⟧" in [b.label for message in shown for row in message.buttons for b in row]


async def test_chats_speak_side_by_side(locale: Path, world: World) -> None:
    """One chat's language is never another's, nor that of what comes after."""
    write_pseudo(locale)
    other = replace(HERE, address="2")
    for chat, language in ((HERE, PSEUDO), (other, "en")):
        await world.commands.answer(Incoming(chat, "u", "/subscribe lighthouse", language=language))
    await world.baseline()
    await world.poll("North Wire", PRIZE)
    await world.deliver()
    shown = {chat: message.text for chat, message in world.chat.shown.values()}
    assert "⟦" in shown[HERE]
    assert "⟦" not in shown[other]
    assert _("paused") == "paused"


async def test_a_chat_keeps_its_language(locale: Path, world: World) -> None:
    """A person with another language reads a group in the group's."""
    write_pseudo(locale)
    await world.commands.answer(Incoming(HERE, "u", "/subscribe lighthouse", language=PSEUDO))
    reply = await world.commands.answer(Incoming(HERE, "v", "/status", language="en"))
    assert reply is not None
    assert reply.message.text.startswith("⟦")


# ---------------------------------------------------------------- plurals, slips, reasons, tags


def test_plurals_follow_the_language(locale: Path) -> None:
    """Russian has three forms, and 21 goes with 1."""
    one, many = "{count} subscription added.", "{count} subscriptions added."
    forms = ("Добавлена {count} подписка.", "Добавлены {count} подписки.", "Добавлено {count} подписок.")
    rule = "nplurals=3; plural=(n%10==1 && n%100!=11 ? 0 : n%10>=2 && n%10<=4 && (n%100<10 || n%100>=20) ? 1 : 2);"
    write_po(locale, "ru", {Marked(one, many): forms}, rule)
    with speaking("ru-RU"):
        told = [fill(ngettext(one, many, n), count=n) for n in (1, 2, 5, 11, 21, 22)]
    assert told == [
        "Добавлена 1 подписка.", "Добавлены 2 подписки.", "Добавлено 5 подписок.",
        "Добавлено 11 подписок.", "Добавлена 21 подписка.", "Добавлены 22 подписки.",
    ]  # fmt: skip
    assert [fill(ngettext(one, many, n), count=n) for n in (0, 1, 2)] == [
        "0 subscriptions added.", "1 subscription added.", "2 subscriptions added.",
    ]  # fmt: skip


def test_translators_may_move_places(locale: Path) -> None:
    """Spans keep their looks wherever the translation puts them."""
    message = "Paused for {time}. {resume} ends it."
    write_po(
        locale, "de", {Marked(message, ""): ("{resume} beendet die Pause ({time}).",)}, "nplurals=2; plural=(n != 1);"
    )
    with speaking("de"):
        spans = sentence(_(message), time="2h", resume=Span("/resume", code=True))
    assert spans == [Span("/resume", code=True), Span(" beendet die Pause (2h).")]


@pytest.mark.parametrize(
    "slip", ["{tiem} Pause", "{", "}", "{time.__class__} Pause", "{0} Pause", "{} Pause", "{time[0]}"]
)
def test_a_slip_in_a_catalogue_costs_no_answer(locale: Path, slip: str) -> None:
    """A translation with an unknown place, or broken braces, is passed over for the English one."""
    message = "Paused for {time}."
    write_po(
        locale,
        "de",
        {Marked(message, ""): (slip,), Marked("{count} day", "{count} days"): (slip, slip)},
        "nplurals=2; plural=(n != 1);",
    )
    with speaking("de"):
        assert fill(_(message), time="2h") == "Paused for 2h."
        assert fill(ngettext("{count} day", "{count} days", 1), count=1) == "1 day"
        assert fill(ngettext("{count} day", "{count} days", 3), count=3) == "3 days"


def test_what_people_write_is_never_a_template() -> None:
    """Row 31: braces in a headline or a query stay braces."""
    hostile = "{0.__class__} {time} {{x}} %(name)s {"
    assert fill(_("Paused for {time}."), time=hostile) == f"Paused for {hostile}."
    assert (
        "".join(s.text for s in sentence("for {queries}", queries=listed([Span(hostile, code=True)])))
        == f"for {hostile}"
    )


def test_kept_reasons_are_told_in_the_language_of_the_asker(locale: Path) -> None:
    """Rows keep English, with its numbers; a platform's own words stay as they are."""
    write_pseudo(locale)
    with speaking(PSEUDO):
        assert told("paused") == "⟦paused⟧"
        assert told(fill(OUTLETS_SO_FAR, outlets=1, need=3)) == "⟦1 of 3 independent outlets so far⟧"
        assert told("gave up: Bad Request: chat not found") == "⟦gave up: Bad Request: chat not found⟧"
        assert told("certificate expired") == "certificate expired"
        assert told("") == ""
    assert retold("quiet hours", "quiet hours") == "quiet hours"


@pytest.mark.parametrize(
    ("tag", "spoken"),
    [
        ("pt-BR", "pt_BR"), ("pt-br", "pt_BR"), ("pt", "pt"), ("pt-PT", "pt"), ("PT_ao", "pt"), ("zh-hant-TW", "zh_Hant"),
        ("zh-Hans", ""), ("en", ""), ("en-GB", ""), ("", ""), ("xx", ""), ("../pt", ""), ("pt/../pt", ""), ("p" * 9999, ""),
        ("pt-BR-x-private", "pt_BR"), ("C", ""), ("pt\0", ""), ("pt\n", ""),
    ],
)  # fmt: skip
def test_the_nearest_language_is_spoken(locale: Path, tag: str, spoken: str) -> None:
    """Platforms send any BCP 47 tag, in any case; what names no catalogue is English, and never a path."""
    for language in ("pt", "pt_BR", "zh_Hant"):
        write_po(locale, language, {Marked("paused", ""): (language,)}, "nplurals=1; plural=0;")
    with speaking(tag):
        assert _("paused") == (spoken or "paused")


def test_times_have_names_of_the_language(locale: Path) -> None:
    """Weekdays and months are those of the language (CLDR), and its translator puts the clock where it belongs."""
    texts = {"{date} {clock}": "{date}, {clock}", "{weekday} {clock}": "{weekday}, {clock}"}
    write_po(locale, "de", {Marked(key, ""): (text,) for key, text in texts.items()}, "nplurals=2; plural=(n != 1);")
    now = datetime(2026, 3, 2, 12, tzinfo=UTC)
    moments = [now - timedelta(days=days) for days in (0, 6, 10, 400)]
    with speaking("de"):
        told = [local_time(moment, "UTC", now) for moment in moments]
    assert told == ["12:00", "Di, 12:00", "20. Feb., 12:00", "26. Jan. 2025, 12:00"]
    assert [local_time(m, "UTC", now) for m in moments] == ["12:00", "Tue 12:00", "20 Feb 12:00", "26 Jan 2025 12:00"]


def test_a_language_that_cldr_does_not_know_still_speaks(locale: Path) -> None:
    """Its texts are used; dates are written as in English."""
    write_po(locale, "qq", {Marked("paused", ""): ("qaused",)}, "nplurals=1; plural=0;")
    with speaking("qq"):
        assert (_("paused"), i18n.day_and_month(datetime(2026, 2, 20, tzinfo=UTC))) == ("qaused", "20 Feb")


def test_languages_are_listed_by_their_own_names(locale: Path) -> None:
    """Who can't read English must be able to find the language that they can read."""
    for language in ("ar", "pt_BR", "qq"):
        write_po(locale, language, {Marked("paused", ""): (language,)}, "nplurals=1; plural=0;")
    names = [("en", "English"), ("ar", "العربية"), ("pt-BR", "português (Brasil)"), ("qq", "qq")]
    assert i18n.languages() == names
    with speaking("ar-EG"):
        assert (i18n.spoken(), i18n.is_right_to_left()) == ("ar", True)
    with speaking("xx"):
        assert (i18n.spoken(), i18n.is_right_to_left()) == ("en", False)

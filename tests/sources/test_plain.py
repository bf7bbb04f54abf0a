import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.sources.plain import _by_parser, _without_tags, clean, from_html, shorten


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("plain &amp; simple", "plain & simple"),
        ("<p>One.</p><p>Two.</p>", "One.\nTwo."),
        ("one<br>two<br/>three", "one\ntwo\nthree"),
        ("<ul><li>a</li><li>b</li></ul>", "a\nb"),
        ("<td>a</td><td>b</td>", "a b"),
        ("S<b>-3</b>00", "S-300"),
        ("a\n   line\tbroken", "a line broken"),
        ("<script>alert(1)</script><style>p{}</style>seen", "seen"),
        ('<a href="tg://user?id=1">name</a> and <a href="https://example.org/long">link</a>', "name and link"),
        ("5 &lt; 6 &amp;&amp; 7 &gt; 6", "5 < 6 && 7 > 6"),
        ("&lt;b&gt;not bold&lt;/b&gt; <i>it</i>", "<b>not bold</b> it"),
        ("caf&eacute; &#8364; &hellip; &nbsp;x", "café € … x"),
        ("<!-- hidden -->shown<!--", "shown"),
        ("<p>unclosed <b>bold", "unclosed bold"),
        ("<iframe srcdoc='x'>no</iframe>yes", "yes"),
        ("", ""),
    ],
)
def test_markup_to_text(markup: str, text: str) -> None:
    """Ends of blocks become line feeds, words stay whole, nothing hidden shows."""
    assert from_html(markup)[0] == text


def test_captions() -> None:
    """Alternative texts, titles and figure captions are captions, and not part of the running text."""
    markup = (
        "<p>Text.</p><figure><img src=x alt='An S-300 launcher'><figcaption>Launcher near <b>Idlib</b></figcaption>"
        "</figure><img src=y title='A map' alt=''>"
    )
    assert from_html(markup) == ("Text.", ("An S-300 launcher", "A map", "Launcher near Idlib"))


@pytest.mark.parametrize(
    ("dirty", "text"),
    [
        ("a\x00b\x07c", "abc"),
        ("a\u202eb\u2066c\u2069", "abc"),
        ("ba\u200bnk\ufeff", "bank"),
        ("mi\u200cravam", "mi\u200cravam"),
        ("\U0001f469\u200d\U0001f680", "\U0001f469\u200d\U0001f680"),
        ("a\r\nb\u2028c\n\n\n d", "a\nb\nc\nd"),
        ("  a \u00a0 \t b  ", "a b"),
        ("lone \ud800 surrogate", "lone surrogate"),
    ],
)
def test_rows_17_and_29_control_and_invisible_characters(dirty: str, text: str) -> None:
    """Rows 17, 29: what stores refuse or eyes can't see goes; what Persian and emoji need stays."""
    assert clean(dirty) == text


@given(st.text(alphabet=st.characters(exclude_categories=[]), max_size=200))
def test_whatever_comes_in_can_be_stored(text: str) -> None:
    """Every text that leaves is one that UTF-8, PostgreSQL and JSON take, and cleaning it again changes nothing."""
    for result in (clean(text), from_html(text)[0], *from_html(text)[1]):
        result.encode()
        assert "\x00" not in result
        assert clean(result) == result


def test_row_6_nested_markup_is_no_bomb() -> None:
    """Row 6: 200 000 nested elements are read in no time."""
    assert from_html("<a>" * 200_000 + "end")[0] == ""
    assert from_html("<b>" * 100_000 + "end")[0] == "end"


def test_shorten() -> None:
    """Cuts at a word where one ends near the limit, and says so."""
    assert shorten("short", 10) == "short"
    assert shorten("several words here", 14) == "several words…"
    assert shorten("x" * 50, 10) == "x" * 9 + "…"


def test_what_is_closed_at_once_hides_nothing() -> None:
    """An <iframe/> written as in XHTML is empty: the text behind it is the article's, not the frame's."""
    assert from_html("<p>One</p><iframe src='v'/><script async/><p>Two</p>") == ("One\nTwo", ())
    assert from_html("<p>One</p><iframe src='v'>no</iframe><p>Two</p>") == ("One\nTwo", ())


_PIECES = (
    "<p>", "</p>", "<p/>", "<div>", "</div>", "<br>", "<br />", "</br>", '<a href="y z" target=_blank>', "<a href='x'>", "</a>",
    "<b>", "</b>", "<i title='a'>", "</i>", "<em>", "</strong>", '<span class="a">', "<li>", "</ul>", "<h2>", "</h2>",
    "<blockquote>", "text", "more words", " ", "  ", "\n", "é", "العربية", "\xa0", "&amp;", "&lt;", "&gt;", "&nbsp;", "&#39;",
    "&#150;", "&#1;", "&hellip;", "&rsquo;s", "x > y", ">", "/>", "<P>", "<img alt='p'>", "<script>x</script>", "&nope;", "\u200b",
)  # fmt: skip


@given(st.lists(st.sampled_from(_PIECES), min_size=1, max_size=25).map("".join))
def test_markup_read_without_a_parser_gives_what_the_parser_gives(markup: str) -> None:
    """The short way is taken for the commonest markup only, and nobody can tell."""
    text = _without_tags(markup.replace("\n", " "))
    assert text is None or (text, ()) == _by_parser(markup.replace("\n", " "))


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<p>One <b>ship</b>.</p><p>Two&nbsp;&amp; <a href='x'>more</a></p>", "One ship.\nTwo & more"),
        ("a &lt;b&gt; c<br/>d", "a <b> c\nd"),
        ("<p>x</p><img alt='y'>", None),
        ("<script>x</script>", None),
        ("a < b", None),
        ("<p onclick='a>b'>x</p>", None),
        ("&notanentity", None),
    ],
)
def test_which_markup_needs_no_parser(markup: str, text: str | None) -> None:
    """Tags that mean a line or nothing, and entities that end."""
    assert _without_tags(markup) == text

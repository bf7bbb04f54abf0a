"""Every text of the page comes from the catalogue, and nothing in it minds the direction of writing."""

import re

from jinja2 import Environment
from jinja2.lexer import TOKEN_DATA

from bot.web.show import environment, spark
from tests.catalogues import ROOT, templates

#: attributes that a person sees or hears
_SEEN = re.compile(r'(?:aria-label|title|alt|placeholder)="([^"]*)"')
_TAG = re.compile(r"<[^>]*>")


def test_no_text_of_a_template_passes_by_the_catalogue() -> None:
    """What stands outside of expressions has no letters but the name of the bot."""
    assert len(templates()) >= 7
    for path in templates():
        plain = "".join(
            # an expression may stand inside a tag: a placeholder keeps the tag whole
            text if kind == TOKEN_DATA else "" if kind.endswith(("_begin", "_end")) else "·"
            for _line, kind, text in Environment(autoescape=True).lex(path.read_text("utf-8"))
        )
        assert not re.search(r"[^\W\d_]", "".join(_SEEN.findall(plain))), path.name
        for text in _TAG.split(plain):
            assert text.replace("Tocsin", "").strip("·›‹ \n") == "" or not re.search(
                r"[^\W\d_]{2,}", text.replace("Tocsin", "")
            ), (
                path.name,
                text,
            )


def test_the_style_is_the_same_both_ways() -> None:
    """Logical properties only: nothing is left or right."""
    style = (ROOT / "bot" / "web" / "static" / "page.css").read_text("utf-8")
    physical = re.findall(
        r"(?:margin|padding|border|inset)-(?:left|right)|(?<![-\w])(?:left|right)\s*:|text-align:\s*(?:left|right)",
        style,
    )
    assert physical == []


def test_every_template_compiles() -> None:
    """A mistake in one is found here, not by who looks."""
    made = environment()
    for path in templates():
        made.get_template(path.name)


def test_a_sparkline_shows_every_step_with_something_in_it() -> None:
    """One entry among thousands is seen; nothing is nothing."""
    assert spark([0, 1, 1000, 500]) == "M4 22v-2h3V22zM8 22v-22h3V22zM12 22v-11h3V22z"
    assert spark([]) == spark([0, 0]) == ""

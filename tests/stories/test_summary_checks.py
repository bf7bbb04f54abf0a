import pytest

from benchmarks.summaries import has_boilerplate, has_cut, has_markup, repeats_title

SOURCE = "Monitors entered Idlib on Tuesday. Nine people died in Ariha & Hama."


@pytest.mark.parametrize("planted", ["<b>Idlib</b> fell.", "Idlib &amp; Hama.", "Idlib fell.<br/>", "&#8230; more"])
def test_planted_markup_is_found(planted: str) -> None:
    """A check that sees nothing would make the benchmark's zero worthless."""
    assert has_markup(planted)


@pytest.mark.parametrize(
    "planted",
    ["Idlib fell. Read More", "Here's the full story.", "Читать далее", "It appeared first on Blog", "阅读全文"],
)
def test_planted_boilerplate_is_found(planted: str) -> None:
    """The same for boilerplate."""
    assert has_boilerplate(planted)


@pytest.mark.parametrize(
    "planted", ["Monitors entered Idl", "Nine people died in", "Monitors entered Idlib,", "Monitors ente red"]
)
def test_planted_cuts_are_found(planted: str) -> None:
    """The same for cut words and half sentences."""
    assert has_cut(planted, SOURCE)


def test_a_planted_title_is_found() -> None:
    """The same for the headline."""
    assert repeats_title("Monitors enter Idlib: they crossed on Tuesday.", "Monitors enter Idlib")


def test_a_clean_summary_passes() -> None:
    """A check that always cries would be as worthless."""
    assert not has_markup(SOURCE)
    assert not has_boilerplate(SOURCE)
    assert not has_cut("Nine people died in Ariha & Hama.", SOURCE)
    assert not repeats_title(SOURCE, "Monitors enter Idlib")

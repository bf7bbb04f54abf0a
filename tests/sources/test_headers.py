import pytest

from bot.sources.headers import links


@pytest.mark.parametrize(
    ("values", "found"),
    [
        (('<https://h.example/>; rel="hub"',), {"hub": "https://h.example/"}),
        (('<a>;rel=self, <b>; rel="hub"',), {"self": "a", "hub": "b"}),
        (('<a>; title="x, <y>; rel=hub"; REL = "Self  hub"',), {"self": "a", "hub": "a"}),
        (("<a>; rel=hub", "<b>; rel=hub; rel=self"), {"hub": "a"}),
        (("<a>", "a; rel=hub", "<>; rel=hub", ";;;,,<", '<a>; rel="hub'), {"hub": ""}),
        ((), {}),
        (("<" * 100_000, "<a>;" * 50_000, "<a>; x" + "=" * 50_000), {}),
    ],
)  # fmt: skip
def test_links(values: tuple[str, ...], found: dict[str, str]) -> None:
    """Link headers (RFC 8288): several relations in one, several links in one, quoted commas; nonsense gives nothing."""
    assert links(values) == found

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import SourceError
from bot.sources.urls import host_of, mask_url, normalise_url, resolve_link


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://example.org/feed", "https://example.org/feed"),
        (" https://example.org/feed\n", "https://example.org/feed"),
        ("HTTP://Example.org", "http://Example.org/"),
        ("example.org", "https://example.org/"),
        ("example.org:8080/feed", "https://example.org:8080/feed"),
        ("127.0.0.1:8000/feed", "https://127.0.0.1:8000/feed"),
        ("localhost:8000", "https://localhost:8000/"),
        ("//example.org/feed", "https://example.org/feed"),
        ("feed:https://example.org/feed", "https://example.org/feed"),
        ("feed://example.org/feed", "http://example.org/feed"),
        ("https://example.org/feed#top", "https://example.org/feed"),
        ("https://example.org/a b", "https://example.org/a%20b"),
        ("https://exam\nple.org/\x00feed", "https://example.org/feed"),
        ("https://example.org/\u202ejpg.exe\ud800", "https://example.org/%E2%80%AEjpg.exe"),
        ("https://user:pass@example.org/?token=x", "https://user:pass@example.org/?token=x"),
    ],
)
def test_addresses_as_people_paste_them(text: str, url: str) -> None:
    """What is meant is clear, so it is taken; the form is one, so that a feed is not listed twice."""
    assert normalise_url(text) == url


@pytest.mark.parametrize(
    "text",
    [
        "", "   ", "file:///etc/passwd", "file:/etc/passwd", "feed:file:///x", "ftp://example.org/", "data:text/xml,x",
        "javascript:alert(1)", "mailto:a@example.org", "http://", "http:///feed", "https://[::1", "http://a:99999/",
        "http://example.org:0/", "https://example.org/" + "a" * 9000, "source:file:///etc/passwd",
    ],
)  # fmt: skip
def test_addresses_that_are_refused(text: str) -> None:
    """Row 12: only http and https, and a host."""
    with pytest.raises(SourceError):
        normalise_url(text)


@given(st.text())
def test_normalising_never_breaks(text: str) -> None:
    """Whatever people paste is an address or a SourceError; an address stays as it is the second time."""
    try:
        url = normalise_url(text)
    except SourceError:
        return
    assert normalise_url(url) == url


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://example.org/feed?page=2", "https://example.org/feed?page=2"),
        ("https://ali:baba@example.org/feed", "https://***@example.org/feed"),
        ("https://example.org/feed?token=sesame&page=2", "https://example.org/feed?token=***&page=2"),
        ("https://example.org/?API-Key=sesame", "https://example.org/?API-Key=***"),
        ("https://example.org/?access_token=sesame", "https://example.org/?access_token=***"),
        ("https://example.org/?key=sesame&author=bob", "https://example.org/?key=***&author=bob"),
        ("https://example.org/?password=sesame", "https://example.org/?password=***"),
        ("https://[sesame", "***"),
    ],
)
def test_row_15_secrets_are_masked(url: str, shown: str) -> None:
    """Row 15: passwords and keys of an address are in no log, chat, status page or export."""
    assert mask_url(url) == shown


@pytest.mark.parametrize(
    ("link", "url"),
    [
        ("/news/1", "https://example.org/news/1"),
        ("2", "https://example.org/feeds/2"),
        ("//cdn.example.org/x", "https://cdn.example.org/x"),
        ("http://other.example.org/", "http://other.example.org/"),
        ("javascript:alert(1)", ""),
        ("java\nscript:alert(1)", ""),
        ("tg://user?id=1", ""),
        ("data:text/html,x", ""),
        ("http://[::1", ""),
        ("", ""),
    ],
)
def test_row_27_links_lead_to_the_web(link: str, url: str) -> None:
    """Row 27: links are absolute http or https, or none."""
    assert resolve_link("https://example.org/feeds/main.xml", link) == url


def test_host() -> None:
    """Hosts are compared in one form."""
    assert host_of("https://u@Example.ORG.:8080/x") == "example.org"
    assert host_of("https://[") == ""

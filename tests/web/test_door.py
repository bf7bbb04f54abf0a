"""Who may look, and who may act."""

import pytest

from bot.web.door import Door, is_encrypted, is_loopback, same_origin
from tests.fakes import FakeClock


def door(token: str = "", host: str = "127.0.0.1", *, public: bool = False, clock: FakeClock | None = None) -> Door:
    return Door(token, host=host, public=public, clock=clock or FakeClock())


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True), ("127.8.9.1", True), ("::1", True), ("[::1]", True), ("localhost", True), ("LOCALHOST", True),
        ("a.localhost", True), ("0.0.0.0", False), ("::", False), ("10.0.0.1", False), ("localhost.evil.example", False),
        ("127.0.0.1.nip.io", False), ("", False), ("2130706433", False),
    ],
)  # fmt: skip
def test_what_is_this_machine(host: str, loopback: bool) -> None:
    """Only what can be nothing else."""
    assert is_loopback(host) is loopback


@pytest.mark.parametrize(
    ("listens", "asked", "public", "shut"),
    [
        ("127.0.0.1", "127.0.0.1:8080", False, False),
        ("::1", "[::1]:8080", False, False),
        ("127.0.0.1", "localhost", False, False),
        ("127.0.0.1", "evil.example:8080", False, True),  # a name that was pointed here: DNS rebinding
        ("127.0.0.1", "127.0.0.1", True, True),  # a proxy brings the internet
        ("0.0.0.0", "127.0.0.1", False, True),
        ("192.168.1.5", "192.168.1.5", False, True),
        ("127.0.0.1", "[", False, True),
    ],
)
def test_without_a_token_only_this_machine_looks(listens: str, asked: str, public: bool, shut: bool) -> None:
    """And a token opens the door wherever it stands."""
    assert door(host=listens, public=public).shut(asked) is shut
    assert not door("hush", host=listens, public=public).shut(asked)


async def test_a_login_lasts_for_thirty_days_and_can_not_be_made_up() -> None:
    """The cookie is signed with the token, and holds nothing but its end."""
    clock = FakeClock()
    here = door("hush", clock=clock)
    cookie = await here.login("hush")
    assert "hush" not in cookie
    assert here.knows({}, cookie)
    until, signature = cookie.split(".")
    for forged in (
        "",
        ".",
        f"{int(until) + 1}.{signature}",
        f"{until}.{'0' * 64}",
        f"{until}.",
        "x.y",
        f"٣.{signature}",
        f"{until}.é",
    ):
        assert not here.knows({}, forged), forged
    assert not door("other", clock=clock).knows({}, cookie)
    clock.advance(31 * 86_400)
    assert not here.knows({}, cookie)


async def test_wrong_tokens_cost_time() -> None:
    """Whoever guesses waits, one after another."""
    clock = FakeClock()
    here = door("hush", clock=clock)
    assert [await here.login(wrong) for wrong in ("", "hus", "hush2", "é")] == [""] * 4
    assert clock.monotonic() >= 4
    assert await door("", clock=clock).login("") == ""


async def test_who_may_act() -> None:
    """A form of ours from our origin with a valid login, or the token itself; never without a token."""
    here = door("hush")
    cookie = await here.login("hush")
    word = here.word_for(cookie)
    own = {"Host": "t.example", "Origin": "https://t.example", "Sec-Fetch-Site": "same-origin"}
    assert here.may_act(own, cookie, word)
    assert here.may_act({"Host": "t.example"}, cookie, word)
    for headers, with_cookie, with_word in (
        (own, cookie, ""),
        (own, cookie, "x"),
        (own, "", word),
        ({**own, "Origin": "https://evil.example"}, cookie, word),
        ({"Host": "t.example", "Origin": "null"}, cookie, "x"),
        ({**own, "Sec-Fetch-Site": "cross-site"}, cookie, word),
        ({**own, "Sec-Fetch-Site": "same-site"}, cookie, word),
    ):
        assert not here.may_act(headers, with_cookie, with_word)
    assert here.may_act({"Host": "t.example", "Authorization": "Bearer hush"}, "", "")
    assert not here.may_act({"Host": "t.example", "Authorization": "Bearer hus"}, "", "")
    assert not here.may_act({"Host": "t.example", "Authorization": "Basic hush"}, "", "")
    assert not door("").may_act({"Host": "t.example", "Authorization": "Bearer "}, "", "")
    assert here.word_for("") == ""


def test_same_origin() -> None:
    """Ports count; what says nothing is no browser."""
    assert same_origin({"Host": "a:1", "Origin": "http://a:1"})
    assert not same_origin({"Host": "a:1", "Origin": "http://a:2"})
    assert same_origin({"Host": "a:1"})
    assert same_origin({"Host": "a:1", "Origin": "null", "Sec-Fetch-Site": "same-origin"})
    assert not same_origin({"Host": "a:1", "Origin": "null", "Sec-Fetch-Site": "cross-site"})


def test_a_cookie_is_for_https_alone_where_the_login_came_over_it() -> None:
    """What a proxy says of it is not asked."""
    assert is_encrypted({"Host": "t.example", "Sec-Fetch-Site": "same-origin"})
    assert not is_encrypted({"Host": "127.0.0.1:80", "Sec-Fetch-Site": "same-origin"})
    assert not is_encrypted({"Host": "t.example", "X-Forwarded-Proto": "https"})

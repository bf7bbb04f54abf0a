import os
import re
import tomllib
from pathlib import Path

import pytest

from bot.config import Config, example_path, from_environment, load_config, load_example
from bot.config.reader import SELECTORS
from bot.errors import ConfigError
from bot.model import Selectors

TOKEN = "123456:AAtest-token_of_no_bot"


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A working directory without a config.toml."""
    monkeypatch.chdir(tmp_path)


def written(text: str, name: str = "config.toml") -> Path:
    """The path of a file with this text."""
    path = Path(name)
    path.write_text(text, encoding="utf-8")
    return path


def problems(text: str, environ: dict[str, str] | None = None) -> list[str]:
    """What is wrong with a file of this text."""
    with pytest.raises(ConfigError) as caught:
        load_config(written(text), environ or {})
    return list(caught.value.problems)


def test_without_a_file_the_example_is_polled_and_the_sample_plays() -> None:
    """The newcomer's first start: console chat, real sources, sample wire, no secrets needed."""
    config = load_config(None, {})

    assert config.path is None
    assert config.sample
    assert config.console_enabled
    assert config.feeds == load_example().feeds
    assert len(config.feeds) >= 30
    assert config.store_url == "tinydb:///data/tocsin.json"
    assert (config.sources.interval, config.sources.allow_private_networks) == (600.0, False)
    assert (config.web.host, config.web.port) == ("127.0.0.1", None)
    assert config.secrets() == ()


def test_the_example_names_every_key_and_many_languages() -> None:
    """Who copies the example finds every key that the code knows, and sources in the languages that are promised."""
    text = example_path().read_text("utf-8")
    feeds = load_example().feeds

    keys = {"url", "base_url", "token", "bot_token", "app_token", "signing_secret", "interval", "host", "port"}
    keys |= {
        "allow_private_networks",
        "contact",
        "from_chats",
        "public_url",
        "enabled",
        "level",
        "name",
        "language",
        "tags",
        "owner",
    }
    keys |= {"type", *SELECTORS}
    assert {key for key in keys if not re.search(rf"^(# )?{key}(:| =)|  {key}:", text, re.MULTILINE)} == set()
    assert {"en", "ar", "tr", "ru", "fr", "de", "es"} <= {feed.language for feed in feeds}
    assert all(feed.name and feed.tags for feed in feeds)


def test_every_commented_default_of_the_example_is_the_default() -> None:
    """A comment that shows a key must show it as it is accepted."""
    text = re.sub(r"^# (port|enabled|level) =", r"\1 =", example_path().read_text("utf-8"), flags=re.MULTILINE)

    config = load_config(written(text), {})

    assert (config.web.port, config.console_enabled, config.log_level) == (8080, True, "info")


def test_the_file_is_found_by_argument_then_variable_then_place() -> None:
    """--config beats TOCSIN_CONFIG beats ./config.toml; a named file that is missing is never replaced by another."""
    here = written("[sources]\ninterval = 60\n")
    other = written("[sources]\ninterval = 61\n", "other.toml")
    third = written("[sources]\ninterval = 62\n", "third.toml")

    assert load_config(None, {}).sources.interval == 60
    assert load_config(None, {"TOCSIN_CONFIG": str(other)}).sources.interval == 61
    assert load_config(third, {"TOCSIN_CONFIG": str(other)}).sources.interval == 62
    assert load_config(None, {}).path == here
    assert not load_config(None, {}).sample
    with pytest.raises(ConfigError, match=r"nowhere\.toml: there is no such file"):
        load_config(None, {"TOCSIN_CONFIG": "nowhere.toml"})


def test_the_environment_beats_the_file() -> None:
    """Platforms configure by environment, and secrets stay out of files."""
    path = written('[telegram]\ntoken = "1:file"\n[web]\nport = 1\n[store]\nurl = "tinydb:///x.json"\n')
    environ = {
        "TELEGRAM_BOT_TOKEN": TOKEN,
        "SLACK_BOT_TOKEN": "xoxb-1",
        "SLACK_APP_TOKEN": "xapp-1",
        "SLACK_SIGNING_SECRET": "shh",
        "DATABASE_URL": "postgres://me:secret@db/x",
        "PORT": "8080",
        "LOG_LEVEL": "DEBUG",
    }

    config = load_config(path, environ)

    assert config.telegram.token == TOKEN
    assert (config.slack.bot_token, config.slack.app_token, config.slack.signing_secret) == ("xoxb-1", "xapp-1", "shh")
    assert config.store_url == "postgres://me:secret@db/x"
    assert config.web.port == 8080
    assert (config.log_level, config.log_level_given) == ("debug", True)
    assert (config.has_telegram, config.has_slack, config.console_enabled) == (True, True, False)
    assert load_config(path, {"PORT": ""}).web.port == 1


def test_secrets_may_stand_in_files_of_their_own() -> None:
    """NAME_FILE is how containers and systemd hand over secrets; the last line feed is not part of one."""
    secret = written(f"{TOKEN}\n", "token")

    config = load_config(None, {"TELEGRAM_BOT_TOKEN_FILE": str(secret)})

    assert config.telegram.token == TOKEN
    with pytest.raises(ConfigError, match="TELEGRAM_BOT_TOKEN_FILE too"):
        load_config(None, {"TELEGRAM_BOT_TOKEN_FILE": str(secret), "TELEGRAM_BOT_TOKEN": TOKEN})
    with pytest.raises(ConfigError, match=r"SLACK_BOT_TOKEN_FILE: gone can't be read"):
        load_config(None, {"SLACK_BOT_TOKEN_FILE": "gone"})


def test_sources_become_feeds_in_their_order() -> None:
    """What the operator lists is what is polled, with every wish kept."""
    path = written(
        """
        [[source]]
        url = "https://b.example/feed"
        [[source]]
        url = "http://a.example:8080/x?y=1"
        name = "A"
        language = "TR"
        tags = ["war", "world"]
        interval = 30
        owner = "O"
        """
    )

    first, second = load_config(path, {}).feeds

    assert (first.id, first.name, first.interval, first.origin) == ("https://b.example/feed", "", None, "config")
    assert (second.id, second.name, second.language) == ("http://a.example:8080/x?y=1", "A", "tr")
    assert (second.tags, second.interval, second.owner) == (("war", "world"), 30.0, "O")


def test_a_source_may_be_a_page() -> None:
    """Selectors go with the source; what is left out has its default."""
    text = """[[source]]
        url = "https://a.example/news"
        type = "page"
        item = "article.news, li > a"
        caption = "figcaption"
        """
    (feed,) = load_config(written(text), {}).feeds
    assert feed.selectors == Selectors("article.news, li > a", caption="figcaption")


def test_selectors_are_checked_before_the_first_poll() -> None:
    """What the HTML parser would refuse, or nobody would look at, is told with its line."""
    source = "[[source]]\nurl = 'https://a.example/'\n"
    assert problems(f"{source}type = 'page'\nitem = 'div[['\ntitle = ''\nlink = 3\n") == [
        "config.toml:4: source[1].item: is not a CSS selector (got 'div[[')",
        "config.toml:5: source[1].title: must not be empty",
        "config.toml:6: source[1].link: must be a text in quotes (got 3)",
    ]
    missing = "config.toml:1: source[1].item: is missing: a CSS selector that matches each item of the page"
    assert problems(f"{source}type = 'page'\n") == [missing]
    assert problems(f"{source}type = 'rss'\nitem = 'a'\n") == [
        'config.toml:3: source[1].type: must be "feed" or "page" (got \'rss\')'
    ]
    for kind in ("", "type = 'feed'\n"):
        (problem,) = problems(f"{source}{kind}item = 'a'\n")
        assert problem.endswith('source[1].item: is for sources with type = "page"')


def test_every_problem_is_told_at_once_with_its_key_and_line() -> None:
    """The operator corrects a file in one go."""
    found = problems(
        """[sources]
interval = "x"
intervall = 5
allow_private_networks = ["10.0.0.0/8", "lan"]

[[source]]
name = "no address"

[[source]]
url = "file:///etc/passwd"
tag = ["x"]
language = "english"

[[source]]
url = "https://a.example/"

[[source]]
url = "https://a.example/"
[soruces]
[console]
enabled = 1
""",
        {"PORT": "http"},
    )

    assert sorted(found) == sorted(
        [
            "config.toml:2: sources.interval: must be a number of seconds, at least 1 (got 'x')",
            "config.toml:3: sources.intervall: is not a key; did you mean sources.interval?",
            "config.toml:4: sources.allow_private_networks: must be a list of networks; 'lan' is none",
            "config.toml:6: source[1].url: is missing: the address of the feed",
            "config.toml:10: source[2].url: must be an address that begins with https:// or http://",
            "config.toml:11: source[2].tag: is not a key; did you mean source.tags?",
            "config.toml:12: source[2].language: must be a two-letter code of ISO 639-1, like en or ar (got 'english')",
            "config.toml:18: source[4].url: is listed twice",
            "config.toml:19: soruces: is not a table that is known here",
            "config.toml:21: console.enabled: must be true or false (got 1)",
            "PORT: must be a port, 0 to 65535 (got 'http')",
        ]
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[sources\n", "config.toml:1: is not valid TOML"),
        ("a = 1\na = 2\n", "is not valid TOML"),
        ("[source]\nurl = 'https://a.example/'\n", "config.toml:2: source.url: must stand in a table of its own"),
        ("store = 5\n", "config.toml:1: store: is a table: write [store] on a line"),
        ("x = " + "[" * 5000, "is nested too deeply"),
        ("[sources]\ninterval = nan\n", "sources.interval: must be a number of seconds"),
        ("[sources]\ninterval = true\n", "sources.interval: must be a number of seconds"),
        ("[store]\nurl = 'sqlite:///x'\n", "config.toml:2: store.url: must begin with tinydb:///"),
        ("[store]\nurl = 'postgresql://u:p@[h/d'\n", "config.toml:2: store.url: must begin with tinydb:///"),
        ("[telegram]\ntoken = 'xyz'\n", "config.toml:2: telegram.token: is not a bot token"),
        ("[slack]\nbot_token = 'xoxb-1'\n", "config.toml:1: slack.app_token: is missing"),
        ("[slack]\napp_token = 'xapp-1'\n", "config.toml:1: slack.bot_token: is missing"),
        ("[slack]\nbot_token = 'xoxb-1'\nsigning_secret = 's'\n", "web.port: is missing"),
        ("[log]\nlevel = 'loud'\n", "config.toml:2: log.level: must be one of debug, info"),
        ("[[source]]\nurl = 'http://[::1'\n", "config.toml:2: source[1].url: must be an address"),
    ],
)
def test_what_cant_be_meant_is_refused_in_one_line(text: str, problem: str) -> None:
    """Each mistake names its place and what would be right, with no traceback and no line feed."""
    (found,) = problems(text)

    assert problem in found
    assert "\n" not in found


def test_a_file_that_is_no_text_is_refused() -> None:
    """A binary file or a folder named by mistake is told, not traced."""
    Path("config.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="is not UTF-8 text"):
        load_config(None, {})
    with pytest.raises(ConfigError, match="can't be read"):
        load_config(Path(), {})


def test_no_problem_shows_a_secret() -> None:
    """Problems are printed and pasted into bug reports."""
    text = "[telegram]\ntoken = 'hunter2 x'\n[slack]\nbot_token = 'hunter2'\n[store]\nurl = 'mysql://u:hunter2@h/d'\n"
    text += "[web]\npublic_url = 'ftp://u:hunter2@h'\n[[source]]\nurl = 'ftp://u:hunter2@h'\n"

    assert "hunter2" not in "".join(problems(text))


def test_secrets_are_named_for_the_log_and_hidden_in_repr() -> None:
    """The redactor gets every secret, those inside addresses too; printing a Config shows none."""
    path = written(
        "[[source]]\nurl = 'https://u:feedpass@a.example/x?api_key=querykey&page=2'\n[web]\ntoken='webtoken'\n"
    )
    environ = {"TELEGRAM_BOT_TOKEN": TOKEN, "DATABASE_URL": "postgresql://u:dbpass@h/d"}
    environ |= {"SLACK_BOT_TOKEN": "xoxb-b", "SLACK_APP_TOKEN": "xapp-a", "SLACK_SIGNING_SECRET": "signing"}

    config = load_config(path, environ)

    secrets = {TOKEN, "xoxb-b", "xapp-a", "signing", "webtoken", "dbpass", "feedpass", "querykey"}
    assert set(config.secrets()) == secrets
    assert not [s for s in secrets - {"feedpass", "querykey"} if s in repr(config)]


def test_base_addresses_have_one_form() -> None:
    """Adapters join paths to them, with or without the slash that the operator typed."""
    path = written('[telegram]\nbase_url = "http://127.0.0.1:9/"\n[slack]\nbase_url = "http://127.0.0.1:9/api"\n')

    config = load_config(path, {})

    assert config.telegram.base_url == "http://127.0.0.1:9"
    assert config.slack.base_url == "http://127.0.0.1:9/api/"


def test_the_real_environment_is_read_here_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """`from_environment` is the one door to os.environ."""
    for name in list(os.environ):
        if name.startswith(("TELEGRAM_", "SLACK_", "TOCSIN_CONFIG", "DATABASE_URL", "PORT", "LOG_LEVEL")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("LOG_LEVEL", "error")

    config = from_environment()

    assert config == Config(feeds=config.feeds, sample=True, log_level="error", log_level_given=True)


def test_the_example_is_in_the_wheel() -> None:
    """An installed package finds the example, because the build puts it beside the code."""
    build = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"][
        "build"
    ]

    assert build["targets"]["wheel"]["force-include"] == {"config.example.toml": "bot/config.example.toml"}

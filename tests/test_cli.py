import asyncio
import io
import json
import logging
import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import MappingProxyType

import pytest

from bot.cli import main
from bot.config.reader import ENVIRONMENT
from bot.model import FeedId, HubLease, HubState
from bot.store import open_store
from tests.test_dryrun import FEED, rss

ROOT = str(Path(__file__).parent.parent)


class _Site(BaseHTTPRequestHandler):
    """A publisher on loopback: /feed is one; /one and /two are pages that name one feed and two; /gone answers 404."""

    pages = MappingProxyType({
        "/feed": FEED,
        "/world.xml": FEED,
        "/one": b'<html><link rel=alternate type="application/rss+xml" href=/world.xml></html>',
        "/two": b'<html><link rel=feed href=/world.xml><link rel=feed href="/feed?page=1"></html>',
        "/feed?page=1": FEED,
        "/page": b"""<html lang=en><title>Harbour Page</title><ul>
            <li><h3>Launcher seen</h3><a href=/1>more</a><p>Why.</p><img src=x alt="A launcher">
            <time datetime="2026-11-02T08:00:00Z">today</time>
            <li><a href=/2>Gate closed</a></ul>""",
    })  # fmt: skip

    def do_GET(self) -> None:
        page = self.pages.get(self.path)
        self.send_response(404 if page is None else 200)
        self.send_header("Content-Type", "application/rss+xml")
        self.end_headers()
        self.wfile.write(page or b"")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class names it
        """Quietly."""


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    """The address of a publisher."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Site)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory of its own."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "feed.xml").write_bytes(FEED)
    return tmp_path


def process(*args: str, stdin: str = "", **environ: str) -> subprocess.CompletedProcess[str]:
    """The real command as a process, in this directory, with nothing but these variables."""
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": ROOT, "HOME": str(Path.cwd()), **environ}
    return subprocess.run(
        [sys.executable, "-m", "bot", *args],
        input=stdin,
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def tocsin(*args: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """The same within this process, which spares a second of imports each time."""
    out, err = io.StringIO(), io.StringIO()
    root = logging.getLogger()
    before = root.level, list(root.handlers), logging.raiseExceptions
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.setattr(sys, "argv", ["tocsin", *args])
        for name in [*ENVIRONMENT, "TOCSIN_CONFIG"]:
            patch.delenv(name, raising=False)
        for name, value in environ.items():
            patch.setenv(name, value)
        try:
            with pytest.raises(SystemExit) as ended:
                main()
        finally:
            root.handlers[:] = before[1]
            root.setLevel(before[0])
            logging.raiseExceptions = before[2]
            logging.captureWarnings(capture=False)
    code = ended.value.code
    return subprocess.CompletedProcess(args, code if isinstance(code, int) else 1, out.getvalue(), err.getvalue())


def test_a_process_ends_without_being_taken_down_piece_by_piece() -> None:
    """Row 47: that takes longer than the stop itself, and on a busy machine longer than a stop may take."""
    script = (
        "import sys\nclass Piece:\n    def __del__(self): print('taken down', flush=True)\n"
        "piece = Piece()\nsys.argv = ['tocsin', {!r}]\nfrom bot.__main__ import start\nstart()\n"
    )
    for word, code, said in (("--version", 0, "tocsin"), ("nonsense", 2, "")):
        run = subprocess.run([sys.executable, "-c", script.format(word)], capture_output=True, text=True, check=False)
        assert run.returncode == code
        assert run.stdout.startswith(said)
        assert "taken down" not in run.stdout


def configured(site: str, *paths: str, more: str = "") -> None:
    """A config.toml that polls these pages of the site."""
    sources = "".join(f'[[source]]\nurl = "{site}{path}"\nname = "Site {path}"\n' for path in paths)
    text = f'[sources]\nallow_private_networks = ["127.0.0.0/8"]\ninterval = 1\n{more}\n{sources}'
    Path("config.toml").write_text(text, encoding="utf-8")


def failed(done: subprocess.CompletedProcess[str], code: int = 1) -> str:
    """The one line on standard error of a command that failed."""
    assert done.returncode == code, (done.stdout, done.stderr)
    assert "Traceback" not in done.stderr
    (line,) = done.stderr.splitlines()
    return line


def test_help_version_and_wrong_usage(home: Path) -> None:
    """0 for what was asked, 2 for wrong usage; help needs no configuration and reads none."""
    (home / "config.toml").write_text("broken")

    assert process("--version").stdout == "tocsin 0.1.0\n"
    helped = process("--help")
    assert helped.returncode == 0
    assert all(name in helped.stdout for name in ("run", "try", "stories", "check", "status", "feeds", "db"))
    for wrong in (("nothing",), ("try",), ("run", "--often"), ("feeds", "add")):
        done = tocsin(*wrong)
        assert (done.returncode, done.stdout) == (2, "")
        assert "Traceback" not in done.stderr


def test_a_failure_is_one_line_without_a_traceback(home: Path) -> None:
    """What a person can do wrong: a missing file, a bad query, a broken configuration, no store yet."""
    assert "nowhere.xml: there is no such file" in failed(tocsin("try", "Idlib", "nowhere.xml"))
    assert "(Idlib OR" in failed(tocsin("try", "(Idlib OR", "feed.xml"))
    assert "nothing to search" in failed(tocsin("try", "", "feed.xml"))
    assert "`tocsin init none.toml` writes it" in failed(process("run", "--config", "none.toml"))
    (home / "config.toml").write_text('[store]\nurl = "tinydb:////dev/null/data/tocsin.json"\n')
    assert "give another in [store] url" in failed(tocsin("run", "--once"))
    (home / "config.toml").unlink()
    assert "no store yet" in failed(tocsin("status"))
    assert "no store yet" in failed(tocsin("db", "check"))
    assert "PORT: must be a port" in failed(tocsin("run", PORT="x"))
    (home / "config.toml").write_text("[sources]\ninterval = 0\n[sourcse]\nx = 1\n")
    done = tocsin("check")
    assert done.returncode == 1
    assert [line.split(": ")[1] for line in done.stderr.splitlines()] == ["config.toml:2", "config.toml:4"]


def test_try_prints_json_lines_and_nothing_else(home: Path) -> None:
    """The contract for scripts; and the same for people, with the count."""
    done = tocsin("try", "Idlib, convoy", "feed.xml", "--json")

    assert (done.returncode, done.stderr) == (0, "")
    records = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(r["id"], r["matched"]) for r in records] == [("g3", ["convoy"]), ("g2", ["Idlib"])]

    people = tocsin("try", "Idlib", "feed.xml")
    assert people.stdout.splitlines()[0] == "Observers cross into Idlib"
    assert people.stdout.splitlines()[-1] == "1 of 3 entries match, in 1 stories."
    assert tocsin("try", "nothing-like-it", "feed.xml", "--json").stdout == ""


def test_stories_puts_every_entry_into_exactly_one(home: Path) -> None:
    """One JSON line a story, oldest first."""
    done = tocsin("stories", "feed.xml", "--json")

    records = [json.loads(line) for line in done.stdout.splitlines()]
    assert [[e["id"] for e in r["entries"]] for r in records] == [["g1"], ["g2"], ["g3"]]
    assert {e["kind"] for r in records for e in r["entries"]} == {"first"}
    assert "3 entries in 3 stories." in tocsin("stories", "feed.xml").stdout


def test_news_can_not_steer_the_terminal(home: Path) -> None:
    """What is printed for people carries no control character of a feed."""
    (home / "evil.xml").write_bytes(rss("Evil", ("g", "\x9b31mIdlib &#x9b;2J \u202e", "x &#27;]0;y", "")))

    done = tocsin("try", "Idlib", "evil.xml")

    assert done.returncode == 0
    assert not set(done.stdout) & {chr(c) for c in (*range(10), *range(11, 32), *range(127, 160))}


def test_a_reader_that_goes_away_is_no_failure_to_explain(home: Path) -> None:
    """`tocsin try … | head -1` ends quietly."""
    # more than a pipe holds, so that the end of its reader is noticed
    many = [(f"g{n}", f"Idlib {n} {'x' * 400}", "", "") for n in range(400)]
    (home / "many.xml").write_bytes(rss("Many", *many))
    args = [sys.executable, "-m", "bot", "try", "Idlib", "many.xml", "--json"]
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": ROOT}
    running = subprocess.Popen(args, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert running.stdout is not None
    assert running.stderr is not None
    running.stdout.readline()
    running.stdout.close()

    assert running.stderr.read() == b""
    running.stderr.close()
    running.wait(20)


def test_private_addresses_need_the_operators_leave(home: Path, site: str) -> None:
    """A dry run reaches no further than the bot itself would."""
    line = failed(tocsin("try", "Idlib", f"{site}/feed"))
    assert "can't be fetched" in line

    configured(site)
    assert tocsin("try", "Idlib", f"{site}/feed", "--json").stdout.count("\n") == 1


def test_feeds_are_added_listed_exported_imported_and_removed(home: Path, site: str) -> None:
    """The operator's list beside the configuration's, and out of it into another reader and back."""
    configured(site, "/feed")
    secret = "https://reader:hunter2@news.example/feed"

    assert tocsin("feeds", "add", secret, "--name", "News", "--tag", "war", "--force").returncode == 0
    assert "is listed already" in failed(tocsin("feeds", "add", secret))
    assert "is listed already" in failed(tocsin("feeds", "add", f"{site}/feed"))
    assert "only http" in failed(tocsin("feeds", "add", "file:///etc/passwd"))
    listed = tocsin("feeds", "list", "--json")
    rows = [json.loads(line) for line in listed.stdout.splitlines()]
    assert [(row["name"], row["origin"]) for row in rows] == [("News", "added"), ("Site /feed", "config")]
    exported = tocsin("feeds", "export").stdout
    assert "hunter2" not in listed.stdout + exported
    Path("out.opml").write_text(exported.replace("news.example", "other.example"), encoding="utf-8")
    assert tocsin("feeds", "import", "out.opml").stdout == "Added 1 of 2 feeds; 1 was listed already.\n"
    assert "remove it there" in failed(tocsin("feeds", "remove", f"{site}/feed"))
    assert "is not listed" in failed(tocsin("feeds", "remove", "https://unknown.example/"))
    assert tocsin("feeds", "remove", secret).returncode == 0
    assert "news.example" not in tocsin("feeds", "list").stdout
    Path("bad.opml").write_text("not xml")
    assert "bad.opml" in failed(tocsin("feeds", "import", "bad.opml"))
    lines = "".join(
        f'<outline xmlUrl="{url}"/>' for url in ("http://10.0.0.5/x", "http://[::1]/", "https://open.example/")
    )
    Path("inside.opml").write_text(f"<opml><body>{lines}</body></opml>")
    given = tocsin("feeds", "import", "inside.opml")
    assert given.stdout == "Added 1 of 3 feeds; 0 were listed already.\n"
    assert "2 on private addresses left out" in given.stderr


def test_row_11_disguised_addresses_are_not_imported(home: Path, site: str) -> None:
    """Rows 11, 12, 70: what every poll would refuse is refused when it is listed, by its address and with the reason."""
    configured(site)
    Path("config.toml").write_text("")
    odd = (
        "2130706433",
        "0x7f.1",
        "0177.0.0.1",
        "127.1",
        "127.0.0.1.",
        "①②⑦.⓪.⓪.①",
        "127。0。0。1",
        "localhost",
        "[::ffff:7f00:1]",
    )
    lines = "".join(f'<outline xmlUrl="http://{host}/"/>' for host in odd) + '<outline xmlUrl="file:///etc/passwd"/>'
    Path("odd.opml").write_text(f"<opml><body>{lines}</body></opml>", encoding="utf-8")
    given = tocsin("feeds", "import", "odd.opml")
    assert given.stdout == "Added 0 of 10 feeds; 0 were listed already.\n"
    assert "5 with addresses that can't be polled left out: http://2130706433/ (not a valid address)" in given.stderr
    assert "5 on private addresses left out" in given.stderr
    assert "not a valid address" in failed(tocsin("feeds", "add", "http://2130706433/", "--force"))


def test_a_feed_is_added_after_a_look_at_it(home: Path, site: str) -> None:
    """What is no feed, can't be reached or is private is refused with the reason, before it fails every day."""
    assert "not a public one" in failed(tocsin("feeds", "add", f"{site}/feed"))
    assert "not a public one" in failed(tocsin("feeds", "add", f"{site}/feed", "--force"))
    configured(site)
    assert "404" in failed(tocsin("feeds", "add", f"{site}/gone"))
    assert "can't be reached" in failed(tocsin("feeds", "add", "http://127.0.0.1:1/feed"))
    assert tocsin("feeds", "add", "http://127.0.0.1:1/feed", "--force").returncode == 0
    done = tocsin("feeds", "add", f"{site}/feed")
    assert (done.returncode, done.stdout) == (0, f"Added {site}/feed.\n")


def test_a_sites_address_is_enough(home: Path, site: str) -> None:
    """One feed behind it is taken; of several the choices are shown, and without a terminal nothing is guessed."""
    configured(site)
    several = tocsin("feeds", "add", f"{site}/two")
    assert "has 2 feeds" in failed(several)
    assert f"1  {site}/world.xml\n" in several.stdout
    assert f"2  {site}/feed?page=1\n" in several.stdout
    assert "entries · newest" in several.stdout
    assert tocsin("feeds", "list").stdout == ""
    assert f"Added {site}/world.xml." in tocsin("feeds", "add", f"{site}/two", "--yes").stdout
    assert "listed already" in failed(tocsin("feeds", "add", f"{site}/one"))
    tocsin("feeds", "remove", f"{site}/world.xml")
    assert f"Added {site}/world.xml." in tocsin("feeds", "add", f"{site}/one").stdout


@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")
@pytest.mark.parametrize(
    ("typed", "added"), [("9\n2,1\n", ["/feed?page=1", "/world.xml"]), ("0\n", []), ("\n", ["/world.xml"])]
)
def test_on_a_terminal_the_operator_picks(home: Path, site: str, typed: str, added: list[str]) -> None:
    """Numbers are asked for until they make sense; none is an answer too."""
    import pty

    configured(site)
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "bot", "feeds", "add", f"{site}/two"]
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": ROOT, "HOME": str(home), "TERM": "dumb"}
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=env) as process:
        os.close(theirs)
        os.write(ours, typed.encode())
        shown = b""
        with suppress(OSError):  # Linux says EIO when the other end is closed
            while part := os.read(ours, 4096):
                shown += part
        assert process.wait(60) == 0, shown.decode()
    os.close(ours)
    assert re.findall(r"Added (\S+)\.\r", shown.decode()) == [f"{site}{path}" for path in added]
    assert b"newest" in shown


def test_a_preview_shows_what_is_caught(home: Path, site: str) -> None:
    """The operator tries selectors on the page itself, by its name or address, before anything is polled."""
    page = f'[[source]]\nurl = "{site}/page"\nname = "Harbour"\ntype = "page"\nitem = "li"\nsummary = "p"\n'
    configured(site, more=f'[log]\nlevel = "warning"\n{page}')
    for named in ("harbour", f"{site}/page"):
        shown = tocsin("feeds", "preview", named).stdout
        assert "Harbour Page · 2 entries" in shown
        assert f"Launcher seen\n  {site}/1 · 2026-11-02 08:00+00:00\n  summary: Why.\n  caption: A launcher\n" in shown
    records = [json.loads(line) for line in tocsin("feeds", "preview", "Harbour", "--json").stdout.splitlines()]
    assert [record["title"] for record in records] == ["Launcher seen", "Gate closed"]
    assert "entries" in tocsin("feeds", "preview", f"{site}/feed").stdout.splitlines()[0]
    assert "no source has this name" in failed(tocsin("feeds", "preview", "Nobody"))
    assert "404" in failed(tocsin("feeds", "preview", f"{site}/gone"))

    configured(site, more=page.replace('"li"', '"li.new"'))
    line = failed(tocsin("feeds", "preview", "Harbour"))
    assert "nothing on the page matches 'li.new'" in line
    assert "nothing on the page" in tocsin("check").stdout
    exported = tocsin("feeds", "export")
    assert "1 of 1 sources are pages" in exported.stderr
    assert f"{site}/page" not in exported.stdout


def test_the_slack_manifest_is_json_to_paste(home: Path) -> None:
    """For Socket Mode by default, and with the address of requests where there is one and no app token."""
    socket = json.loads(tocsin("slack", "manifest").stdout)
    (home / "config.toml").write_text('[web]\nport = 1\npublic_url = "https://bot.example"\n', encoding="utf-8")
    http = tocsin("slack", "manifest", SLACK_BOT_TOKEN="xoxb-1", SLACK_SIGNING_SECRET="s").stdout

    assert socket["settings"]["socket_mode_enabled"] is True
    assert json.loads(http)["settings"]["socket_mode_enabled"] is False
    assert "https://bot.example/slack" in http


def test_check_tells_what_is_broken_and_fails(home: Path, site: str) -> None:
    """The doctor: a verdict for each thing, exit 1 when one is broken, 0 when all is well."""
    configured(site, "/feed", "/gone")
    done = tocsin("check", "--json", TELEGRAM_BOT_TOKEN="123456:of-no-bot-at-all", LOG_LEVEL="error")
    found = {r["what"]: r for r in map(json.loads, done.stdout.splitlines())}
    assert done.returncode == 1
    assert found["configuration"]["verdict"] == "ok"
    assert found["slack"]["verdict"] == "off"
    assert found["telegram"]["verdict"] == "broken"
    assert found["Site /feed"] == {"what": "Site /feed", "verdict": "ok", "detail": "3 entries"}
    assert found["Site /gone"]["verdict"] == "broken"
    assert "of-no-bot-at-all" not in done.stdout + done.stderr

    assert "feeds add" in found["Site /gone"]["repair"]

    configured(site, "/feed")
    well = tocsin("check")
    assert well.returncode == 0
    assert "ok      Site /feed" in well.stdout


def test_check_and_status_tell_of_hubs(home: Path, site: str) -> None:
    """A source with a WebSub hub: the hub, the lease and the last post, or why it is polled instead."""
    configured(site, "/feed", more="[console]\nenabled = true")
    assert process("run", "--once", stdin="/help\n").returncode == 0
    now = datetime.now(UTC)

    async def lease() -> None:
        store = await open_store("tinydb:///data/tocsin.json")
        feed = FeedId(f"{site}/feed")
        hub = HubLease("key", feed, "https://hub.example/", feed, "hush", now, HubState.ACTIVE, now + timedelta(days=9))
        # at an interval of a second a post of now would be old before the last command ran
        await store.put_hub_lease(replace(hub, last_push=now + timedelta(hours=1)))
        await store.close()

    asyncio.run(lease())
    assert "WebSub: https://hub.example/: lease until" in tocsin("check").stdout
    assert "hub          Site /feed: https://hub.example/: lease until" in tocsin("status").stdout
    [hub] = json.loads(tocsin("status", "--json").stdout)["hubs"]
    assert (hub["standing"], hub["source"]) == ("posts", "Site /feed")
    assert "hush" not in tocsin("check", "--json").stdout + json.dumps(hub)


def test_check_tells_of_this_machine(home: Path, site: str) -> None:
    """Tokens that others can read, a disk that forgets, a port that is taken: warnings, which --strict counts."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        token = '[telegram]\ntoken = "123456:of-no-bot-at-all"\nbase_url = "http://127.0.0.1:1"\n'
        configured(site, "/feed", more=f"[web]\nport = {port}\n{token}")
        (home / "config.toml").chmod(0o644)
        done = tocsin("check", "--json", DYNO="worker.1")
        found = [json.loads(line) for line in done.stdout.splitlines()]
    told = {(r["what"], r["verdict"]): r for r in found}
    assert "chmod 600" in told["secrets", "warning"]["repair"]
    assert "DATABASE_URL" in told["disk", "warning"]["repair"]
    assert "another program" in told["web", "warning"]["repair"]
    assert told["telegram", "broken"]["repair"]

    configured(site, "/feed")
    assert tocsin("check", DYNO="worker.1").returncode == 0
    assert "1 with warnings" in failed(tocsin("check", "--strict", DYNO="worker.1"))
    assert tocsin("check", "--strict").returncode == 0


def test_run_once_answers_polls_delivers_and_ends(home: Path, site: str) -> None:
    """For cron: commands on standard input are answered, sources are polled, and the store tells what happened."""
    configured(site, "/feed", more="[console]\nenabled = true")

    done = process("run", "--once", stdin="/subscribe Idlib\n/help\n")

    assert done.returncode == 0, done.stderr
    assert "Idlib" in done.stdout
    assert "/unsubscribe" in done.stdout
    status = json.loads(tocsin("status", "--json").stdout)
    assert (status["sources"], status["failing"], status["stories"], status["subscriptions"]) == (1, 0, 3, 1)
    assert (status["held"], status["failed"], status["oldest_held_seconds"]) == (0, 0, None)
    parts = ("rung", "grown", "developed", "folded", "held", "muted", "failed")
    assert status["matched"] == sum(status[part] for part in parts)
    assert "sources        1 (0 failing)" in tocsin("status").stdout
    sound = tocsin("db", "check").stdout
    assert "sound: 1 source, 3 entries, 3 stories, 1 chat, 1 subscription, " in sound
    assert "1 chat, 1 subscription, " in tocsin("check").stdout

    here, there = "tinydb:///data/tocsin.json", "tinydb:///data/copy.json"
    assert " 1 subscription, " in tocsin("db", "copy", here, there).stdout
    assert json.loads(tocsin("status", "--json", DATABASE_URL=there).stdout)["subscriptions"] == 1
    assert "postgresql" in failed(tocsin("db", "copy", here, "mysql://u:hunter2@h/d"))
    (home / "data" / "tocsin.json").write_bytes(b"this is no store")
    assert failed(tocsin("db", "check"))
    assert '"store", "verdict": "broken"' in tocsin("check", "--json").stdout

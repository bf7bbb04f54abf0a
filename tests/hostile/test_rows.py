"""Rows of the threat table that need the whole process: what leaks, what can be forged, what floods the log.

The rows about bodies, redirects, addresses and documents are in tests/sources, about polling in tests/test_poll.py.
"""

import asyncio
import socket
from pathlib import Path

import aiohttp

from tests.e2e.process import Bot
from tests.e2e.test_telegram import eventually
from tests.e2e.test_websub import connects, free_port
from tests.hostile.documents import item, rss
from tests.hostile.hub import Hub
from tests.hostile.server import Answer, HostileServer

SECRET = "sesame0pen"


async def raw(port: int, data: bytes) -> None:
    """Bytes as they are, and what comes back is not waited for."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(data)
    try:
        async with asyncio.timeout(5):
            await writer.drain()
            await reader.read(10_000)
    except (TimeoutError, OSError):
        pass
    writer.close()


async def test_rows_67_68_69_nothing_leaks_floods_or_is_forged(tmp_path: Path) -> None:
    """Row 67: no secret of a source or hub in any output. Row 68: whatever is posted from outside, it writes no line of its
    own choosing, and a flood writes few. Row 69: there is no OAuth to forge: its usual addresses are not there.
    """
    port = free_port()
    with HostileServer() as press:
        async with Hub() as hub:
            feed = press.url(f"/feed?api_key={SECRET}").replace("//", f"//ann:{SECRET}@", 1)
            topic = press.url("/feed")
            atom = "xmlns:atom='http://www.w3.org/2005/Atom'"
            links = f"<atom:link {atom} rel='hub' href='{hub.url}?token={SECRET}'/><atom:link {atom} rel='self' href='{topic}'/>"
            press.pages["/feed"] = Answer(rss(item(1, "An old report"), links))
            broken = press.url(f"/status?code=500&token={SECRET}").replace("//", f"//ann:{SECRET}@", 1)
            bot = Bot(
                tmp_path,
                f'[store]\nurl = "tinydb:///{tmp_path / "store.json"}"\n'
                f'[web]\nport = {port}\npublic_url = "http://127.0.0.1:{port}"\n'
                '[sources]\ninterval = 3600\nallow_private_networks = ["127.0.0.0/8"]\n[log]\nlevel = "debug"\n'
                f'[[source]]\nurl = "{feed}"\nname = "North Wire"\n[[source]]\nurl = "{broken}"\n'
                "[console]\nenabled = true\n",
            )
            await bot.once("/sources\n/status\n")
            await bot.start(stdin="")
            await eventually(lambda: connects(port) and topic in hub.subscribed, "a subscription", within=90)
            before = bot.errors.read_text().count("\n")
            forged = b'level=critical event="all is lost" \x1b[31m' + b"A" * 100_000
            for n in range(40):
                await raw(port, b"POST /websub/%d HTTP/1.1\r\nHost: x\r\nX: level=critical event=lost\r\n\r\n" % n)
                await raw(port, b"GET /\r\nlevel=critical event=lost\r\n" + b"\n" * n)
            path = hub.asked[0]["hub.callback"]
            async with aiohttp.ClientSession() as session:
                for headers in (
                    {"X-Hub-Signature": "sha256=" + "0" * 64},
                    {"X-Hub-Signature": "level=critical event=lost"},
                ):
                    async with session.post(path, data=forged, headers=headers) as answer:
                        assert answer.status == 202
                for there in ("/slack/install", "/slack/oauth_redirect?code=x&state=y", "/oauth/v2/authorize"):
                    async with session.get(f"http://127.0.0.1:{port}{there}") as answer:
                        assert answer.status in {401, 404}
            await bot.stop(within=60)
            written = bot.errors.read_text()
            assert "level=critical" not in written
            assert "all is lost" not in written
            assert "\x1b" not in written
            assert written.count("\n") - before < 60
            assert max(map(len, written.splitlines())) < 5000
            for secret in (SECRET, hub.asked[0]["hub.secret"], path.rpartition("/")[2]):
                assert secret not in written
                assert secret not in bot.printed()


async def test_row_13_our_own_ports_as_a_feed(tmp_path: Path) -> None:
    """Row 13: the bot's own web server and a port beside it are refused in the same words, when added and when polled."""
    port = free_port()
    with socket.create_server(("127.0.0.1", port)) as listening:
        texts = []
        for address in (port, free_port()):
            process = await asyncio.create_subprocess_exec(
                "python3", "-m", "bot", "feeds", "add", f"http://127.0.0.1:{address}/", "--force",
                cwd=tmp_path, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
                env={"PYTHONPATH": str(Path(__file__).parents[2]), "PATH": str(Path(__import__("sys").executable).parent)},
            )  # fmt: skip
            out, _ = await process.communicate()
            assert process.returncode == 1
            texts.append(out.decode().replace(str(address), "PORT"))
        assert texts[0] == texts[1]
        listening.settimeout(0.1)
        try:
            listening.accept()
        except TimeoutError:
            return
        raise AssertionError("it was connected to")

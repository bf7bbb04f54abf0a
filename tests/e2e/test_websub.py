"""The real process with a hub on loopback: found at the first poll, and heard long before the next one."""

import socket
import time
from pathlib import Path

from tests.e2e.process import Bot
from tests.e2e.test_telegram import eventually
from tests.hostile.documents import item, rss
from tests.hostile.hub import Hub
from tests.hostile.server import Answer, HostileServer


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def connects(port: int) -> bool:
    with socket.socket() as one:
        one.settimeout(1)
        return one.connect_ex(("127.0.0.1", port)) == 0


async def test_a_post_of_the_hub_rings_within_a_second(tmp_path: Path) -> None:
    """Subscribed by itself, rung within a second of the post; after kill -9 the lease is still known, and the hub heard."""
    port = free_port()
    with HostileServer() as press:
        async with Hub() as hub:
            feed = press.url("/feed")
            atom = "xmlns:atom='http://www.w3.org/2005/Atom'"
            links = f"<atom:link {atom} rel='hub' href='{hub.url}'/><atom:link {atom} rel='self' href='{feed}'/>"
            press.pages["/feed"] = Answer(rss(item(1, "An old report"), links))
            bot = Bot(
                tmp_path,
                f'[store]\nurl = "tinydb:///{tmp_path / "store.json"}"\n'
                f'[web]\nport = {port}\npublic_url = "http://127.0.0.1:{port}"\n'
                '[sources]\nallow_private_networks = ["127.0.0.0/8"]\n'
                f'[[source]]\nurl = "{feed}"\nname = "North Wire"\n[console]\nenabled = true\n',
            )
            await bot.once("/subscribe launcher\n")
            assert len(press.hits) == 1
            await bot.start(stdin="")
            await eventually(lambda: feed in hub.subscribed, "a subscription at the hub", within=30)
            began = time.monotonic()
            assert (await hub.publish(feed, rss(item(50, "A launcher was seen"))))[0] == 202
            await eventually(lambda: "A launcher was seen" in bot.printed(), "the first alert")
            assert time.monotonic() - began < 1.0
            await bot.kill()
            await bot.start(stdin="")
            await eventually(lambda: connects(port), "a web server", within=30)
            assert (await hub.publish(feed, rss(item(51, "Harbour closed after launcher fire"))))[0] == 202
            await eventually(lambda: "Harbour closed" in bot.printed(), "the second alert")
            assert await bot.stop() == 0
            assert len(press.hits) == 1
            secret = hub.asked[0]["hub.secret"]
            assert secret not in bot.printed() + bot.errors.read_text()

"""Memory of an idle bot: 1,000 sources and 10,000 subscriptions, the real process with its parser worker.

    python -m benchmarks.memory [--sources 1000] [--subscriptions 10000]

Prints resident (RSS) and proportional (PSS) megabytes of the process tree, once it has read every source and idles.
"""

import argparse
import asyncio
import os
import signal
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from aiohttp import web

from bot.model import Chat, ChatId, Subscription, SubscriptionId
from bot.store import open_store

ROOT = Path(__file__).resolve().parents[1]


def feed(name: str) -> bytes:
    items = "".join(
        f"<item><title>Item {n} of {name}: council votes on bridge {name}-{n}</title><link>http://n.example/{name}/{n}</link>"
        f"<guid>{name}-{n}</guid><description>The council of {name} voted on bridge {n} after a long debate.</description></item>"
        for n in range(20)
    )
    return f'<rss version="2.0"><channel><title>{name}</title><language>en</language>{items}</channel></rss>'.encode()


def tree(root: int) -> list[int]:
    """The process and all its descendants."""
    children: dict[int, list[int]] = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        children.setdefault(int(fields[1]), []).append(int(status.parent.name))
    found, queue = [], [root]
    while queue:
        pid = queue.pop()
        found.append(pid)
        queue += children.get(pid, [])
    return found


def megabytes(pid: int, key: str) -> float:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith(key):
            return int(line.split()[1]) / 1024
    return 0.0


async def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--sources", type=int, default=1000)
    options.add_argument("--subscriptions", type=int, default=10_000)
    asked = options.parse_args()
    fetched: set[str] = set()

    async def serve(request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if request.headers.get("If-None-Match"):
            return web.Response(status=304)
        fetched.add(name)
        return web.Response(body=feed(name), content_type="application/rss+xml", headers={"ETag": '"1"'})

    app = web.Application()
    app.router.add_get("/{name}.xml", serve)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        store = await open_store(f"tinydb:///{folder / 'store.json'}")
        for chat in range(asked.subscriptions // 10):
            await store.put_chat(Chat(ChatId("telegram", str(chat))))
            for n in range(10):
                query = f"word{chat % 97}x{n}"
                await store.add_subscription(
                    Subscription(SubscriptionId(0), ChatId("telegram", str(chat)), query, datetime.now(UTC))
                )
        await store.close()
        sources = "".join(f'[[source]]\nurl = "http://127.0.0.1:{port}/s{n}.xml"\n' for n in range(asked.sources))
        config = folder / "config.toml"
        config.write_text(
            f'[store]\nurl = "tinydb:///{folder / "store.json"}"\n[sources]\nallow_private_networks = ["127.0.0.0/8"]\n'
            f"interval = 600\n[console]\nenabled = true\n{sources}"
        )
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot", "run", "--config", str(config),
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, cwd=ROOT,
        )  # fmt: skip
        began = time.monotonic()
        try:
            while len(fetched) < asked.sources and time.monotonic() - began < 300:
                await asyncio.sleep(0.5)
            await asyncio.sleep(10)
            pids = tree(process.pid)
            print(
                f"{asked.sources} sources, {asked.subscriptions} subscriptions; all read after {time.monotonic() - began - 10:.0f} s"
            )
            for pid in pids:
                words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
                role = (
                    "worker" if b"bot.sources.worker" in words else "bot" if pid == process.pid else words[-2].decode()
                )
                print(f"{role:8} RSS {megabytes(pid, 'Rss'):6.1f} MB   PSS {megabytes(pid, 'Pss'):6.1f} MB")
            print(
                f"{'sum':8} RSS {sum(megabytes(p, 'Rss') for p in pids):6.1f} MB   PSS {sum(megabytes(p, 'Pss') for p in pids):6.1f} MB"
            )
        finally:
            if process.returncode is None:
                os.kill(process.pid, signal.SIGTERM)
            await process.wait()
            await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(main())

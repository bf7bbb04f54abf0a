"""systemd hears when the bot is ready, that it lives, and that it stops; and no manager is no trouble."""

import asyncio
import os
import signal
import socket
import sys
from pathlib import Path

from bot.app.service import tell

ROOT = Path(__file__).parents[2]


def test_nobody_listens() -> None:
    """No address, one that is gone, one that is no socket: the bot goes on."""
    for address in ("", "/nowhere/notify", "@tocsin-nobody", str(Path(__file__))):
        tell(address, "READY=1")


async def test_ready_alive_and_stopping(tmp_path: Path) -> None:
    """The real process, told to say within 0.6 s that it lives."""
    loop = asyncio.get_running_loop()
    heard: list[str] = []
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.setblocking(False)
        loop.add_reader(manager, lambda: heard.append(manager.recv(100).decode()))
        (tmp_path / "config.toml").write_text(f'[store]\nurl = "tinydb:///{tmp_path / "s.json"}"\n')
        environment = {
            "PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT),
            "NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "600000",
        }  # fmt: skip
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot", "run", "--config", str(tmp_path / "config.toml"),
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
            env=environment,
        )  # fmt: skip
        try:
            async with asyncio.timeout(30):
                while heard.count("WATCHDOG=1") < 2:
                    await asyncio.sleep(0.05)
            process.send_signal(signal.SIGTERM)
            assert await asyncio.wait_for(process.wait(), 10) == 0
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
            loop.remove_reader(manager)
    assert heard[0] == "READY=1"
    assert heard[-1] == "STOPPING=1"

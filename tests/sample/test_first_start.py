import asyncio
import os
import re
import sys
from pathlib import Path

import pytest

from bot.clock import SystemClock

ROOT = str(Path(__file__).parent.parent.parent)
#: the first start, but for the real sources: tests reach loopback only
SCRIPT = """
import asyncio
from bot.app import run
from bot.config import Config
raise SystemExit(asyncio.run(run(Config(sample=True))))
"""


@pytest.mark.slow
async def test_a_newcomer_sees_it_ring_grow_and_develop_without_typing(tmp_path: Path) -> None:
    """With no configuration, network, token or input, within 30 s: an alert, the same alert grown, and an update."""
    clock = SystemClock()
    began = clock.monotonic()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        SCRIPT,
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": ROOT},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert process.stdout is not None
    seen: dict[str, float] = {}
    text = ""
    signs = {"hello": "subscribed you to", "ring": r"· for `Idlib`", "grow": r"^\(updated\)", "develop": "^↳ Update"}
    try:
        async with asyncio.timeout(45):
            while seen.keys() != signs.keys():
                text += (await process.stdout.readline()).decode()
                found = {n for n, sign in signs.items() if n not in seen and re.search(sign, text, re.MULTILINE)}
                seen |= dict.fromkeys(found, clock.monotonic() - began)
        process.terminate()
        stopping = clock.monotonic()
        code = await asyncio.wait_for(process.wait(), 15)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        process._transport.close()  # type: ignore[attr-defined]  # what is unread in the pipe is of no interest

    assert list(seen) == ["hello", "ring", "grow", "develop"]
    assert seen["develop"] <= 30, seen
    assert code == 0
    assert clock.monotonic() - stopping < 10
    assert (tmp_path / "data").is_dir()

"""The real process, started, spoken to, killed and stopped by tests."""

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path


class Bot:
    """`python -m bot run` on a configuration of the test's own; what it prints goes to `output`."""

    def __init__(self, folder: Path, config: str) -> None:
        self.folder = folder
        self.config = folder / "config.toml"
        self.config.write_text(config)
        self.output = folder / "stdout.txt"
        self.errors = folder / "stderr.txt"
        self.process: asyncio.subprocess.Process | None = None

    async def start(
        self,
        *arguments: str,
        stdin: str | None = None,
        observed: Sequence[str] | None = None,
        prefix: tuple[str, ...] = (),
    ) -> None:
        """Starts it; `stdin` is typed into it, and then ends. `observed`: with these options of tests.e2e.faulty; `prefix`
        is a command that runs it, as `ip netns exec NAME`.
        """
        environment = {
            k: v for k, v in os.environ.items() if not k.startswith(("TELEGRAM_", "SLACK_", "DATABASE_", "TOCSIN_"))
        }
        with self.output.open("ab") as out, self.errors.open("ab") as err:
            module = ["bot", "run", "--config"] if observed is None else ["tests.e2e.faulty"]
            self.process = await asyncio.create_subprocess_exec(
                *prefix, sys.executable, "-m", *module, str(self.config), *(observed or ()), *arguments,
                stdin=asyncio.subprocess.PIPE, stdout=out, stderr=err, env=environment, cwd=Path(__file__).parents[2],
                start_new_session=True,  # as services have, and the kernel gives each session its share of the processor
            )  # fmt: skip
        assert self.process.stdin is not None
        if stdin is not None:
            self.process.stdin.write(stdin.encode())
            self.process.stdin.close()

    async def once(self, stdin: str = "") -> int:
        """`run --once` to its end; returns the exit code."""
        await self.start("--once", stdin=stdin)
        assert self.process is not None
        return await asyncio.wait_for(self.process.wait(), 60)

    async def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        assert self.process is not None
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGKILL)
        await self.process.wait()

    async def stop(self, within: float = 10.0) -> int:
        """SIGTERM; returns the exit code, fails when it takes longer than promised."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return await asyncio.wait_for(self.process.wait(), within)

    def printed(self) -> str:
        return self.output.read_text(errors="replace")

"""Processes by name, looked after as systemd would: what ends by itself is written down and started again."""

import asyncio
import contextlib
import os
import signal
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.process import Bot

#: seconds until what ended by itself is started again (deploy/tocsin.service), and in which a stop must be over
AGAIN, STOPPED = 5.0, 12.0


@dataclass(frozen=True)
class Exit:
    """A process that nobody asked to end did."""

    name: str
    code: int
    #: the last line that it wrote
    said: str

    def __str__(self) -> str:
        return f"{self.name} ended by itself with {self.code}: {self.said}"


class Supervised:
    """Starts, stops, freezes and kills processes by name."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.bots: dict[str, Bot] = {}
        #: bytes of the largest process
        self.memory = 0
        #: what ended by itself
        self.exits: list[Exit] = []
        self._watching: dict[str, asyncio.Task[None]] = {}
        #: ids of processes that were told to end
        self._told: set[int] = set()

    async def launch(self, name: str, roles: str, config: str, prefix: tuple[str, ...], *, observed: bool) -> None:
        """`observed`: it writes down how long its event loop is held, by what, and when it is at work."""
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        self.bots[name] = bot = Bot(folder, config)
        number = len([*folder.glob("lag*")])
        options = ["--lag", str(folder / f"lag{number}"), "--held", str(folder / f"held{number}")] if observed else None

        async def start() -> None:
            (folder / "ready").unlink(missing_ok=True)
            ready = [*options, "--ready", str(folder / "ready")] if options else None
            await bot.start("--role", roles, stdin="", prefix=prefix, observed=ready)

        async def watch() -> None:
            while True:
                assert bot.process is not None
                code = await bot.process.wait()
                if bot.process.pid in self._told:
                    return
                lines = bot.errors.read_text(errors="replace").splitlines()
                self.exits.append(Exit(name, code, lines[-1] if lines else ""))
                await asyncio.sleep(AGAIN)
                await start()

        await start()
        self._watching[name] = asyncio.create_task(watch())

    def is_ready(self, name: str) -> bool:
        """Whether it is at work; known of those that are observed."""
        return (self.bots[name].folder / "ready").exists()

    async def end_at_once(self, name: str) -> None:
        """SIGKILL."""
        self._tell(name)
        await self.bots[name].kill()

    def send(self, name: str, what: signal.Signals) -> None:
        """Nothing happens when it ended by itself just now."""
        process = self.bots[name].process
        assert process is not None
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, what)

    def _tell(self, name: str) -> None:
        process = self.bots[name].process
        if process is not None:
            self._told.add(process.pid)

    async def stop(self, name: str) -> int | None:
        """SIGTERM; the exit code, or None when it does not end in time: then it is printed what it was at."""
        self._tell(name)
        bot = self.bots[name]
        try:
            return await bot.stop(STOPPED)
        except TimeoutError:
            self.send(name, signal.SIGUSR1)  # tests.e2e.faulty writes its stacks then
            await asyncio.sleep(2.0)
            lines = bot.errors.read_text(errors="replace").splitlines()[-60:]
            print(f"{name} did not end within {STOPPED:.0f} s of SIGTERM:", *lines, sep="\n  ", flush=True)
            return None

    async def stop_all(self) -> dict[str, int | None]:
        """SIGTERM to all; their exit codes."""
        codes = await asyncio.gather(*map(self.stop, self.bots))
        return dict(zip(self.bots, codes, strict=True))

    async def end(self) -> None:
        """Whatever happened: nothing is left running."""
        for task in self._watching.values():
            task.cancel()
        await asyncio.gather(*self._watching.values(), return_exceptions=True)
        for name, bot in self.bots.items():
            if bot.process is not None:
                self.send(name, signal.SIGCONT)
                await self.end_at_once(name)

    async def weigh(self) -> None:
        """Until cancelled: looks how much memory each process has."""
        while True:
            self.memory = max([self.memory, *map(_memory, self.bots.values())])
            await asyncio.sleep(0.5)

    def lag(self) -> dict[str, float]:
        """Process → the longest time that something held its event loop, in all its lives."""
        return {
            name: max((float(path.read_text() or 0) for path in bot.folder.glob("lag*")), default=0.0)
            for name, bot in self.bots.items()
        }

    def held(self, name: str) -> str:
        """Where the process was when its event loop was held too long; "" when it never was."""
        return "\n".join(path.read_text() for path in sorted(self.bots[name].folder.glob("held*")))


def _memory(bot: Bot) -> int:
    if bot.process is None or bot.process.returncode is not None:
        return 0
    try:
        return int(Path(f"/proc/{bot.process.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError):
        return 0

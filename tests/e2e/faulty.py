"""`tocsin run` that kills itself with SIGKILL the n-th time it passes a named point: python -m … sent:2 CONFIG."""

import asyncio
import os
import signal
import sys
from pathlib import Path

from bot.app import run
from bot.config import load_config


def main() -> None:
    point, _, count = sys.argv[1].partition(":")
    left = [int(count)]

    def fault(passed: str) -> None:
        if passed == point:
            left[0] -= 1
            if not left[0]:
                sys.stdout.flush()
                os.kill(os.getpid(), signal.SIGKILL)

    sys.exit(asyncio.run(run(load_config(Path(sys.argv[2]), {}), fault=fault)))


if __name__ == "__main__":
    main()

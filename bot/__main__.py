"""python -m bot, and the command `tocsin`."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from typing import NoReturn

from bot.cli import main


def start() -> NoReturn:
    """The command line as a process of its own."""
    code = 0
    try:
        main()
    except SystemExit as done:
        code = done.code if isinstance(done.code, int) else int(done.code is not None)
    end(code)


def end(code: int) -> NoReturn:
    """Ends the process, whose work is over, without taking the interpreter down object by object: that takes most of the
    processor time of a stop, and on a busy machine longer than a stop may take.
    """
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):  # nobody reads it any more
            stream.flush()
    os._exit(code)


if __name__ == "__main__":
    start()

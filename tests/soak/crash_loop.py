"""The crash loop in its long form: both stores, every point, hundreds of random instants.

    python -m tests.soak.crash_loop [--store tinydb,postgresql] [--named 3] [--random 200] [--minutes 30] [--seed 1]

Three to five seconds a kill; after so many minutes a store what was killed until then is judged. Without PostgreSQL that half is left out, and it says so.
"""

import argparse
import asyncio
import math
import signal
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from random import Random

from tests.e2e.crash import crash_loop, kills
from tests.store.cluster import NoPostgres, cluster


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", default="tinydb,postgresql")
    parser.add_argument("--named", type=int, default=3, help="kills at each named point")
    parser.add_argument("--random", type=int, default=200, help="kills at random instants")
    parser.add_argument("--minutes", type=float, default=math.inf, help="of kills on each store, at most")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the server and the bot are ended too
    broken = False
    for store in given.store.split(","):
        rng = Random(given.seed)
        # leases of the dead must end there before anything goes on
        lives = kills(given.named, given.random, rng, longest=5.0 if store == "postgresql" else 3.0)
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="crash-")))
            url = f"tinydb:///{folder / 'store.json'}"
            if store == "postgresql":
                try:
                    url = stack.enter_context(cluster(durable=True)).dsn
                except NoPostgres as error:
                    print(f"{store:12} left out: {error}")
                    continue
            verdict = asyncio.run(
                crash_loop(
                    folder, url, lives, rng, progress=lambda line: print(line, flush=True), seconds=given.minutes * 60
                )
            )
        print(f"{store}:\n{verdict.by_invariant()}", flush=True)
        broken = broken or bool(verdict.problems)
    return broken


if __name__ == "__main__":
    raise SystemExit(main())

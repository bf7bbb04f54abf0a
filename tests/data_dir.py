"""Where the real data for tests and benchmarks lies, when it is there."""

import os
from pathlib import Path


def shared_data() -> Path | None:
    """The folder named by TOCSIN_DATA, else `shared/data` beside the checkout or above it; None when there is none."""
    named = os.environ.get("TOCSIN_DATA")
    if named:
        return Path(named)
    for parent in Path(__file__).resolve().parents:
        folder = parent / "shared" / "data"
        if folder.is_dir():
            return folder
    return None

"""The wheel and the sdist as a stranger installs them: on every Python of the machine, from wheels alone, until it rings.

    python -m tests.soak.install_wheels [VERSION …]

Needs the package registry. For each Python from 3.11 on: a clean virtual environment, `pip install` of the wheel that was
built here with `--only-binary :all:`, `tocsin --version`, and `tocsin run` with nothing configured until the sample wire
rings. The sdist is installed once, on the newest.
"""

import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
VERSIONS = ("3.11", "3.12", "3.13", "3.14")
#: a start, a poll, and slow machines
PATIENCE = 120.0


def pythons() -> dict[str, str]:
    """Version → interpreter, of those found on the PATH or where pyenv puts them."""
    found = {}
    for version in VERSIONS:
        kept = sorted((Path.home() / ".pyenv" / "versions").glob(f"{version}.*/bin/python{version}"))
        for candidate in (*map(str, kept), f"python{version}"):
            script = "import ensurepip, sys; print('%d.%d' % sys.version_info[:2])"
            try:
                told = subprocess.run([candidate, "-c", script], capture_output=True, text=True, check=False)
            except OSError:
                continue
            if told.stdout.strip() == version:
                found[version] = candidate
                break
    return found


def build(folder: Path) -> tuple[Path, Path]:
    """The wheel and the sdist of this tree."""
    subprocess.run([sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", folder, ROOT], check=True)
    venv = folder / "build"
    subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    subprocess.run([venv / "bin" / "pip", "install", "-q", "hatchling"], check=True)
    subprocess.run([venv / "bin" / "hatchling", "build", "-t", "sdist", "-d", folder], cwd=ROOT, check=True)
    return next(folder.glob("tocsin-*.whl")), next(folder.glob("tocsin-*.tar.gz"))


def rings(tocsin: Path, home: Path) -> float:
    """Seconds from the start of `tocsin run`, in an empty folder, to the first alert."""
    began = time.monotonic()
    env = {"PATH": os.environ["PATH"], "HOME": str(home)}
    with subprocess.Popen(
        [tocsin, "run"],
        cwd=home,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                if re.search("· for `Idlib`", line):
                    return time.monotonic() - began
                if time.monotonic() - began > PATIENCE:
                    break
        finally:
            process.terminate()
    raise SystemExit(f"{tocsin}: nothing rang within {PATIENCE:.0f} s")


def install(python: str, package: Path, folder: Path) -> Path:
    """A clean virtual environment with this package, from wheels alone; returns its `tocsin`."""
    subprocess.run([python, "-m", "venv", folder], check=True)
    pip: list[str | Path] = [folder / "bin" / "python", "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    # what Tocsin needs comes as wheels; only its own sdist is built
    only = (
        ["--only-binary", ":all:"] if package.suffix == ".whl" else ["--only-binary", ":all:", "--no-binary", "tocsin"]
    )
    subprocess.run([*pip, *only, package], check=True)
    return folder / "bin" / "tocsin"


def main() -> None:
    wanted = sys.argv[1:] or VERSIONS
    found = pythons()
    with tempfile.TemporaryDirectory() as kept:
        folder = Path(kept)
        wheel, sdist = build(folder)
        for version in wanted:
            if version not in found:
                print(f"Python {version}: not on this machine")
                continue
            tocsin = install(found[version], wheel, folder / version)
            told = subprocess.run([tocsin, "--version"], capture_output=True, text=True, check=True).stdout.strip()
            home = folder / f"home-{version}"
            home.mkdir()
            print(f"Python {version}: {told}, from {wheel.name}: rings after {rings(tocsin, home):.1f} s")
        newest = max(found, key=lambda version: int(version.split(".")[1]))
        told = subprocess.run(
            [install(found[newest], sdist, folder / "sdist"), "--version"], capture_output=True, text=True, check=True
        ).stdout.strip()
        print(f"Python {newest}: {told}, from {sdist.name}")


if __name__ == "__main__":
    main()

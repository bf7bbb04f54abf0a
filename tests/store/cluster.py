"""A PostgreSQL of the tests' own: on a temporary folder, on loopback, gone afterwards."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class NoPostgres(Exception):
    """Why there is none."""


def binaries() -> Path:
    """The folder of initdb and pg_ctl, newest version first."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[-3]), reverse=True)
    if found:
        return found[0].parent
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).parent
    raise NoPostgres("no PostgreSQL found: set TOCSIN_TEST_POSTGRES, or install the server (initdb, pg_ctl)")


class Cluster:
    """A running server, which can be stopped and started in between."""

    def __init__(self, folder: Path, port: int, *, durable: bool, address: str = "") -> None:
        self._address = address
        self._options = "" if durable else "-c fsync=off -c full_page_writes=off"
        self._bin = binaries()
        self._folder = folder
        self._port = port
        self._user = "postgres" if os.geteuid() == 0 else None
        #: superuser, no password, loopback
        self.dsn = f"postgresql://postgres@127.0.0.1:{port}/postgres"

    def _run(self, *command: str) -> None:
        user = pwd.getpwnam(self._user) if self._user else None
        result = subprocess.run(
            [str(self._bin / command[0]), *command[1:]],
            user=user.pw_uid if user else None,
            group=user.pw_gid if user else None,
            extra_groups=[] if user else None,
            cwd=self._folder,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=60,
            check=False,
        )
        if result.returncode:
            raise NoPostgres(f"{command[0]} failed: {result.stdout.decode()[-400:]}")

    def create(self) -> None:
        if self._user:
            try:
                shutil.chown(self._folder, self._user)
            except LookupError:
                raise NoPostgres("PostgreSQL does not run as root, and there is no user postgres") from None
        self._run("initdb", "-D", "data", "-A", "trust", "-U", "postgres", "-E", "UTF8", "--no-sync")
        if self._address:
            with (self._folder / "data" / "pg_hba.conf").open("a") as rules:
                rules.write(f"host all all {self._address}/24 trust\n")

    def start(self) -> None:
        options = f"-p {self._port} -c listen_addresses={','.join(filter(None, ('127.0.0.1', self._address)))} -c unix_socket_directories='' -c max_connections=60 {self._options}"
        self._run("pg_ctl", "-D", "data", "-l", "log", "-w", "-t", "30", "-o", options, "start")

    def stop(self, mode: str = "fast") -> None:
        self._run("pg_ctl", "-D", "data", "-w", "-m", mode, "stop")

    def processes(self) -> list[int]:
        """The server and all that serve its connections."""
        server = int((self._folder / "data" / "postmaster.pid").read_text().split()[0])
        children = Path(f"/proc/{server}/task/{server}/children").read_text().split()
        return [server, *map(int, children)]


@contextmanager
def cluster(*, durable: bool = False, address: str = "") -> Iterator[Cluster]:
    """Started when entered; without fsync unless `durable`, which is enough to be killed and restarted. Raises NoPostgres
    with the reason where there can be none. `address`: of a network that may connect too.
    """
    binaries()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder = Path(tempfile.mkdtemp(prefix="tocsin-pg-"))
    folder.chmod(0o755)
    running = Cluster(folder, port, durable=durable, address=address)
    try:
        running.create()
        running.start()
        try:
            yield running
        finally:
            running.stop("immediate")
    finally:
        shutil.rmtree(folder, ignore_errors=True)

"""A private PostgreSQL cluster for the tests: Debian's server binaries, an unprivileged user, a Unix socket, no TCP."""

import contextlib
import getpass
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

MISSING = "no PostgreSQL server binaries (initdb, postgres) on this machine; Debian's package is postgresql"


def binaries() -> Path | None:
    """The folder of the newest server binaries; None without any, but AssertionError in a CI, which must not skip."""
    found = _installed()
    assert found is not None or not os.environ.get("CI"), f"{MISSING}; a CI must not skip these tests: see .ci/run"
    return found


def _installed() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    candidates = [*(path.parent for path in reversed(found))]
    if on_path := shutil.which("postgres"):
        candidates.append(Path(on_path).parent)
    return next((folder for folder in candidates if (folder / "postgres").exists()), None)


@dataclass(frozen=True)
class Cluster:
    """A running cluster; `stop` and `start` play its failures."""

    folder: Path
    programs: Path
    user: str | None
    """Whom the server runs as; None: ourselves. PostgreSQL refuses to run as root."""

    def url(self, database: str) -> str:
        """The storage URL of a database of this cluster."""
        return f"postgresql://gateway@/{database}?host={self.folder}"

    def create_database(self, name: str, template: str = "template1") -> str:
        """A new database like the template, which is empty unless told otherwise; its storage URL."""
        self._run("createdb", "-h", str(self.folder), "-U", "gateway", "--template", template, name)
        return self.url(name)

    def start(self) -> None:
        """Start the server and wait until it answers."""
        options = f"-c listen_addresses='' -c unix_socket_directories={self.folder} -c fsync=on -c max_connections=100"
        log = str(self.folder / "server.log")
        self._run("pg_ctl", "-D", str(self.folder / "data"), "-l", log, "-o", options, "-w", "start")

    def stop(self, mode: str = "immediate") -> None:
        """Stop the server; `immediate` is a crash to its clients."""
        self._run("pg_ctl", "-D", str(self.folder / "data"), "-m", mode, "-w", "stop")

    def initialise(self) -> None:
        """Make the cluster's files."""
        self._run("initdb", "-D", str(self.folder / "data"), "-U", "gateway", "-A", "trust", "-E", "UTF8", "--no-sync")

    def _log(self) -> str:
        log = self.folder / "server.log"
        return log.read_text()[-2000:] if log.exists() else "no log"

    def _run(self, program: str, *arguments: str) -> None:
        account: dict[str, Any] = {"user": self.user, "group": self.user, "extra_groups": []} if self.user else {}
        done = subprocess.run(
            [str(self.programs / program), *arguments],
            # not a pipe for pg_ctl: the server would inherit it and keep it open
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL if program == "pg_ctl" else subprocess.PIPE,
            text=True,
            cwd="/",
            timeout=60,
            check=False,
            **account,
        )
        if done.returncode:
            raise RuntimeError(f"{program} failed: {done.stderr or self._log()}")


@contextlib.contextmanager
def running_cluster() -> Iterator[Cluster]:
    """A fresh cluster in a temporary folder, stopped and removed at the end; without a server the test is skipped."""
    programs = binaries()
    if programs is None:
        pytest.skip(MISSING)
    user = _unprivileged_user()
    folder = Path(tempfile.mkdtemp(prefix="gateway-pg-", dir=os.environ.get("PYTEST_DEBUG_TEMPROOT")))
    if user is not None:
        shutil.chown(folder, user, user)
    cluster = Cluster(folder, programs, user)
    try:
        cluster.initialise()
        cluster.start()
        yield cluster
    finally:
        with contextlib.suppress(RuntimeError):
            cluster.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _unprivileged_user() -> str | None:
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    found = next((name for name in ("postgres", "nobody") if name in names), None)
    assert found is not None, f"running as {getpass.getuser()}, and no unprivileged user to run PostgreSQL as"
    return found

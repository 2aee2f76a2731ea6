"""A SQLite store that cannot be written: what callers get, what is kept, and that no restart is needed after."""

import contextlib
import os
import resource
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.faults.conftest import Watch, customers, fault_configuration, new_company, problem, webhook
from tests.harness import GatewayProcess, Upstream, gateway_process, wait_until

MiB = 1_048_576
_LARGE = "x" * 300_000
WITHOUT_PRIVILEGES = ("setpriv", "--bounding-set", "-all", "--inh-caps", "-all")
"""Starts a program as root who may no longer write what is read-only."""


@contextlib.contextmanager
def locked(_process: GatewayProcess, database: Path) -> Iterator[None]:
    """Another process holds the write lock and does not let go."""
    with contextlib.closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield


@contextlib.contextmanager
def size_limit(process: GatewayProcess, _database: Path) -> Iterator[None]:
    """The kernel refuses every write beyond this size, into the log as well: it stands for a full disk."""
    assert process.process is not None
    pid = process.process.pid
    _soft, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (1, hard))
    yield
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard, hard))


@contextlib.contextmanager
def full_disk(_process: GatewayProcess, database: Path) -> Iterator[None]:
    """Not a byte is free on the store's disk."""
    filler = database.with_name("filler")
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"x" * 4_096)
    yield
    filler.unlink()


@contextlib.contextmanager
def read_only(_process: GatewayProcess, database: Path) -> Iterator[None]:
    """A restore by another hand: an equal file in the place of the old one, which this process may only read."""
    copy = database.with_name("copy.db")
    with contextlib.closing(sqlite3.connect(database)) as source, contextlib.closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    copy.chmod(0o444)
    database.parent.chmod(0o555)
    with _writable_for_us(database.parent):
        for side in ("-wal", "-shm"):
            database.with_name(database.name + side).unlink(missing_ok=True)
        copy.rename(database)
    yield
    database.parent.chmod(0o755)
    database.chmod(0o600)


@contextlib.contextmanager
def _writable_for_us(folder: Path) -> Iterator[None]:
    folder.chmod(0o755)
    yield
    folder.chmod(0o555)


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """A disk of 80 MiB; the test is skipped where mounting is not allowed."""
    mount, umount = shutil.which("mount"), shutil.which("umount")
    folder.mkdir()
    options = ["-t", "tmpfs", "-o", "size=80m", "tmpfs", str(folder)]
    if not (mount and umount) or subprocess.run([mount, *options], capture_output=True, check=False).returncode:
        pytest.skip("mounting a small tmpfs needs root and its privileges; a file-size limit stands for it elsewhere")
    try:
        yield folder
    finally:
        subprocess.run([umount, str(folder)], check=True)


Broken = Callable[[GatewayProcess, Path], contextlib.AbstractContextManager[None]]


@pytest.mark.parametrize("broken", [locked, size_limit, read_only])
def test_a_store_that_cannot_be_written(upstream: Upstream, tmp_path: Path, broken: Broken) -> None:
    """Exports and webhooks answer 503 and Retry-After, ready says so within 2 s; the feed goes on; all recover."""
    (tmp_path / "store").mkdir()
    with gateway_process(fault_configuration(upstream.url, tmp_path / "store"), tmp_path) as process:
        if broken is read_only and os.geteuid() == 0:
            process.prefix = WITHOUT_PRIVILEGES
        watch = Watch.over(upstream, process.start())
        with broken(process, tmp_path / "store" / "gateway.db"):
            watch.becomes_unready()
            refused = watch.keeps_nothing()
            assert watch.gateway.feed("acme", watch.unique_id).status_code == 200
        watch.recovers(refused)
        assert "Traceback" not in process.log.read_text()


def test_a_full_disk(upstream: Upstream, tmp_path: Path) -> None:
    """On a disk that is really full ready says so before it is, what still fits is kept, what does not is 503."""
    with (
        small_disk(tmp_path / "disk") as disk,
        gateway_process(fault_configuration(upstream.url, disk), tmp_path) as process,
    ):
        watch = Watch.over(upstream, process.start())
        reserve = disk / "reserve"
        reserve.write_bytes(b"x" * 20 * MiB)
        wait_until(lambda: not watch.ready, "unready while there is little room", 2)
        ids = (f"msg_disk_{number}" for number in range(100))

        with full_disk(process, disk / "gateway.db"):
            sent = list(_until_refused(watch, ids))
            problem(sent[-1][1], 503)
            assert sent[-1][1].headers["retry-after"].isdigit()
            assert watch.gateway.feed("acme", watch.unique_id).status_code == 200
        reserve.unlink()
        wait_until(lambda: watch.ready, "ready again", 2)
        again = {each: webhook(watch.gateway, watch.unique_id, each, _LARGE).json()["duplicate"] for each, _ in sent}

        assert again == {each: answer.status_code == 202 for each, answer in sent}


def _until_refused(watch: Watch, ids: Iterator[str]) -> Iterator[tuple[str, httpx.Response]]:
    for each in ids:
        answer = webhook(watch.gateway, watch.unique_id, each, _LARGE)
        yield each, answer
        if answer.status_code != 202:
            return


def test_the_disk_fills_up_while_the_crm_creates(upstream: Upstream, tmp_path: Path) -> None:
    """The push is on disk: "accepted"; the outcome is kept when there is room again, and the record is made once."""
    company = new_company()
    with gateway_process(fault_configuration(upstream.url, tmp_path), tmp_path) as process:
        gateway = process.start()
        upstream.fault("apptivo", "delay", seconds=1.5, match="a=save", times=1)
        accepted = gateway.push("acme", company)
        with size_limit(process, tmp_path / "gateway.db"):
            assert (accepted.status_code, accepted.json()["status"]) == (200, "accepted")
            wait_until(lambda: customers(upstream, "acme", company["company_name"]), "the CRM has made it")
            Watch(upstream, gateway, company, "0").becomes_unready()
            assert gateway.standing("acme", accepted.json()["export_id"])["status"] == "accepted"

        export_id = accepted.json()["export_id"]
        wait_until(lambda: gateway.standing("acme", export_id)["status"] == "created", "the outcome is kept")
        assert len(customers(upstream, "acme", company["company_name"])) == 1
        assert sum("a=save" in call["line"] for call in upstream.calls("apptivo")) == 1

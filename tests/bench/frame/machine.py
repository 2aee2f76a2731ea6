"""On what was measured: enough to judge the figures by, nothing that tells whose machine it is."""

import os
import platform
import shutil
import sqlite3
import subprocess
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import msgspec

from tests.postgres import binaries

PACKAGES = ("aiohttp", "httpx", "httpx-aiohttp", "httptools", "psycopg", "sqlalchemy", "starlette", "uvicorn", "uvloop")


class Machine(msgspec.Struct, frozen=True):
    """One machine and what is installed on it."""

    cpu: str
    cores: int
    """As many as this process may use."""
    memory_mb: int
    kernel: str
    python: str
    versions: dict[str, str]


def describe() -> Machine:
    """This machine."""
    return Machine(
        _cpu_model(),
        cores(),
        os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 1_000_000,
        f"{platform.system()} {platform.release()}",
        f"{platform.python_implementation()} {platform.python_version()}",
        _versions(),
    )


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0))


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())


def _versions() -> dict[str, str]:
    found = {"sqlite": sqlite3.sqlite_version}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    programs = binaries()
    if programs is not None:
        found["postgresql"] = _said(str(programs / "postgres"), "--version").rpartition(" (")[0].rpartition(" ")[2]
    if shutil.which("wrk"):
        # it exits with 1 after telling its version
        found["wrk"] = _said("wrk", "--version").partition(" [")[0].removeprefix("wrk ").rpartition("/")[2]
    return dict(sorted(found.items()))


def now() -> str:
    """The date and time, UTC, to the minute."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%MZ")


def commit() -> str:
    """The commit that is measured, with a + where files differ from it; "" outside a repository."""
    head = _said("git", "rev-parse", "--short=12", "HEAD").strip()
    changed = _said("git", "status", "--porcelain", "--untracked-files=no", "--", "gateway", "adapters").strip()
    return f"{head}{'+' if changed else ''}"


def _said(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    except OSError:
        return ""
    return done.stdout

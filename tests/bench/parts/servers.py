"""The servers of a benchmark, each in a process of its own on loopback: what the gateway is compared with, and CRMs."""

import contextlib
import os
import resource
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx

from tests.harness import _listen, wait_until

ROOT = Path(__file__).parents[3]


def free_port() -> int:
    """A port that nobody listens on just now."""
    with _listen() as listening:
        return int(listening.getsockname()[1])


def answers(port: int) -> bool:
    """Whether a server answers there, whatever it says."""
    with contextlib.suppress(httpx.TransportError):
        return httpx.get(f"http://127.0.0.1:{port}/", trust_env=False, timeout=1).status_code > 0
    return False


def wait_for_path(port: int, path: str) -> None:
    """Wait until a POST to this path finds something there."""

    def is_there() -> bool:
        return httpx.post(f"http://127.0.0.1:{port}{path}", trust_env=False, timeout=5).status_code != 404

    wait_until(is_there, f"{path} is served")


@contextlib.contextmanager
def process(
    command: list[str],
    port: int,
    what: str,
    *,
    folder: Path | None = None,
    environ: Mapping[str, str] | None = None,
    seconds: float = 20,
) -> Iterator["subprocess.Popen[bytes]"]:
    """A server's process, from when it answers; it gets TERM at the end, and KILL ten seconds later."""
    started = subprocess.Popen(
        command, cwd=folder or ROOT, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        wait_until(lambda: _is_up(started, port, what), f"{what} answers", seconds)
        yield started
    finally:
        started.terminate()
        try:
            started.wait(10)
        except subprocess.TimeoutExpired:
            started.kill()
            started.wait()


def _is_up(started: "subprocess.Popen[bytes]", port: int, what: str) -> bool:
    assert started.poll() is None, f"{what} ended with exit code {started.returncode} before it answered"
    return answers(port)


def inherited() -> dict[str, str]:
    """The surroundings that a process of ours gets."""
    return dict(os.environ)


@contextlib.contextmanager
def bare(app: str, environ: Mapping[str, str] | None = None) -> Iterator[int]:
    """An app of `tests.bench.parts.bare_apps` on the server that the gateway has too; its port."""
    # not by --fd: uvicorn takes any such socket for a Unix one, and Nagle's algorithm then costs 40 ms an answer
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", f"tests.bench.parts.bare_apps:{app}", "--port", str(port)]
    options = ["--no-access-log", "--log-level", "critical", "--backlog", "4096"]
    with process([*command, *options], port, f"the bare endpoint {app}", environ=environ):
        yield port


@contextlib.contextmanager
def crm(delay_ms: float = 0, layout: str = "eight") -> Iterator[int]:
    """A CRM that answers from memory after so many milliseconds (`tests.bench.parts.crm`); its port."""
    port = free_port()
    command = [sys.executable, "-m", "tests.bench.parts.crm", str(port), str(delay_ms), layout]
    with process(command, port, "the CRM"):
        yield port


@contextlib.contextmanager
def simulators() -> Iterator[str]:
    """All simulated systems; the address."""
    port = free_port()
    command = [sys.executable, "-m", "gateway", "simulate", "--port", str(port)]
    with process(command, port, "the simulators"):
        yield f"http://127.0.0.1:{port}"


def allow_connections(wanted: int) -> int:
    """Raise this process's and its children's limit of open files as far as is allowed; how many connections fit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = wanted + 500 if hard == resource.RLIM_INFINITY else min(wanted + 500, hard)
    if allowed > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    return min(wanted, max(soft, allowed) - 500)

"""How long a gateway takes from its start until it is ready, how long `gateway --help` takes, and memory when idle."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

from tests.bench.frame.results import Figure, Mode, Result, Target, at_most
from tests.bench.parts import gateways

IDLE_SECONDS = 5.0
"""How long a gateway is left alone before its memory is read."""


def measure(mode: Mode) -> Iterator[Result]:
    """Each time with a process of its own, after one that warmed the disk's cache."""
    times = mode.pick(3, 11)
    first, again, memory = _starts(times, mode.pick(1.0, IDLE_SECONDS))
    yield Result(
        "start to ready",
        figures=(Figure("with a new store", median(first), "s"), Figure("spread", max(again) - min(again), "s")),
        targets=(at_most("median", median(again), 1, "s"),),
        remark="on a store that is there; ready is 200 of /health/ready, asked for every 10 ms",
    )
    bare, helped = _commands(times)
    yield Result(
        "gateway --help",
        figures=(Figure("Python alone", median(bare), "s"), Figure("spread", max(helped) - min(helped), "s")),
        targets=(at_most("median", median(helped), 0.3, "s"),),
    )
    yield Result("resident memory, idle", targets=(_memory(memory),))


def _memory(values: Sequence[float]) -> Target:
    return at_most("median", median(values), 90, "MB")


def _starts(times: int, idle: float) -> tuple[list[float], list[float], list[float]]:
    first: list[float] = []
    again: list[float] = []
    memory: list[float] = []
    for _time in range(times):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            document = gateways.document(gateways.NOBODY, folder, {"server": {"drain_seconds": 0}})
            for found in (first, again):
                began = time.perf_counter()
                with gateways.running(document, folder) as gateway:
                    found.append(time.perf_counter() - began)
                    if found is again and len(memory) < 3:
                        time.sleep(idle)
                        memory.append(gateway.memory_mb())
                    gateway.stop()
    return first, again, memory


def _commands(times: int) -> tuple[list[float], list[float]]:
    bare, helped = [], []
    for _time in range(times + 1):
        bare.append(_took("-c", "pass"))
        helped.append(_took("-m", "gateway", "--help"))
    return bare[1:], helped[1:]


def _took(*arguments: str) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, *arguments], stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - began

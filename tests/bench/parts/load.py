"""A closed loop of load on a server, from outside its process: `wrk` where it is installed, else a client of our own.

wrk (Debian's package) takes a few percent of a core for what the client of our own takes most of one; on a machine of
two cores the client then shares the core that is measured, so figures taken without wrk say less.
"""

import asyncio
import itertools
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.bench.frame.results import percentile
from tests.bench.parts.wire import exchange

CALLERS = 64
_UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0}
_LUA = """
local requests, at = {}, 0
function init()
  local file = io.open(%q, "rb")
  while true do
    local size = file:read(8)
    if not size then break end
    requests[#requests + 1] = file:read(tonumber(size))
  end
  file:close()
end
function request()
  at = at + 1
  if at > #requests then %s at = 1 end
  return requests[at]
end
"""


@dataclass(frozen=True, slots=True)
class Load:
    """What one run of load came to."""

    per_second: float
    """Answers that were a 2xx."""
    p50_ms: float
    p99_ms: float
    failed: int
    """Answers that were no 2xx, and connections that broke."""


def generator() -> str:
    """Which client sends the load."""
    return "wrk" if shutil.which("wrk") else "our own client"


def remark() -> str:
    """What to know about figures of a closed loop taken here; "" for nothing."""
    return "" if shutil.which("wrk") else "no wrk: the client of our own shares the core"


def run(port: int, requests: Sequence[bytes], seconds: float, *, callers: int = CALLERS, again: bool = False) -> Load:
    """Send whole HTTP/1.1 requests from so many connections, for `seconds` or until all are sent.

    `again` begins anew with the first when all are sent. RuntimeError if nothing is answered at all.
    """
    if shutil.which("wrk"):
        found = _wrk(port, requests, callers, seconds, again)
    else:
        with ProcessPoolExecutor(1) as pool:
            found = pool.submit(_own, port, requests, callers, seconds, again).result()
    if not found.per_second:
        raise RuntimeError(f"none of {callers} callers got a good answer in {seconds:g} s: the machine is too busy")
    return found


def _wrk(port: int, requests: Sequence[bytes], callers: int, seconds: float, again: bool) -> Load:
    with tempfile.TemporaryDirectory() as folder:
        sent = Path(folder) / "requests"
        with sent.open("wb") as file:
            for request in requests:
                file.write(b"%08d" % len(request) + request)
        script = Path(folder) / "load.lua"
        script.write_text(_LUA.replace("%q", f'"{sent}"').replace("%s", "" if again else "wrk.thread:stop()"))
        # wrk takes whole seconds only
        command = ["wrk", "-t1", f"-c{callers}", f"-d{max(1, round(seconds))}s", "--latency", "-s", str(script)]
        done = subprocess.run(
            [*command, f"http://127.0.0.1:{port}/"], capture_output=True, text=True, timeout=seconds + 60, check=True
        )
    return _read_wrk(done.stdout)


def _read_wrk(report: str) -> Load:
    def milliseconds(percent: str) -> float:
        number, unit = re.search(rf"{percent}%\s+([\d.]+)(us|ms|s|m)", report).groups()  # type: ignore[union-attr] # wrk prints it
        return float(number) * _UNITS[unit]

    refused = sum(map(int, re.findall(r"Non-2xx or 3xx responses: (\d+)", report)))
    broken = sum(int(count) for line in re.findall(r"Socket errors: .*", report) for count in re.findall(r"\d+", line))
    total = int(re.search(r"(\d+) requests in", report).group(1))  # type: ignore[union-attr] # as above
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", report).group(1))  # type: ignore[union-attr] # as above
    good = (total - refused) / total if total else 0.0
    return Load(rate * good, milliseconds("50"), milliseconds("99"), refused + broken)


def _own(port: int, requests: Sequence[bytes], callers: int, seconds: float, again: bool) -> Load:
    return asyncio.run(_closed_loop(port, itertools.cycle(requests) if again else requests, callers, seconds))


async def _closed_loop(port: int, requests: Iterable[bytes], callers: int, seconds: float) -> Load:
    queue = iter(requests)
    latencies: list[float] = []
    failed = 0
    started = time.perf_counter()
    end = started + seconds

    async def caller() -> None:
        nonlocal failed
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for request in queue:
            if (began := time.perf_counter()) >= end:
                break
            answer = await exchange(reader, writer, request)
            failed += answer.status // 100 != 2
            latencies.append(time.perf_counter() - began)
        writer.close()

    await asyncio.gather(*(caller() for _ in range(callers)))
    took = time.perf_counter() - started
    if not latencies:
        return Load(0, 0, 0, failed)
    good = (len(latencies) - failed) / took
    return Load(good, percentile(latencies, 50) * 1000, percentile(latencies, 99) * 1000, failed)

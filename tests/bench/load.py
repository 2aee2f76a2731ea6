"""Load on a server, from outside its process: `wrk` where it is installed (Debian's package), else a client of our own.

wrk takes a few percent of a core for what the client of our own takes most of one; on a machine of two cores the
client then shares the core that is measured, so figures taken without wrk say less.
"""

import asyncio
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

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
  if at > #requests then wrk.thread:stop() at = 1 end
  return requests[at]
end
"""


@dataclass(frozen=True, slots=True)
class Load:
    """What one run of load came to."""

    per_second: float
    p50_ms: float
    p99_ms: float
    failed: int
    """Answers that were no 2xx, and connections that broke."""


def generator() -> str:
    """Which client sends the load."""
    return "wrk" if shutil.which("wrk") else "our own client"


def run(port: int, requests: Sequence[bytes], callers: int, seconds: float) -> Load:
    """Send `requests`, whole HTTP/1.1 requests, from so many connections, for `seconds` or until all are sent."""
    if shutil.which("wrk"):
        return _wrk(port, requests, callers, seconds)
    with ProcessPoolExecutor(1) as pool:
        return pool.submit(_own, port, requests, callers, seconds).result()


def _wrk(port: int, requests: Sequence[bytes], callers: int, seconds: float) -> Load:
    with tempfile.TemporaryDirectory() as folder:
        sent = Path(folder) / "requests"
        with sent.open("wb") as file:
            for request in requests:
                file.write(b"%08d" % len(request) + request)
        script = Path(folder) / "load.lua"
        script.write_text(_LUA.replace("%q", f'"{sent}"'))
        command = ["wrk", "-t1", f"-c{callers}", f"-d{seconds:g}s", "--latency", "-s", str(script)]
        done = subprocess.run(
            [*command, f"http://127.0.0.1:{port}/"], capture_output=True, text=True, timeout=seconds + 60, check=True
        )
    return _read_wrk(done.stdout)


def _read_wrk(report: str) -> Load:
    def milliseconds(percent: str) -> float:
        number, unit = re.search(rf"{percent}%\s+([\d.]+)(us|ms|s|m)", report).groups()  # type: ignore[union-attr] # wrk prints it
        return float(number) * _UNITS[unit]

    failed = sum(map(int, re.findall(r"Non-2xx or 3xx responses: (\d+)", report)))
    failed += sum(int(count) for line in re.findall(r"Socket errors: .*", report) for count in re.findall(r"\d+", line))
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", report).group(1))  # type: ignore[union-attr] # as above
    return Load(rate, milliseconds("50"), milliseconds("99"), failed)


def _own(port: int, requests: Sequence[bytes], callers: int, seconds: float) -> Load:
    return asyncio.run(_closed_loop(port, requests, callers, seconds))


async def _closed_loop(port: int, requests: Sequence[bytes], callers: int, seconds: float) -> Load:
    queue = iter(requests)
    latencies: list[float] = []
    failed = 0
    end = time.perf_counter() + seconds

    async def caller() -> None:
        nonlocal failed
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for request in queue:
            if (started := time.perf_counter()) >= end:
                break
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            failed += head[9:10] != b"2"
            await reader.readexactly(int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0]))
            latencies.append(time.perf_counter() - started)
        writer.close()

    started = time.perf_counter()
    await asyncio.gather(*(caller() for _ in range(callers)))
    took = time.perf_counter() - started
    ordered = sorted(latencies)
    return Load(
        len(ordered) / took,
        ordered[len(ordered) // 2] * 1000,
        ordered[int(0.99 * len(ordered))] * 1000,
        failed,
    )

"""An Aixon upload of 1,000,000 rows and of 1 % of them: rows a second, CPU a row, peak memory.

The whole way of a first run: every customer checked by S002's rules, staged on
disk, sent over HTTP in bodies of up to 32 MB, and its digest handed back to be remembered. Each size is a process of
its own; so is the far end, which only counts. Ratios carry over, figures do not.
"""

import asyncio
import contextlib
import json
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from adapters.aixon.cells import Cell, Creation
from adapters.aixon.client import AixonClient
from adapters.aixon.models import AixonSettings
from adapters.aixon.spool import KeptRow
from adapters.aixon.staging import MAX_BODY_BYTES, Staging
from adapters.aixon.table import Customer
from adapters.aixon.upload import Upload
from tests.bench.frame.results import Figure, Mode, Ratio, Result
from tests.bench.parts import memory

ROWS = 1_000_000
FORMATS = ("json", "csv")
_WON = datetime(2020, 1, 1, tzinfo=UTC)


def customers(count: int) -> Iterator[Customer]:
    """Made-up customers, no two alike; about 290 bytes each on the wire."""
    for number in range(count):
        yield Customer(
            f"{number:07d}",
            name=f"Customer {number} Oy",
            city=f"City {number % 300}",
            country="FI",
            industry=f"Industry {number % 80}",
            revenue=f"{number * 37}.0",
            employees=number % 5_000,
            emails=(f"info@customer{number}.example", f"Sales@customer{number}.example"),
            labels=("vip", f"group {number % 7}"),
            open_deals=number % 4,
            won_deals=number % 3,
            last_won_at=_WON + timedelta(minutes=number) if number % 3 else None,
        )


class Counting:
    """A journal that reads every row it is handed, and keeps none."""

    def __init__(self) -> None:
        self.rows = 0

    async def creating(self, creation: Creation) -> None:
        """Nothing is looked up here."""

    async def taken(self, _cell: Cell, rows: Iterator[KeptRow]) -> None:
        """Count them."""
        self.rows += sum(1 for _row in rows)


async def upload(url: str, count: int, body_format: str) -> dict[str, float]:
    """One first run; what it took, and the size of its largest body."""
    settings = AixonSettings.model_validate({"base_url": url, "api_key": "bench", "body_format": body_format})
    table = settings.table(UTC)
    client, journal = AixonClient(settings), Counting()
    started, cpu = time.perf_counter(), time.process_time()
    faults: list[object] = []
    with Staging(table, table.header(), on_fault=faults.append, body_format=settings.body_format) as staging:
        for customer in customers(count):
            row = staging.check(customer)
            if row is not None:
                staging.keep(row)
        staging.seal()
        staged = time.perf_counter()
        sent = await Upload(client, staging, None, journal, description="bench").run()
    await client.aclose()
    assert (faults, journal.rows, sent.rows) == ([], count, count)
    return {
        "staged_seconds": staged - started,
        "seconds": time.perf_counter() - started,
        "cpu_seconds": time.process_time() - cpu,
        "bytes": sent.size,
        "bodies": sent.bodies,
        "peak_bytes": memory.peak(),
    }


def far_end(listening: socket.socket) -> None:
    """Answers as S002 shows and keeps nothing; ends on the first body over the limit."""
    head = re.compile(rb"^([A-Z]+) (\S+) .*?content-length: *([0-9]+)|^([A-Z]+) ", re.IGNORECASE | re.DOTALL)
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            connection, _address = listening.accept()
            with connection, connection.makefile("rb") as stream:
                _serve(connection, stream, head)


def _serve(connection: socket.socket, stream: object, head: re.Pattern[bytes]) -> None:
    while True:
        lines = b""
        while not lines.endswith(b"\r\n\r\n"):
            line = stream.readline()  # type: ignore[attr-defined]  # a buffered reader
            if not line:
                return
            lines += line
        found = head.match(lines)
        assert found is not None, lines
        left = int(found[3] or 0)
        assert left <= MAX_BODY_BYTES, f"a body of {left:,} bytes"
        while left:
            left -= len(stream.read(min(left, 1 << 20)))  # type: ignore[attr-defined]  # as above
        is_list, is_update = lines.startswith(b"GET"), lines.startswith(b"PATCH")
        message = [] if is_list else {"RESOURCE_ID": "bench", "STATUS": "RECEIVED" if is_update else "CREATED"}
        content = json.dumps({"message": message, "status": "success"}).encode()
        connection.sendall(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
            % (len(content), content)
        )


def measured(count: int, body_format: str) -> dict[str, float]:
    """One run in a process of its own, against a far end of its own."""
    listening = socket.create_server(("127.0.0.1", 0))
    command = [sys.executable, "-m", "tests.bench.measurements.aixon"]
    server = subprocess.Popen([*command, "serve", str(listening.fileno())], pass_fds=(listening.fileno(),))
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    listening.close()
    try:
        ended = subprocess.run([*command, "run", url, str(count), body_format], stdout=subprocess.PIPE, check=True)
    finally:
        server.terminate()
        server.wait(10)
    return dict(json.loads(ended.stdout))


def measure(mode: Mode) -> Iterator[Result]:
    """Both formats: all of the rows beside 1 % of them."""
    rows = mode.pick(100_000, ROWS)
    for body_format in FORMATS:
        few, many = ([measured(count, body_format)] for count in (rows // 100, rows))
        yield _result(f"Aixon upload of {rows:,} rows, {body_format}", rows, few, many)


def _result(job: str, rows: int, few: list[dict[str, float]], many: list[dict[str, float]]) -> Result:
    found = many[0]
    return Result(
        f"{job}: peak memory",
        "1 % of the rows",
        Ratio.of([each["peak_bytes"] for each in many], [each["peak_bytes"] for each in few], "lower"),
        (
            Figure("rate", rows / found["seconds"], "rows/s"),
            Figure("CPU", found["cpu_seconds"] / rows * 1e6, "µs/row"),
            Figure("sent", found["bytes"] / 1e6, "MB"),
            Figure("bodies", found["bodies"], ""),
            Figure("peak", found["peak_bytes"] / 1e6, "MB"),
        ),
    )


def main() -> None:
    """One of the measurement's processes."""
    match sys.argv[1:]:
        case ["serve", descriptor]:
            far_end(socket.socket(fileno=int(descriptor)))
        case ["run", url, count, body_format]:
            print(json.dumps(asyncio.run(upload(url, int(count), body_format))))


if __name__ == "__main__":
    main()

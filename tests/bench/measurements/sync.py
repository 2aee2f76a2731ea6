"""A customer sync of 100,000 customers and of 1 % of them: rows a second, CPU a row, peak memory.

Two runs of each size, into an empty store: the first sends every customer to
Vainu (v2: a POST each, eight at once), the second finds that nothing changed. The CRM is a listing in this process, so
that the sync itself is measured; Vainu is a far end in a process of its own that answers at once and keeps nothing.
Ratios carry over, figures do not.
"""

import asyncio
import contextlib
import json
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from adapters.contract import CustomerPage, CustomerSummary
from adapters.deadline import Deadline
from adapters.simulated_customers import made_up
from gateway.clock import now_ms
from gateway.runtime import open_connection
from gateway.settings import read
from gateway.store import Store
from gateway.sync.order import Order
from gateway.sync.patience import Patience
from gateway.sync.progress import Begun, Progress, RowReport
from gateway.sync.syncs import Syncs
from tests.bench.frame.results import Figure, Mode, Ratio, Result
from tests.bench.parts import memory

CUSTOMERS = 100_000
_PAGE = 100
_START = datetime(2020, 1, 1, tzinfo=UTC)


class Listing:
    """As many made-up customers as wanted, in pages of a hundred."""

    def __init__(self, count: int) -> None:
        self._count = count

    async def list_customers(
        self, cursor: str | None, _deadline: Deadline, *, since: datetime | None = None
    ) -> CustomerPage:
        """One page, made when it is asked for."""
        del since
        first = int(cursor or 0)
        last = min(first + _PAGE, self._count)
        customers = [summary_of(number) for number in range(first, last)]
        return CustomerPage(customers, (), str(last) if last < self._count else None, self._count)

    async def exists(self, _record_id: str, _deadline: Deadline) -> bool:
        """Nobody is ever deleted."""
        return True

    async def aclose(self) -> None:
        """Nothing is open."""


def summary_of(number: int) -> CustomerSummary:
    """One customer as a CRM tells it."""
    made = made_up(number)
    return CustomerSummary(
        f"{number:07d}",
        made.name,
        made.business_id.replace("-", ""),
        "FI",
        "sales@example.com",
        _START + timedelta(days=made.changed_days_ago),
        f"Made up, number {number}",
        made.open,
        made.won,
        made.lost,
    )


class Quiet:
    """Hears of everything and keeps nothing."""

    def begun(self, begun: Begun) -> None:
        """Not shown."""

    def row(self, report: RowReport) -> None:
        """Not shown."""

    def step(self, progress: Progress) -> None:
        """Not shown."""


async def sync(url: str, folder: str, count: int) -> dict[str, float]:
    """One run, and what it took."""
    document = {
        "crm": "apptivo",
        "auth": {"api_keys": ["bench"]},
        "apptivo": {"base_url": url, "api_key": "bench", "access_key": "bench"},
        "vainu": {"base_url": url, "api_key": "bench"},
    }
    settings = read({"connections": {"bench": document}})
    store = Store(f"sqlite:///{Path(folder) / 'gateway.db'}")
    store.open()
    live = open_connection(settings.connections["bench"])
    await live.adapter.aclose()
    live.adapter = Listing(count)  # type: ignore[assignment]  # a sync asks no more of it
    started, cpu = time.perf_counter(), time.process_time()
    counts = await Syncs(store, now_ms, Patience()).run(live, Order("bench"), Quiet())
    seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - cpu
    await live.close(patience=0)
    store.close()
    assert (counts.customers, counts.failed) == (count, 0), counts
    return {
        "seconds": seconds,
        "cpu_seconds": cpu_seconds,
        "sent": counts.created + counts.updated,
        "peak_bytes": memory.peak(),
    }


class FarEnd(asyncio.Protocol):
    """Vainu as far as a first sync needs it: an empty list, and a new id for each POST."""

    made = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection."""
        self._transport = transport
        self._waiting = b""

    def data_received(self, data: bytes) -> None:
        """Answer each request that is whole."""
        self._waiting += data
        while True:
            head, end, rest = self._waiting.partition(b"\r\n\r\n")
            length = next(
                (int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0
            )
            if not end or len(rest) < length:
                return
            self._waiting = rest[length:]
            self._answer(is_list=head.startswith(b"GET"))

    def _answer(self, *, is_list: bool) -> None:
        FarEnd.made += 1
        empty: dict[str, object] = {"total_results": 0, "next_page": None, "prev_page": None, "results": []}
        content = json.dumps(empty if is_list else {"id": f"{FarEnd.made:024x}", "company_vid": -1}).encode()
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(content)
        self._transport.write(head + content)  # type: ignore[attr-defined]  # a transport that writes


async def far_end(listening: socket.socket) -> None:
    """Serve until the process is ended."""
    server = await asyncio.get_running_loop().create_server(FarEnd, sock=listening)
    await server.serve_forever()


def measured(count: int) -> list[dict[str, float]]:
    """A first and a second run, each in a process of its own, against a far end of their own."""
    listening = socket.create_server(("127.0.0.1", 0))
    command = [sys.executable, "-m", "tests.bench.measurements.sync"]
    server = subprocess.Popen([*command, "serve", str(listening.fileno())], pass_fds=(listening.fileno(),))
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    listening.close()
    try:
        with tempfile.TemporaryDirectory() as folder:
            run = [*command, "run", url, folder, str(count)]
            ended = [subprocess.run(run, stdout=subprocess.PIPE, check=True) for _run in range(2)]
    finally:
        server.terminate()
        server.wait(10)
    return [json.loads(each.stdout) for each in ended]


def measure(mode: Mode) -> Iterator[Result]:
    """A first run and one that finds nothing changed: all of the customers beside 1 % of them."""
    customers = mode.pick(2_000, CUSTOMERS)
    few, many = measured(max(1, customers // 100)), measured(customers)
    for name, small, large in zip(("first", "second"), few, many, strict=True):
        yield Result(
            f"{name} sync of {customers:,} customers: peak memory",
            "1 % of the customers",
            Ratio.of([large["peak_bytes"]], [small["peak_bytes"]], "lower"),
            (
                Figure("rate", customers / large["seconds"], "rows/s"),
                Figure("CPU", large["cpu_seconds"] / customers * 1e6, "µs/row"),
                Figure("sent", large["sent"], ""),
                Figure("peak", large["peak_bytes"] / 1e6, "MB"),
            ),
        )


def main() -> None:
    """One of the measurement's processes."""
    match sys.argv[1:]:
        case ["serve", descriptor]:
            with contextlib.suppress(KeyboardInterrupt):
                asyncio.run(far_end(socket.socket(fileno=int(descriptor))))
        case ["run", url, folder, count]:
            print(json.dumps(asyncio.run(sync(url, folder, int(count)))))


if __name__ == "__main__":
    main()

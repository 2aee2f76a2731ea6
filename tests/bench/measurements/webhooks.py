"""Durable acknowledgements of signed 1 kB webhooks, beside a bare Starlette endpoint and a bare loop of inserts.

The gateway verifies the signature, keeps the webhook (`synchronous=FULL`) and answers. The bare endpoint reads the body
and answers; the loop inserts the same rows in batches of 64, the most that 64 callers can have in one commit.
"""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from tests.bench.frame.results import Figure, Mode, Ratio, Result, alternated, at_least, at_most
from tests.bench.parts import disk, gateways, load, servers, webhook_rates
from tests.bench.parts.signed import Supply

BATCH = load.CALLERS
STORES = {"SQLite": 0.5, "PostgreSQL": 0.33}
"""By store, the share of the bare endpoint's rate that is wanted."""


def measure(mode: Mode) -> Iterator[Result]:
    """Both stores; and SQLite once more while what was acknowledged is worked on."""
    yield from _of("SQLite", mode)
    if gateways.has_postgresql():
        yield from _of("PostgreSQL", mode)
    else:
        yield Result("webhooks, PostgreSQL", remark=gateways.NO_POSTGRESQL)
    if mode.name == "whole":
        yield _worked_on(mode)


def _of(store: str, mode: Mode) -> Iterator[Result]:
    seconds, rounds = webhook_rates.seconds_and_rounds(mode)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        is_postgresql = store == "PostgreSQL"
        url = stack.enter_context(gateways.database("bench")) if is_postgresql else f"sqlite:///{folder / 'gateway.db'}"
        # a file of its own: two writers of one would wait for each other
        of_disk = url if is_postgresql else f"sqlite:///{folder / 'disk.db'}"
        disk.prepare(of_disk)
        bare = stack.enter_context(servers.bare("webhooks"))
        wanted = gateways.document(gateways.NOBODY, folder, {"storage": {"url": url}})
        gateway = stack.enter_context(gateways.running(wanted, folder))
        sides = _sides(bare, gateway.port, seconds)
        for warm in sides.values():
            warm()
        found = alternated(rounds, sides)
        rows = [disk.rows_per_second(of_disk, BATCH, seconds / 2) for _round in range(rounds)]
    yield from _results(store, found, rows)


def _sides(bare: int, gateway: int, seconds: float) -> dict[str, Callable[[], load.Load]]:
    supply = Supply()
    return {
        "bare": lambda: load.run(bare, supply.of(0.2), seconds, again=True),
        "gateway": lambda: load.run(gateway, supply.of(seconds), seconds),
    }


def _results(store: str, found: dict[str, list[load.Load]], rows: list[float]) -> Iterator[Result]:
    ours = [each.per_second for each in found["gateway"]]
    bare = [each.per_second for each in found["bare"]]
    p99 = median(each.p99_ms for each in found["gateway"])
    failed = sum(each.failed for each in found["gateway"])
    ratio = Ratio.of(ours, bare)
    targets = [at_least(ratio, STORES[store])]
    if store == "SQLite":
        targets.append(at_most("p99", p99, 25, "ms"))
    figures = (
        Figure("gateway", median(ours), "/s"),
        Figure("bare", median(bare), "/s"),
        Figure("p50", median(each.p50_ms for each in found["gateway"]), "ms"),
        Figure("p99", p99, "ms"),
        Figure("not acknowledged", failed, ""),
    )
    job = f"webhooks, {store}"
    yield Result(job, "bare Starlette endpoint", ratio, figures, tuple(targets), load.remark())
    disk_figures = (Figure("gateway", median(ours), "rows/s"), Figure("bare loop", median(rows), "rows/s"))
    yield Result(
        job,
        "bare loop of inserts, 64 a commit",
        Ratio.of(ours, rows),
        disk_figures,
        remark="the loop has the disk to itself, and no network, proof or answer",
    )


def _worked_on(mode: Mode) -> Result:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        upstreams = {"quiet": gateways.NOBODY, "busy": f"http://127.0.0.1:{stack.enter_context(servers.crm())}"}
        ports = {
            side: stack.enter_context(gateways.running(gateways.document(url, folder / side), folder / side)).port
            for side, url in upstreams.items()
        }
        rates = webhook_rates.of(mode, ports)
    return Result(
        "webhooks, SQLite, with a CRM that answers",
        "the same with a CRM that is away",
        Ratio.of(rates["busy"], rates["quiet"]),
        tuple(Figure(side, median(runs), "/s") for side, runs in rates.items()),
        remark="1,000 records: each is read anew at the CRM and told to Vainu once a second at most, on the same core",
    )

"""Two gateway processes on one port, against one, on PostgreSQL: durable acknowledgements under 64 callers."""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from tests.bench.frame.machine import cores
from tests.bench.frame.results import Figure, Mode, Ratio, Result, at_least
from tests.bench.parts import gateways, webhook_rates

JOB, BESIDE = "webhooks, two processes on PostgreSQL", "one process"
ENOUGH_CORES = 4
"""Two for the gateways, one for the database, one for the load."""


def measure(mode: Mode) -> Iterator[Result]:
    """Each number of processes on a cluster of its own; no target where the cores do not allow it."""
    if not gateways.has_postgresql():
        yield Result(JOB, remark=gateways.NO_POSTGRESQL)
        return
    allows = cores() >= ENOUGH_CORES
    short = f"{cores()} cores, shared with load and database, do not allow it; {ENOUGH_CORES} would"
    if mode.name == "quick" and not allows:
        yield Result(JOB, remark=f"not measured: {short}")
        return
    found = _rates(mode)
    ratio = Ratio.of(found["two"], found["one"])
    figures = tuple(Figure(side, median(rates), "/s") for side, rates in found.items())
    yield Result(JOB, BESIDE, ratio, figures, (at_least(ratio, 1.7),) if allows else (), "" if allows else short)


def _rates(mode: Mode) -> dict[str, list[float]]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        ports = {}
        for side, options in (("one", ()), ("two", ("--workers", "2"))):
            url = stack.enter_context(gateways.database("bench"))
            document = gateways.document(gateways.NOBODY, folder / side, {"storage": {"url": url}})
            ports[side] = stack.enter_context(gateways.running(document, folder / side, *options)).port
        return webhook_rates.of(mode, ports)

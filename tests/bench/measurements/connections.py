"""The rate of durable acknowledgements with 8,000 connections configured, against 8; webhooks go to all in turn."""

import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any

from tests.bench.frame.results import Figure, Mode, Ratio, Result, at_least
from tests.bench.parts import gateways, load, webhook_rates

FEW = 8


def measure(mode: Mode) -> Iterator[Result]:
    """Two gateways at once, in turn."""
    many = mode.pick(800, 8_000)
    figures: list[Figure] = []
    ports: dict[str, int] = {}
    paths: dict[str, list[str]] = {}
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        for connections in (FEW, many):
            side = str(connections)
            folder = Path(name) / side
            began = time.perf_counter()
            gateway = stack.enter_context(gateways.running(_document(folder, connections), folder))
            figures.append(Figure(f"ready with {connections:,}", time.perf_counter() - began, "s"))
            figures.append(Figure(f"memory with {connections:,}", gateway.memory_mb(), "MB"))
            ports[side] = gateway.port
            paths[side] = [f"/crm/c{number}/webhooks" for number in range(connections)]
        found = webhook_rates.of(mode, ports, paths)
    ratio = Ratio.of(found[str(many)], found[str(FEW)])
    rates = (Figure(f"with {int(side):,}", median(each), "/s") for side, each in found.items())
    yield Result(
        f"webhooks with {many:,} connections",
        f"{FEW} connections",
        ratio,
        (*rates, *figures),
        (at_least(ratio, 0.95),),
        load.remark(),
    )


def _document(folder: Path, connections: int) -> dict[str, Any]:
    document = gateways.document(gateways.NOBODY, folder)
    one = document["connections"]["acme"]
    return {**document, "connections": {f"c{number}": one for number in range(connections)}}

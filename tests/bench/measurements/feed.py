"""A feed of 200 events from an instant CRM, beside the same calls passed through; and one quiet call's overhead.

Both sides are Starlette on uvicorn with httpx over aiohttp, in one process each. The rate is a closed loop of 64
callers, each with a customer of its own, so that no two share a call. The quiet calls are an open loop, 20 a second on
each side.
"""

import asyncio
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from adapters.apptivo.endpoints import FEED
from tests.bench.frame.results import Figure, Mode, Ratio, Result, alternated, at_least, at_most, percentile
from tests.bench.parts import gateways, load, open_loop, servers
from tests.bench.parts.wire import get

LAYOUTS = {"eight": "8 calls", "one": "1 call"}
PAIRS_PER_SECOND = 20.0
WARM_UP = 5
WARM_UP_SECONDS = 1.0


def measure(mode: Mode) -> Iterator[Result]:
    """By eight calls with 25 events each, as Apptivo is asked; in whole mode also by one call with all 200."""
    for layout in mode.pick(["eight"], list(LAYOUTS)):
        yield from _of(layout, mode)


def _of(layout: str, mode: Mode) -> Iterator[Result]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        crm = f"http://127.0.0.1:{stack.enter_context(servers.crm(layout=layout))}"
        environ = {**servers.inherited(), "BENCH_CRM": crm, "BENCH_LAYOUT": layout}
        passing = stack.enter_context(servers.bare("feeds", environ))
        gateway = stack.enter_context(gateways.running(_document(crm, folder, layout), folder))
        requests = {"gateway": gateway.feed_requests(load.CALLERS), "passing": [get("/feed")]}
        ports = {"gateway": gateway.port, "passing": passing}
        yield _rates(layout, ports, requests, mode)
        yield _quiet(layout, ports, requests, mode)


def _document(crm: str, folder: Path, layout: str) -> dict[str, Any]:
    if layout == "eight":
        return gateways.document(crm, folder)
    off = {source: {"action": ""} for source in FEED if source != "newsfeed"}
    return gateways.document(crm, folder, {"connections": {"acme": {"apptivo": {"actions": off}}}})


def _rates(layout: str, ports: dict[str, int], requests: dict[str, list[bytes]], mode: Mode) -> Result:
    seconds, rounds = mode.pick(2.0, 5.0), mode.pick(2, 5)

    sides = {side: partial(load.run, port, requests[side], seconds, again=True) for side, port in ports.items()}
    for side in ports:
        load.run(ports[side], requests[side], WARM_UP_SECONDS, again=True)
    found = alternated(rounds, sides)
    rates = {side: [each.per_second for each in runs] for side, runs in found.items()}
    ratio = Ratio.of(rates["gateway"], rates["passing"])
    return Result(
        f"feed of 200 events, {LAYOUTS[layout]}",
        "the same upstream passed through",
        ratio,
        (
            Figure("gateway", median(rates["gateway"]), "/s"),
            Figure("passed through", median(rates["passing"]), "/s"),
            Figure("p99", median(each.p99_ms for each in found["gateway"]), "ms"),
            Figure("failed", sum(each.failed for runs in found.values() for each in runs), ""),
        ),
        (at_least(ratio, 0.5),),
        load.remark(),
    )


def _quiet(layout: str, ports: dict[str, int], requests: dict[str, list[bytes]], mode: Mode) -> Result:
    count, rounds = mode.pick(20, 100), mode.pick(2, 5)
    found: dict[str, list[list[float]]] = open_loop.run(_pairs(ports, requests, count, rounds))
    every = {side: [value for values in runs for value in values] for side, runs in found.items()}
    p50 = {side: percentile(values, 50) * 1000 for side, values in every.items()}
    p99 = {side: percentile(values, 99) * 1000 for side, values in every.items()}
    medians = {side: [median(values) for values in runs] for side, runs in found.items()}
    return Result(
        f"one quiet feed, {LAYOUTS[layout]}",
        "the same upstream passed through",
        Ratio.of(medians["gateway"], medians["passing"], "lower"),
        (
            *(Figure(f"{side} p50", value, "ms") for side, value in p50.items()),
            *(Figure(f"{side} p99", value, "ms") for side, value in p99.items()),
        ),
        (
            at_most("overhead p50", p50["gateway"] - p50["passing"], 2, "ms"),
            at_most("overhead p99", p99["gateway"] - p99["passing"], 5, "ms"),
        ),
    )


async def _pairs(
    ports: dict[str, int], requests: dict[str, list[bytes]], count: int, rounds: int
) -> dict[str, list[list[float]]]:
    """Seconds by side and round; of each pair's two calls the sides take turns at being first."""
    clients = {side: open_loop.Client(port) for side, port in ports.items()}
    found: dict[str, list[list[float]]] = {side: [] for side in ports}
    for number in range(-1, rounds):
        pairs = count if number >= 0 else WARM_UP
        began = time.perf_counter() + 0.05
        sent = (
            clients[side].on_schedule(
                [(_due(pair, place), requests[side][pair % len(requests[side])]) for pair in range(pairs)], began
            )
            for place, side in enumerate(ports)
        )
        for side, timed in zip(ports, await asyncio.gather(*sent), strict=True):
            assert all(each.is_good for each in timed), f"{side} answered {[each.answer.status for each in timed]}"
            if number >= 0:
                found[side].append([each.seconds for each in timed])
    for client in clients.values():
        client.close()
    return found


def _due(pair: int, place: int) -> float:
    return (2 * pair + (place + pair) % 2) / (2 * PAIRS_PER_SECOND)

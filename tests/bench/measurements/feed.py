"""A feed of 200 events from an instant CRM, beside the same calls passed through; and one quiet call's overhead.

Passed through is by Starlette on uvicorn, once with httpx over aiohttp and once with aiohttp itself, which is what the
gateway calls by and the least that a call can cost here. The rate is a closed loop of 64 callers, each with a customer
of its own, so that no two share a call. The quiet calls are an open loop, 20 a second on each side.
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

PASSED_THROUGH = {
    "feeds_by_httpx": "the same upstream passed through",
    "feeds_by_aiohttp": "the same upstream passed through by aiohttp",
}
LIMIT = "feeds_by_httpx"
"""What the targets are about; the other shows what no interface and no reading would cost."""
LAYOUTS = {"eight": "8 calls", "one": "1 call"}
CALLS_PER_SECOND = 20.0
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
        ports = {app: stack.enter_context(servers.bare(app, environ)) for app in PASSED_THROUGH}
        gateway = stack.enter_context(gateways.running(_document(crm, folder, layout), folder))
        requests = {"gateway": gateway.feed_requests(load.CALLERS), **{app: [get("/feed")] for app in PASSED_THROUGH}}
        yield from _rates(layout, {"gateway": gateway.port, **ports}, requests, mode)
        yield from _quiet(layout, {"gateway": gateway.port, **ports}, requests, mode)


def _document(crm: str, folder: Path, layout: str) -> dict[str, Any]:
    if layout == "eight":
        return gateways.document(crm, folder)
    off = {source: {"action": ""} for source in FEED if source != "newsfeed"}
    return gateways.document(crm, folder, {"connections": {"acme": {"apptivo": {"actions": off}}}})


def _rates(layout: str, ports: dict[str, int], requests: dict[str, list[bytes]], mode: Mode) -> Iterator[Result]:
    seconds, rounds = mode.pick(2.0, 5.0), mode.pick(2, 5)

    sides = {side: partial(load.run, port, requests[side], seconds, again=True) for side, port in ports.items()}
    for side in ports:
        load.run(ports[side], requests[side], WARM_UP_SECONDS, again=True)
    found = alternated(rounds, sides)
    rates = {side: [each.per_second for each in runs] for side, runs in found.items()}
    for app, beside in PASSED_THROUGH.items():
        ratio = Ratio.of(rates["gateway"], rates[app])
        yield Result(
            f"feed of 200 events, {LAYOUTS[layout]}",
            beside,
            ratio,
            (
                Figure("gateway", median(rates["gateway"]), "/s"),
                Figure("passed through", median(rates[app]), "/s"),
                Figure("p99", median(each.p99_ms for each in found["gateway"]), "ms"),
                Figure("failed", sum(each.failed for side in ("gateway", app) for each in found[side]), ""),
            ),
            (at_least(ratio, 0.5),) if app == LIMIT else (),
            load.remark(),
        )


def _quiet(layout: str, ports: dict[str, int], requests: dict[str, list[bytes]], mode: Mode) -> Iterator[Result]:
    count, rounds = mode.pick(20, 100), mode.pick(2, 5)
    found: dict[str, list[list[float]]] = open_loop.run(_in_turn(ports, requests, count, rounds))
    every = {side: [value for values in runs for value in values] for side, runs in found.items()}
    p50 = {side: percentile(values, 50) * 1000 for side, values in every.items()}
    p99 = {side: percentile(values, 99) * 1000 for side, values in every.items()}
    medians = {side: [median(values) for values in runs] for side, runs in found.items()}
    for app, beside in PASSED_THROUGH.items():
        yield Result(
            f"one quiet feed, {LAYOUTS[layout]}",
            beside,
            Ratio.of(medians["gateway"], medians[app], "lower"),
            (
                *(Figure(f"{name} p50", p50[side], "ms") for name, side in (("gateway", "gateway"), ("passing", app))),
                *(Figure(f"{name} p99", p99[side], "ms") for name, side in (("gateway", "gateway"), ("passing", app))),
            ),
            (
                at_most("overhead p50", p50["gateway"] - p50[app], 2, "ms"),
                at_most("overhead p99", p99["gateway"] - p99[app], 5, "ms"),
            )
            if app == LIMIT
            else (),
        )


async def _in_turn(
    ports: dict[str, int], requests: dict[str, list[bytes]], count: int, rounds: int
) -> dict[str, list[list[float]]]:
    """Seconds by side and round; the sides take turns at being first."""
    clients = {side: open_loop.Client(port) for side, port in ports.items()}
    found: dict[str, list[list[float]]] = {side: [] for side in ports}
    for number in range(-1, rounds):
        turns = count if number >= 0 else WARM_UP
        began = time.perf_counter() + 0.05
        sent = (
            clients[side].on_schedule(
                [(_due(turn, place, len(ports)), requests[side][turn % len(requests[side])]) for turn in range(turns)],
                began,
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


def _due(turn: int, place: int, sides: int) -> float:
    return (turn + (place + turn) % sides / sides) / CALLS_PER_SECOND

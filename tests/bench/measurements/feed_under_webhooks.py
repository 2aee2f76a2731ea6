"""The feed's 99th percentile while 200 signed webhooks a second come in, against the same without them.

Open loop: a feed is asked for every 50 ms, whether or not the last one was answered, so that waiting is counted. The
CRM and Vainu are the simulators, in a process of their own; the webhooks are about one of 50 customers each, and what
they ask for is done.
"""

import asyncio
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from adapters.vainu.samples import samples
from tests.bench.frame.results import Figure, Mode, Ratio, Result, alternated, at_most, percentile
from tests.bench.parts import gateways, open_loop, servers, signed
from tests.bench.parts.wire import get
from tests.harness import KEY

FEEDS_PER_SECOND = 20.0
WEBHOOKS_PER_SECOND = 200.0
CUSTOMERS = 50


class Stage:
    """A gateway's feeds, alone or under webhooks."""

    def __init__(self, port: int, unique_id: str, seconds: float) -> None:
        self._port = port
        self._feeds = [get(f"/vainu/acme/activities/{unique_id}", KEY)] * int(seconds * FEEDS_PER_SECOND)
        self._count = int(seconds * WEBHOOKS_PER_SECOND)
        self._first = 0
        self.refused = 0

    def alone(self) -> list[float]:
        """Each feed's seconds, counted from when it was due."""
        return open_loop.run(self._alone())

    def under(self) -> list[float]:
        """The same while webhooks come in."""
        made = signed.standard(self._first, self._count, customers=CUSTOMERS)
        self._first += self._count
        return open_loop.run(self._under(made))

    async def _alone(self) -> list[float]:
        client = open_loop.Client(self._port)
        timed = await client.evenly(self._feeds, FEEDS_PER_SECOND)
        client.close()
        assert all(each.is_good for each in timed), "a feed was refused"
        return [each.seconds for each in timed]

    async def _under(self, made: list[bytes]) -> list[float]:
        client = open_loop.Client(self._port)
        feeds, webhooks = await asyncio.gather(self._alone(), client.evenly(made, WEBHOOKS_PER_SECOND))
        client.close()
        self.refused += sum(not each.is_good for each in webhooks)
        return feeds


def measure(mode: Mode) -> Iterator[Result]:
    """Windows without and with webhooks, in turn."""
    seconds, rounds = mode.pick(1.5, 10.0), mode.pick(2, 5)
    with ExitStack() as stack:
        upstream = stack.enter_context(servers.simulators())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        gateway = stack.enter_context(gateways.running(gateways.document(upstream, folder), folder))
        stage = Stage(gateway.port, gateway.export(samples()["samlink"].push_body()), seconds)
        stage.alone()
        found = alternated(rounds, {"alone": stage.alone, "under": stage.under})
    tails = {side: [percentile(values, 99) * 1000 for values in runs] for side, runs in found.items()}
    ratio = Ratio.of(tails["under"], tails["alone"], "lower")
    yield Result(
        "feed's p99 under 200 webhooks/s",
        "the same without them",
        ratio,
        (
            Figure("p99 alone", median(tails["alone"]), "ms"),
            Figure("p99 under", median(tails["under"]), "ms"),
            Figure("webhooks refused", stage.refused, ""),
        ),
        (at_most("ratio", ratio.median, 1.5),),
    )

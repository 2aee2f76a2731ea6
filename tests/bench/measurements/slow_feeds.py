"""10,000 feeds at once while the CRM takes 2 s for every call: all answered inside the budget, and the memory it takes.

In one row all are about 20 customers, so that callers share calls; in another each is about a customer of its own. A
customer has 16 events: with 200 the answers would be 600 MB, and the client's time would be measured. The connections
are open before the clock runs; a feed's time counts from the moment when all are sent.
"""

import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from tests.bench.frame.results import Figure, Mode, Result, at_least_value, at_most, percentile
from tests.bench.parts import gateways, open_loop, servers
from tests.bench.parts.wire import get
from tests.harness import KEY

DELAY_MS = 2_000
BUDGET_MS = 2_500
SHARED = 20


def measure(mode: Mode) -> Iterator[Result]:
    """Few customers; and as many as callers."""
    wanted = mode.pick(500, 10_000)
    allowed = servers.allow_connections(wanted)
    remark = f"the machine allows {allowed:,} connections of {wanted:,}" if allowed < wanted else ""
    yield _of(allowed, SHARED, remark)
    if mode.name == "whole":
        yield _of(allowed, allowed, remark)


def _of(feeds: int, customers: int, remark: str) -> Result:
    with ExitStack() as stack:
        crm = stack.enter_context(servers.crm(DELAY_MS, "few"))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        gateway = stack.enter_context(gateways.running(gateways.document(f"http://127.0.0.1:{crm}", folder), folder))
        requests = [get(f"/vainu/acme/activities/{5_000 + each % customers}", KEY) for each in range(feeds)]
        # a first one, so that what is made once is there
        open_loop.run(_asked(gateway.port, requests[:1]))
        answers = open_loop.run(_asked(gateway.port, requests))
        peak = gateway.peak_memory_mb()
    milliseconds = [each.seconds * 1000 for each in answers]
    statuses = Counter(each.answer.status for each in answers)
    partial = sum(b"\r\ngateway-partial:" in each.answer.head.lower() for each in answers)
    told = ", ".join(f"{count:,} of {status}" for status, count in sorted(statuses.items()))
    return Result(
        f"{feeds:,} feeds at once, CRM 2 s, of {customers:,} customers",
        figures=(
            Figure("p50", percentile(milliseconds, 50), "ms"),
            Figure("slowest", max(milliseconds), "ms"),
            Figure("peak memory", peak, "MB"),
            Figure("partial", partial, ""),
        ),
        targets=(
            at_least_value("answered with a feed", statuses[200] / feeds, 1),
            at_most("slowest", max(milliseconds), BUDGET_MS, "ms"),
            at_most("peak memory", peak, 400, "MB"),
        ),
        remark="; ".join(filter(None, (f"answers: {told}", remark))),
    )


async def _asked(port: int, requests: list[bytes]) -> list[open_loop.Timed]:
    client = open_loop.Client(port)
    timed = await client.all_at_once(requests)
    client.close()
    return timed

"""50 exports at once with a CRM whose every call takes 500 ms: each inside the budget, and near the CRM's own time.

The CRM's own time is 500 ms for each call that has to wait for an earlier one. How many those are is seen, not assumed:
one export alone is timed on the slow CRM and on the instant one; what it takes longer, by 500 ms, is the number of
calls in a row. What an export takes beyond them is the gateway's, with what 50 at once make of it.
"""

import json
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import count
from pathlib import Path

from tests.bench.frame.results import Figure, Mode, Result, at_least_value, at_most, percentile
from tests.bench.parts import gateways, open_loop, servers
from tests.bench.parts.wire import post
from tests.harness import KEY

AT_ONCE = 50
DELAY_MS = 500
BUDGET_MS = 2_500


def measure(mode: Mode) -> Iterator[Result]:
    """Rounds of 50, each of companies never seen before."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        ports = {side: _gateway(stack, folder / side, delay) for side, delay in (("instant", 0), ("slow", DELAY_MS))}
        numbers = count()
        # the first fetches the CRM's lists of choices; what disturbs another makes it longer, never shorter
        alone = {side: min(_pushed(port, 1, numbers)[0].seconds for _ in range(4)) for side, port in ports.items()}
        _pushed(ports["slow"], AT_ONCE, numbers)
        rounds = [_pushed(ports["slow"], AT_ONCE, numbers) for _round in range(mode.pick(1, 5))]
    in_a_row = round((alone["slow"] - alone["instant"]) * 1000 / DELAY_MS)
    yield _result(in_a_row, [each for timed in rounds for each in timed])


def _gateway(stack: ExitStack, folder: Path, delay: float) -> int:
    crm = stack.enter_context(servers.crm(delay))
    document = gateways.document(f"http://127.0.0.1:{crm}", folder, {"connections": {"acme": {"vainu": None}}})
    return stack.enter_context(gateways.running(document, folder)).port


def _pushed(port: int, exports: int, numbers: Iterator[int]) -> list[open_loop.Timed]:
    bodies = [json.dumps(gateways.company(next(numbers))).encode() for _ in range(exports)]
    client = open_loop.Client(port)

    async def push() -> list[open_loop.Timed]:
        timed = await client.all_at_once([post("/vainu/acme/exports", body, f"API-Key: {KEY}") for body in bodies])
        client.close()
        return timed

    return open_loop.run(push())


def _result(in_a_row: int, exports: Sequence[open_loop.Timed]) -> Result:
    milliseconds = [each.seconds * 1000 for each in exports]
    own = in_a_row * DELAY_MS
    created = sum(each.answer.status == 201 for each in exports)
    return Result(
        "50 exports at once, CRM 500 ms a call",
        figures=(
            Figure("calls in a row", in_a_row, ""),
            Figure("CRM's own time", own, "ms"),
            Figure("p50", percentile(milliseconds, 50), "ms"),
            Figure("slowest", max(milliseconds), "ms"),
        ),
        targets=(
            at_least_value("created inside the budget", created / len(exports), 1),
            at_most("slowest", max(milliseconds), BUDGET_MS, "ms"),
            at_most("slowest beyond the CRM's own time", max(milliseconds) - own, 100, "ms"),
        ),
        remark=f"an export alone took {in_a_row} times 500 ms longer than on an instant CRM: so many calls in a row",
    )

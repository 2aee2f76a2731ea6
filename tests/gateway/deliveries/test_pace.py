"""So many at once and so many a second for each connection; and nobody's work waits for another connection's."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from gateway.pace import Pace
from tests.harness import Gateway, Upstream, configuration, running_gateway, wait_until


def test_no_more_at_once_than_the_setting_says() -> None:
    """Twenty deliveries with three slots: three at once, never four, and all of them come to their turn."""
    seen: list[int] = []

    async def main() -> None:
        pace, running = Pace(3), 0

        async def one() -> None:
            nonlocal running
            async with pace.turn():
                running += 1
                seen.append(running)
                await asyncio.sleep(0)
                running -= 1

        await asyncio.gather(*(one() for _each in range(20)))
        assert pace.room(0) == 3

    asyncio.run(main())
    assert len(seen) == 20
    assert max(seen) == 3


def test_no_more_a_second_than_the_setting_says() -> None:
    """With 100 a second eleven begin in no less than a tenth of a second, evenly spread."""
    begun: list[float] = []

    async def main() -> None:
        pace = Pace(64, 100)

        async def one() -> None:
            async with pace.turn():
                begun.append(asyncio.get_running_loop().time())

        await asyncio.gather(*(one() for _each in range(11)))

    asyncio.run(main())
    assert begun[-1] - begun[0] >= 0.1 - 0.002


def test_only_what_can_begin_soon_is_claimed() -> None:
    """What is held counts against the slots; what waits for the rate counts against about a second's worth."""

    async def main() -> None:
        assert Pace(8).room(5) == 3
        assert Pace(8).room(9) == 0
        slow = Pace(64, 2.5)
        assert slow.room(0) == 3
        entered = asyncio.Event()

        async def one() -> None:
            async with slow.turn():
                entered.set()
                await asyncio.sleep(3_600)

        tasks = [asyncio.create_task(one()) for _each in range(3)]
        await entered.wait()
        assert slow.room(3) == 1, "one has begun, two wait for the rate"
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert slow.room(0) == 3

    asyncio.run(main())


def export(gateway: Gateway, connection: str, number: int) -> str:
    company = {"company_name": f"Pace {number} Oy", "country": "FI"}
    answer = gateway.push(connection, company)
    assert answer.status_code in (200, 201), answer.text
    return str(answer.json()["status"])


def test_a_slow_connection_does_not_hold_up_another(upstream: Upstream, tmp_path: Path) -> None:
    """While one CRM answers nothing and its exports pile up, another's are done within their budget."""
    slow = {"deliveries": {"max_concurrent": 2}, "export": {"budget_ms": 1_000}}
    document = configuration(upstream.url, tmp_path, server={"drain_seconds": 0}, connections={"acme": slow})
    with running_gateway(document) as gateway:
        upstream.fault("apptivo", "delay", seconds=4)
        with ThreadPoolExecutor(12) as callers:
            assert set(callers.map(lambda number: export(gateway, "acme", number), range(12))) == {"accepted"}
        started = time.monotonic()
        assert {export(gateway, "globex", number) for number in range(3)} == {"created"}
        assert time.monotonic() - started < 10


def test_a_rate_limit_delays_and_fails_nothing(upstream: Upstream, tmp_path: Path) -> None:
    """Exports beyond the rate wait for their turn and then succeed at their first attempt."""
    paced = {"deliveries": {"per_second": 4}, "export": {"budget_ms": 1_000}}
    document = configuration(upstream.url, tmp_path, connections={"acme": paced})
    with running_gateway(document) as gateway:
        ids = [
            gateway.push("acme", {"company_name": f"Rate {number} Oy", "country": "FI"}).json()["export_id"]
            for number in range(6)
        ]

        def done() -> bool:
            return all(gateway.standing("acme", each)["status"] == "created" for each in ids)

        wait_until(done, "all are created")
        assert [gateway.standing("acme", each)["attempts"] for each in ids] == [1] * 6

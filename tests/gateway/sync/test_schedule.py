"""`[connections.NAME.sync] every`: the customers are synced without anybody asking, by one process at a time."""

import asyncio
import tomllib
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from gateway.runtime import Runtime
from gateway.settings import InvalidSettings, load
from gateway.store import Store
from gateway.sync.patience import Patience
from gateway.sync.schedule import AGAIN_MS, Schedule
from gateway.sync.syncs import Syncs
from tests.gateway.sync.conftest import World
from tests.harness import gateway_process, wait_until

HOUR = 3_600_000


class Times:
    """A clock that tests set."""

    def __init__(self) -> None:
        self.now = 1_800_000_000_000

    def __call__(self) -> int:
        return self.now


def scheduled(world: World, act: Callable[[Times, Schedule, Schedule], Awaitable[Any]]) -> Any:
    """What `act` gives with two processes' schedules over one store."""
    times = Times()

    async def no_pause(_seconds: float) -> None:
        """Retries are at once."""

    async def run() -> Any:
        settings = load(world.config)
        stores = [Store(settings.storage.url) for _process in range(2)]
        runtimes = [Runtime(settings) for _process in range(2)]
        for store in stores:
            store.open()
        patience = Patience(times, pause=no_pause)
        made = [
            Schedule(Syncs(store, times, patience), runtime, times)
            for store, runtime in zip(stores, runtimes, strict=True)
        ]
        try:
            return await act(times, *made)
        finally:
            for runtime, store in zip(runtimes, stores, strict=True):
                await runtime.close()
                store.close()

    return asyncio.run(run())


async def looked(*schedules: Schedule) -> int:
    """How many syncs begin when they look at the same moment; all of them have ended."""
    begun = [task for tasks in await asyncio.gather(*(each.look() for each in schedules)) for task in tasks]
    await asyncio.gather(*begun)
    return len(begun)


def listings(world: World) -> int:
    """How often the CRM's customers were listed from their beginning."""
    calls = world.upstream.calls("apptivo")
    return sum(call["path"].endswith("v6/customers") and "startIndex=0&" in call["query"] for call in calls)


def test_every_hour_once(world: World) -> None:
    """At the start, then an hour after the last began; two processes that look at once sync once."""
    world.crm.add_customers(5)
    world.configure(sync={"every": "1h"})

    async def act(times: Times, one: Schedule, other: Schedule) -> list[int]:
        counted = []
        for step in (0, HOUR - 1, 1, HOUR):
            times.now += step
            await looked(one, other)
            counted.append(listings(world))
        return counted

    assert scheduled(world, act) == [1, 1, 2, 3]
    assert len(world.customer_data()) == 5


def test_without_every_nothing_is_synced(world: World) -> None:
    """The default."""
    world.crm.add_customers(2)
    assert scheduled(world, lambda _times, one, other: looked(one, other)) == 0


def test_a_sync_that_stopped_goes_on_after_a_while(world: World) -> None:
    """Not at once, and not only an hour later."""
    world.crm.add_customers(5)
    world.configure(sync={"every": "1h"})
    world.upstream.fault("vainu", "503")

    async def act(times: Times, one: Schedule, _other: Schedule) -> list[int]:
        begun = [await looked(one), await looked(one)]
        world.upstream.heal("vainu")
        times.now += AGAIN_MS
        return [*begun, await looked(one)]

    assert scheduled(world, act) == [1, 0, 1]
    assert len(world.customer_data()) == 5


def test_a_sync_by_hand_counts(world: World) -> None:
    """Whoever synced all customers a minute ago need not have it done again; a dry run is no sync."""
    world.crm.add_customers(2)
    world.configure(sync={"every": "1d"})
    assert world.summary("--dry-run")["code"] == 0

    async def act(times: Times, one: Schedule, _other: Schedule) -> int:
        # the command goes by the real clock
        times.now = 0
        return await looked(one)

    assert scheduled(world, act) == 1
    assert world.summary()["code"] == 0
    assert scheduled(world, act) == 0


def test_deletions_and_aixon_by_schedule(world: World) -> None:
    """`delete` and `to` say what a scheduled sync does."""
    world.crm.add_customers(3)
    world.configure(sync={"every": "30m", "to": ["vainu", "aixon"], "delete": True})

    async def act(times: Times, one: Schedule, _other: Schedule) -> int:
        begun = await looked(one)
        world.delete_customers(world.ids()[0])
        times.now += HOUR
        return begun + await looked(one)

    assert scheduled(world, act) == 4
    assert len(world.customer_data()) == 2
    (cell,) = world.upstream.records("aixon").values()
    assert len(cell["rows"]) == 3


def test_the_service_syncs(world: World) -> None:
    """`gateway serve` does it, with two processes on one store once."""
    world.crm.add_customers(30)
    world.configure(sync={"every": "1h"})
    document = tomllib.loads(world.config.read_text(encoding="utf-8"))
    with gateway_process(document, world.folder) as process:
        process.start()
        wait_until(lambda: '"sync.done"' in process.log.read_text() or "sync.done" in process.log.read_text(), "synced")
        assert len(world.customer_data()) == 30
        assert process.stop() == 0
    assert listings(world) == 1


@pytest.mark.parametrize(
    ("sync", "path"),
    [
        ({"every": "soon"}, "connections.acme.sync.every"),
        ({"every": 3600}, "connections.acme.sync.every"),
        ({"every": "0m"}, "connections.acme.sync.every"),
        ({"every": "999999d"}, "connections.acme.sync.every"),
        ({"every": "1h", "to": ["elsewhere"]}, "connections.acme.sync.to"),
        ({"every": "1h", "to": []}, "connections.acme.sync.to"),
        ({"delete": "yes please"}, "connections.acme.sync.delete"),
        ({"interval": "1h"}, "connections.acme.sync.interval"),
    ],
)
def test_a_wrong_schedule_is_told_with_its_path(world: World, sync: dict[str, Any], path: str) -> None:
    """One fault, at its key."""
    world.configure(sync=sync)
    with pytest.raises(InvalidSettings) as invalid:
        load(world.config)
    assert [str(fault).startswith(path) for fault in invalid.value.faults] == [True]


def test_a_schedule_needs_its_target(world: World) -> None:
    """Without the target's own table the fault says which one to add."""
    world.configure(sync={"every": "1h", "to": ["aixon"]}, aixon=None)
    with pytest.raises(InvalidSettings, match=r"add \[connections\.acme\.aixon\]"):
        load(world.config)

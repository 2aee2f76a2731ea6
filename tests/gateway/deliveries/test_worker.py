"""The worker on a real store: an end that cannot be kept, an attempt's time, and a lease lost in the middle."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import Connection

from adapters.contract import TimedOut
from adapters.deadline import Deadline
from gateway.attempts import Attempts
from gateway.handling import Act
from gateway.runtime import LiveConnection, Runtime
from gateway.settings import read
from gateway.store import DeliveryState, Store, claims, deliveries, ledger
from gateway.store.claims import Lease
from gateway.store.deliveries import Delivery, NewDelivery
from gateway.worker import Worker
from tests.harness import configuration

KIND = "export"


@dataclass
class Work:
    """A kind of delivery that does what the test says."""

    does: Callable[[Delivery], Awaitable[Act]]
    deadlines: list[float] = field(default_factory=list)

    async def act(self, delivery: Delivery, live: LiveConnection, deadline: Deadline) -> Act:
        assert live.name == delivery.connection
        self.deadlines.append(deadline.remaining())
        return await self.does(delivery)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(f"sqlite:///{tmp_path / 'gateway.db'}")
    made.open()
    yield made
    made.close()


def worker_of(store: Store, folder: Path, work: Work, **settings: object) -> Worker:
    document = configuration("http://127.0.0.1:9", folder, connections={"acme": {"deliveries": settings}})
    runtime = Runtime(read(document))
    return Worker(store, runtime, Attempts(runtime, {KIND: work}))


async def add(store: Store, worker: Worker, key: str = "1") -> int:
    new = NewDelivery("acme", KIND, f"acme:{key}", key, b"{}")
    return await store.write(lambda c: deliveries.add(c, new, worker.clock()))


async def until_ended(store: Store, worker: Worker, *delivery_ids: int) -> list[ledger.Detail]:
    """Run the worker until these have ended or wait for another attempt; what is known of them."""
    running = asyncio.create_task(worker.run())
    try:
        async with asyncio.timeout(20):
            while True:
                found = [await store.read(lambda c, i=i: ledger.detail(c, i)) for i in delivery_ids]
                details = [each for each in found if each is not None]
                if all(each.attempts or each.delivery.finished_at for each in details):
                    return details
                await asyncio.sleep(0.02)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await worker.drain(0)
        await worker.runtime.close()


def test_an_end_that_the_store_refuses_does_not_hold_the_record_for_ever(store: Store, tmp_path: Path) -> None:
    """What follows breaks a constraint, by a defect of ours: the delivery fails for that, within its bounds."""

    def broken(connection: Connection) -> None:
        deliveries.add(connection, NewDelivery("acme", KIND, None, "", b""), 0)  # type: ignore[arg-type]  # the defect

    async def does(_delivery: Delivery) -> Act:
        return Act("done", also=broken)

    async def main() -> None:
        worker = worker_of(store, tmp_path, Work(does))
        (detail,) = await until_ended(store, worker, await add(store, worker))
        assert [attempt.outcome for attempt in detail.attempts] == ["internal_error"]
        assert detail.delivery.state in (DeliveryState.PENDING, DeliveryState.RUNNING)

    asyncio.run(main())


def test_waiting_for_its_turn_is_no_part_of_an_attempt_s_time(store: Store, tmp_path: Path) -> None:
    """With one slot the last of four has its whole minute, although it waited for the others."""

    async def does(_delivery: Delivery) -> Act:
        await asyncio.sleep(0.2)
        return Act("done")

    async def main() -> None:
        work = Work(does)
        worker = worker_of(store, tmp_path, work, max_concurrent=1)
        added = [await add(store, worker, str(key)) for key in range(4)]
        # as exports do, claimed by the caller and not by the worker: all at once
        lease = worker.lease()
        claimed = await store.write(lambda c: claims.claim(c, lease, worker.clock(), "acme", KIND, 10))
        assert len(claimed) == 4
        worker.start(claimed)
        details = await until_ended(store, worker, *added)
        assert {detail.delivery.state for detail in details} == {DeliveryState.DONE}
        assert min(work.deadlines) > 59.5

    asyncio.run(main())


def test_what_follows_from_work_whose_lease_was_lost_is_added_by_who_took_it_over(store: Store, tmp_path: Path) -> None:
    """A worker that stalled records what it learned, such as a link, and leaves what follows to its successor."""
    learned: list[str] = []

    async def main() -> None:
        taken: list[Delivery] = []

        async def does(delivery: Delivery) -> Act:
            # stalled for longer than the lease: another has claimed it
            late = worker.clock() + 60_000
            await store.write(lambda c: claims.release_abandoned(c, (), late, late, ()))
            taken.extend(await store.write(lambda c: claims.claim(c, Lease("other", late), late, "acme", KIND, 1)))

            def follow(connection: Connection) -> None:
                new = NewDelivery("globex", "follow_up", "globex:1", "", b"")
                deliveries.add(connection, new, worker.clock())

            return Act("done", also=follow, learned=lambda _connection: learned.append(delivery.subject))

        worker = worker_of(store, tmp_path, Work(does))
        delivery_id = await add(store, worker)
        lease = worker.lease()
        worker.start(await store.write(lambda c: claims.claim(c, lease, worker.clock(), "acme", KIND, 1)))
        await worker.finished(delivery_id, Deadline.after(10))
        found = await store.read(lambda c: deliveries.by_id(c, delivery_id))
        assert found is not None
        assert (found.state, found.lease_owner) == (DeliveryState.RUNNING, "other")
        assert [each.id for each in taken] == [delivery_id]
        assert learned == ["1"]
        entries = (await store.read(lambda c: ledger.search(c, ledger.Filter(kind="follow_up"), 10))).entries
        assert entries == []
        await worker.runtime.close()

    asyncio.run(main())


def test_a_kind_whose_circuit_is_open_is_left_in_the_store(store: Store, tmp_path: Path) -> None:
    """After five time-outs in a row the rest stays unclaimed and untried, and is tried again later."""
    tried: list[int] = []

    async def does(delivery: Delivery) -> Act:
        tried.append(delivery.id)
        raise TimedOut("no answer")

    async def main() -> None:
        worker = worker_of(store, tmp_path, Work(does), max_concurrent=1)
        added = [await add(store, worker, str(key)) for key in range(12)]
        await until_ended(store, worker, *added[:5])
        states = [await store.read(lambda c, i=i: deliveries.by_id(c, i)) for i in added]
        assert tried[:5] == added[:5]
        assert len(tried) <= 6, "and at most the one that tries"
        assert all(each is not None and each.state == DeliveryState.PENDING for each in states)

    asyncio.run(main())

"""Webhooks that go to the disk by one statement: all that come together, each with an answer of its own."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import func, make_url, select, text

from adapters.deadline import Deadline
from gateway.store import StoreUnavailable, WriteRefused, inbox
from gateway.store.inbox import BODY_WINDOW_MS, InboundEvent, Kept
from gateway.store.jobs import MOST_IN_A_STATEMENT
from gateway.store.tables import WAITS_ITS_TURN, deliveries
from tests.gateway.store.conftest import Bench, opened
from tests.postgres import Cluster

NOW = 1_780_000_000_000


def hook(number: int, **changes: Any) -> InboundEvent:
    told: dict[str, Any] = {
        "event_id": f"whk_{number}",
        "connection": "acme",
        "kind": "crm_webhook",
        "order_key": f"acme:crm_webhook:{number}",
        "subject": str(number),
        "payload": b'{"n": "\xc3\xa9\\u0000"}',
        "dedupe_key": f"id:{number}",
        "by_body": False,
        "received_at": NOW,
    }
    return InboundEvent(**told | changes)


def handed_over(bench: Bench, events: Sequence[InboundEvent]) -> list[Kept | Exception]:
    """What each sender is told, all of which come in one round of the event loop."""

    async def together() -> list[Kept | Exception]:
        loop = asyncio.get_running_loop()
        told = [loop.create_future() for _event in events]
        for event, future in zip(events, told, strict=True):
            deadline = Deadline.after(20)
            bench.store.hand_over(inbox.keep, [event], "", deadline, future.set_result, is_one_statement=True)
        return list(await asyncio.gather(*told))

    found: list[Kept | Exception] = bench.run(together())
    return found


def stored(bench: Bench) -> int:
    return bench.read(lambda c: c.execute(select(func.count()).select_from(deliveries)).scalar_one())


def test_what_comes_together_is_kept_together(bench: Bench) -> None:
    """More than one statement takes, and again, with new ones between: each first is kept whole, each repeat known."""
    first = [hook(number) for number in range(MOST_IN_A_STATEMENT + 3)]
    assert handed_over(bench, first) == [Kept(each.event_id, False) for each in first]

    again = [hook(number, event_id=f"again_{number}") for number in range(-2, 3)]
    told = handed_over(bench, again)

    assert told[:2] == [Kept("again_-2", False), Kept("again_-1", False)]
    assert told[2:] == [Kept(f"whk_{number}", True) for number in range(3)]
    row = bench.read(lambda c: c.execute(select(deliveries).where(deliveries.c.event_id == "whk_1")).one())
    assert (bytes(row.payload), row.created_at, row.due_at) == (hook(1).payload, NOW, NOW)


def test_an_equal_body_of_long_ago_is_news(bench: Bench) -> None:
    """Without ids: repeats within the hour are known, one after it is kept anew, beside others that come with it."""

    def body(number: int, key: str, at: int) -> InboundEvent:
        return hook(number, dedupe_key=f"body:{key}", by_body=True, received_at=at)

    assert handed_over(bench, [body(1, "a", NOW), body(2, "b", NOW)]) == [Kept("whk_1", False), Kept("whk_2", False)]
    soon = NOW + BODY_WINDOW_MS
    assert handed_over(bench, [body(3, "a", soon), body(4, "c", soon)]) == [Kept("whk_1", True), Kept("whk_4", False)]
    late = soon + 1
    told = handed_over(bench, [body(5, "a", late), body(6, "a", late), body(7, "c", late), body(8, "d", late)])
    assert told == [Kept("whk_5", False), Kept("whk_5", True), Kept("whk_4", True), Kept("whk_8", False)]
    assert stored(bench) == 5


def test_two_of_one_record_wait_for_each_other(bench: Bench) -> None:
    """The second of a record waits its turn, whether both come at once or one after the other."""
    handed_over(bench, [hook(1), hook(2, order_key=hook(1).order_key)])
    handed_over(bench, [hook(3, order_key=hook(1).order_key)])

    due = bench.read(lambda c: c.execute(select(deliveries.c.due_at).order_by(deliveries.c.id)).scalars().all())
    assert due == [NOW, WAITS_ITS_TURN, WAITS_ITS_TURN]


def test_a_bad_one_hurts_no_other(bench: Bench) -> None:
    """A row that the database refuses is refused alone; what came with it is kept."""
    bad = hook(2, subject=None)  # as a defect of ours would have it
    told = handed_over(bench, [hook(1), bad, hook(3)])

    assert told[0] == Kept("whk_1", False)
    assert isinstance(told[1], WriteRefused)
    assert told[2] == Kept("whk_3", False)
    assert stored(bench) == 2


def test_who_has_been_told_that_it_is_too_late_is_not_kept(bench: Bench) -> None:
    """Past its deadline a webhook's sender hears that the store is away, and will send it again."""

    async def late() -> Kept | Exception:
        future = asyncio.get_running_loop().create_future()
        bench.store.hand_over(inbox.keep, [hook(1)], "", Deadline.after(-1), future.set_result, is_one_statement=True)
        answer: Kept | Exception = await future
        return answer

    assert isinstance(bench.run(late()), StoreUnavailable)
    assert handed_over(bench, [hook(2)]) == [Kept("whk_2", False)]
    assert stored(bench) == 1


def test_a_connection_that_was_cut_is_opened_anew(bench: Bench) -> None:
    """PostgreSQL cuts every connection: the webhook behind the cut is refused at most, and the next one is kept."""
    assert handed_over(bench, [hook(1)]) == [Kept("whk_1", False)]
    cut(bench)

    told = handed_over(bench, [hook(2)])
    assert isinstance(told[0], Kept | StoreUnavailable)
    assert isinstance(handed_over(bench, [hook(2)])[0], Kept)
    assert bench.write(lambda c: c.execute(text("SELECT 1")).scalar()) == 1
    assert stored(bench) == 2


def cut(bench: Bench) -> None:
    """End all other connections to the database; SQLite has none that could be."""
    if make_url(bench.store.url).get_backend_name() == "postgresql":
        others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
        bench.read(lambda c: c.execute(text(f"{others} AND pid <> pg_backend_pid()")).all())


def test_a_connection_that_breaks_in_a_transaction_is_opened_anew(
    cluster: Cluster, request: pytest.FixtureRequest
) -> None:
    """PostgreSQL ends the connection in the middle of a write: that one is refused, and the next ones are kept."""
    with opened(cluster.create_database(request.node.name[:40])) as bench:
        for _time in range(2):
            with pytest.raises(StoreUnavailable):
                bench.write(lambda c: c.execute(text("SELECT pg_terminate_backend(pg_backend_pid())")).all())
            assert bench.write(lambda c: c.execute(text("SELECT 1")).scalar()) == 1
        assert handed_over(bench, [hook(1)]) == [Kept("whk_1", False)]

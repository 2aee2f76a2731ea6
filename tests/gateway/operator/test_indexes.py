"""Lists over a large store: each look is served by an index and bounded, whatever the filter."""

import asyncio
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event, insert

from gateway.ids import new_id
from gateway.store import DeliveryState, Store, claims, export_lists, inbox, ledger, lists, searches
from gateway.store import deliveries as deliveries_module
from gateway.store.claims import Lease
from gateway.store.deliveries import Delivery
from gateway.store.inbox import InboundEvent
from gateway.store.ledger import Filter
from gateway.store.tables import aliases, companies, deliveries, exports, unique_ids
from tests.gateway.store.conftest import Bench

MANY = 100_000
EVERY = 10_000
"""One dead letter, and one of a quiet connection, for so many."""
BEGAN = 1_780_000_000_000


def fill(bench: Bench) -> None:
    """100,000 deliveries that are done, ten dead, ten of a quiet connection; an export for each hundredth."""
    for first in range(1, MANY + 1, EVERY):
        rows = [_row(number) for number in range(first, first + EVERY)]
        bench.write(lambda c, rows=rows: c.execute(insert(deliveries), rows))
    bench.write(_with_exports)


def _with_exports(connection: Connection) -> None:
    numbers = range(100, MANY + 1, 100)
    ids = {number: new_id("exp", BEGAN + number) for number in numbers}
    company_ids = {number: new_id("co", BEGAN + number) for number in numbers}
    connection.execute(
        insert(companies),
        [
            {"id": company_ids[n], "connection": "acme", "gateway_id": f"gw_{n}", "created_at": 0, "updated_at": 0}
            for n in numbers
        ],
    )
    known = [{"connection": "acme", "unique_id": f"gw_{n}", "company_id": company_ids[n]} for n in numbers]
    connection.execute(insert(unique_ids), known)
    names = [
        {"connection": "acme", "kind": "name", "value": f"company {n:06}", "country": "", "company_id": company_ids[n]}
        for n in numbers
    ]
    connection.execute(insert(aliases), names)
    connection.execute(insert(exports), [_export(n, ids[n], company_ids[n]) for n in numbers])
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("ANALYZE")


def _row(number: int) -> dict[str, Any]:
    is_odd_one = number % EVERY == 0
    return {
        "connection": "quiet" if is_odd_one else "acme",
        "kind": "crm_webhook",
        "order_key": f"key:{number}",
        "content_key": "",
        "subject": str(number),
        "payload": b"{}" * 200,
        "state": DeliveryState.DEAD if is_odd_one else DeliveryState.DONE,
        "attempts": 1,
        "due_at": 0,
        "created_at": BEGAN + number,
        "finished_at": BEGAN + number,
    }


def _export(number: int, export_id: str, company_id: str) -> dict[str, Any]:
    return {
        "id": export_id,
        "connection": "acme",
        "company_id": company_id,
        "delivery_id": number,
        "joined": False,
        "query": "",
        "body": b"{}",
        "received_at": BEGAN + number,
    }


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def full(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """A store of 100,000 deliveries."""
    folder: Path = tmp_path_factory.mktemp("full")
    url = f"sqlite:///{folder / 'gateway.db'}"
    if request.param == "postgresql":
        url = request.getfixturevalue("cluster").create_database("operator_full")
    store = Store(url)
    store.open()
    with asyncio.Runner() as runner:
        bench = Bench(store, runner)
        fill(bench)
        yield bench
    store.close()


def plans(bench: Bench, look: Any) -> list[str]:
    """How the database goes about the statements of a look."""

    def explained(connection: Connection) -> list[str]:
        found: list[tuple[str, Any]] = []

        def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
            found.append((statement, parameters))

        event.listen(connection, "before_cursor_execute", note)
        look(connection)
        event.remove(connection, "before_cursor_execute", note)
        verb = "EXPLAIN QUERY PLAN"
        if connection.dialect.name == "postgresql":
            # half of a small table is read sooner than half of its index: whether it could is what counts
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
            verb = "EXPLAIN"
        return [
            "\n".join(str(row[-1]) for row in connection.exec_driver_sql(f"{verb} {statement}", parameters))
            for statement, parameters in found
        ]

    return bench.read(explained)


WEBHOOK = InboundEvent("whk_1", "acme", "crm_webhook", "acme:crm_webhook:7", "7", b"{}", "id:1", False, BEGAN)
LOOKS: dict[str, Any] = {
    "newest": lambda c: lists.delivery_page(c, Filter(), 50),
    "next page": lambda c: lists.delivery_page(c, Filter(), 50, (BEGAN + 500, 500)),
    "done": lambda c: lists.delivery_page(c, Filter(states=(DeliveryState.DONE,)), 50),
    "dead": lambda c: lists.delivery_page(c, Filter(states=(DeliveryState.DEAD,)), 50),
    "dead of one": lambda c: lists.delivery_page(c, Filter(states=(DeliveryState.DEAD,), connection="quiet"), 50),
    "pending": lambda c: lists.delivery_page(c, Filter(states=(DeliveryState.PENDING,)), 50),
    "quiet": lambda c: lists.delivery_page(c, Filter(connection="quiet"), 50),
    "since": lambda c: lists.delivery_page(c, Filter(since=BEGAN + MANY - 10), 50),
    "exports": lambda c: export_lists.export_page(c, Filter(), 50),
    "dead exports": lambda c: export_lists.export_page(c, Filter(states=(DeliveryState.DEAD,)), 50),
    "quiet exports": lambda c: export_lists.export_page(c, Filter(connection="quiet"), 50),
    "name": lambda c: searches.companies_of(c, "company 0001", ["company 0001"]),
    "due": lambda c: claims.due_work(c, BEGAN),
    "standing": ledger.standing,
    "counts": lambda c: ledger.count(c, Filter(states=(DeliveryState.DEAD,))),
    "webhook": lambda c: inbox.keep(c, [[WEBHOOK]]),
    "detail": lambda c: ledger.detail(c, 4700),
    "found": lambda c: searches.delivery_ids(c, "4700", searches.companies_of(c, "gw_4700", [])),
}


@pytest.mark.parametrize("name", LOOKS)
def test_no_list_reads_a_table_from_end_to_end(full: Bench, name: str) -> None:
    """Every statement can go by an index, and SQLite does; it sorts no list but what was looked up by id."""
    for plan in plans(full, LOOKS[name]):
        assert not re.search(r"Seq Scan on (deliveries|exports|company_aliases|unique_ids)", plan), plan
        assert not re.search(r"SCAN (deliveries|exports|company_aliases|unique_ids)(?! USING)", plan), plan
        # ids that were looked up by another index are few, and those are sorted
        if "TEMP B-TREE FOR ORDER BY" in plan:
            assert name in ("pending", "dead exports", "detail", "found"), plan


def delivery_of(connection: Connection, number: int) -> Delivery:
    found = deliveries_module.by_id(connection, number)
    assert found
    return found


STEPS: dict[str, Any] = {
    "claim next": lambda c: claims.claim_next(c, Lease("me", BEGAN), BEGAN, "key:1"),
    "give turn": lambda c: claims.give_turn(c, "key:1", BEGAN),
    "hasten": lambda c: deliveries_module.hasten(c, "key:1", BEGAN),
    "fold": lambda c: deliveries_module.fold(c, delivery_of(c, 1), 9, BEGAN),
    "running": lambda c: claims.running_keys(c, ["key:1"]),
    "webhook": lambda c: inbox.keep(c, [[WEBHOOK]]),
}


# PostgreSQL chooses by what it has counted, and here nothing waits
@pytest.mark.parametrize("full", ["sqlite"], indirect=True)
@pytest.mark.parametrize("name", STEPS)
def test_a_step_with_one_record_looks_at_that_record_only(full: Bench, name: str) -> None:
    """However many others wait: SQLite goes by the order key, or by the id that it has found so."""
    for plan in plans(full, STEPS[name]):
        searches = re.findall(r"SEARCH (?:deliveries|other)[^\n]*", plan)
        keys = ("order_key=?", "dedupe_key=?", "rowid=?")
        assert all(any(key in each for key in keys) for each in searches), plan


def test_a_look_for_few_among_many_is_bounded_and_goes_on(full: Bench) -> None:
    """50,000 are looked through at most; the cursor leads on from there, and all ten are found once."""
    found, after, looks = [], None, 0
    while looks == 0 or after is not None:
        page = full.read(lambda c, after=after: lists.delivery_page(c, Filter(connection="quiet"), 50, after))
        found += [entry.id for entry in page.entries]
        after, looks = page.after, looks + 1
        assert (page.searched_until is None) == (after is None)
    assert found == list(range(MANY, 0, -EVERY))
    assert looks == MANY // lists.SCANNED + 1


def test_no_look_takes_long(full: Bench) -> None:
    """A second is a hundred times what the slowest needs on an idle machine."""
    for name, look in LOOKS.items():
        began = time.perf_counter()
        full.read(look)
        assert time.perf_counter() - began < 1.0, name

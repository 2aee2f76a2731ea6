"""The history behind the charts: counted in memory, added up across processes, shown as series."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.operator.charts import percentile
from gateway.recorder import Recorder
from gateway.runtime import Runtime
from gateway.settings import read
from gateway.store import Store, history
from gateway.store.history import Slot, Tally
from gateway.store.operator_tables import BOUNDS_MS, BUCKETS
from tests.gateway.operator.conftest import Desk
from tests.harness import configuration, wait_until

NOW = 1_780_000_000_000 - 1_780_000_000_000 % 3_600_000
MINUTE = 60_000


def series_of(found: dict[str, Any], connection: str | None, job: str) -> dict[str, Any]:
    """One series of an answer."""
    (one,) = (each for each in found["series"] if (each["connection"], each["job"]) == (connection, job))
    return dict(one)


def test_what_happens_is_counted_by_connection_and_job(desk: Desk) -> None:
    """Exports, feeds, webhooks and deliveries, with their errors by reason; all together and each connection."""
    unique_id = desk.push("acme", company_name="Oy Samlink Ab")["unique_id"]
    desk.gateway.feed("acme", unique_id)
    desk.hook("globex", {"event": 1})
    desk.gateway.push("acme", {"contacts": 7})
    desk.dead("Dead Oy")

    found = desk.get("history")
    exports = series_of(found, "acme", "export")
    assert (sum(exports["counts"]), sum(exports["errors"])) == (3, 2)
    assert {reason: sum(numbers) for reason, numbers in exports["errors_by_reason"].items()} == {
        "invalid": 1,
        "crm_refused": 1,
    }
    assert sum(series_of(found, "acme", "feed")["counts"]) == 1
    assert sum(series_of(found, "globex", "webhook")["counts"]) == 1
    attempts = series_of(found, None, "delivery")
    assert (sum(attempts["counts"]), sum(attempts["errors_by_reason"]["server_fault"])) == (2, 1)
    assert len(found["times"]) == len(exports["counts"]) == len(exports["p99"]) == 61
    assert found["step_seconds"] == 60
    assert [each["connection"] for each in found["backlog"]] == [None, "acme", "globex"]
    assert [each["job"] for each in desk.get("history", connection="globex")["series"]] == ["webhook"]
    assert desk.get("history", until="2020-01-01")["series"] == []
    for since, until in (("0001-01-01", "0001-01-01"), ("9999-12-31", "9999-12-31"), ("2026-01-02", "2026-01-01")):
        ends = desk.get("history", since=since, until=until)
        assert 1 <= len(ends["times"]) <= 240
    assert sum(series_of(desk.get("history", since="0001-01-01"), "acme", "feed")["counts"]) == 1


def test_the_overview_tells_the_last_traffic(desk: Desk) -> None:
    """Of each connection and job; who was not let in is no traffic."""
    desk.push("acme", company_name="Oy Samlink Ab")
    assert desk.gateway.http.post("/vainu/globex/exports", headers={"API-Key": "wrong"}, json={}).status_code == 401

    acme, globex = (desk.get(f"connections/{name}")["last_traffic"] for name in ("acme", "globex"))
    assert acme["export"] is not None
    assert (acme["feed"], acme["webhook"], acme["events"]) == (None, None, None)
    assert set(globex.values()) == {None}
    refused = series_of(desk.get("history", connection="globex"), "globex", "export")
    assert {reason: sum(numbers) for reason, numbers in refused["errors_by_reason"].items()} == {"wrong_credentials": 1}


def test_what_was_counted_reaches_the_store_by_itself(sqlite_desk: Desk) -> None:
    """Within some ten seconds, asked for or not."""
    sqlite_desk.hook("globex", {"event": 1})
    service = sqlite_desk.gateway.service
    assert service is not None

    def kept() -> int | None:
        at = asyncio.run(service.store.read(lambda c: history.last_traffic(c, ["globex"], ["webhook"])))
        return at.get(("globex", "webhook"))

    assert wait_until(kept, "the flush", 25) is not None


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    store = Store(store_url)
    store.open()
    yield store
    store.close()


def recorder(store: Store, folder: Path, now: int = NOW) -> Recorder:
    """What one process counts with; nothing runs."""
    return Recorder(store, Runtime(read(configuration("http://127.0.0.1:9", folder))), lambda: now)


def test_counts_of_processes_add_up(store: Store, tmp_path: Path) -> None:
    """Two processes in the same minute: counts, errors and buckets are summed, the last traffic is the later one."""

    async def both() -> list[history.Interval]:
        one, other = recorder(store, tmp_path), recorder(store, tmp_path, NOW + 30_000)
        for each in (one, other):
            each.count("acme", "export", 2_990)
            each.count("acme", "export", 3_010, "crm_timeout")
            assert await each.flush()
            each.count("acme", "export", 1)
            assert await each.flush()
        assert await one.flush(), "nothing new is nothing twice"
        return await store.read(lambda c: history.intervals(c, NOW, NOW + MINUTE, MINUTE))

    (found,) = asyncio.run(both())
    assert (found.begins, found.connection, found.job, found.count, found.errors) == (NOW, "acme", "export", 6, 2)
    buckets = dict(zip((*BOUNDS_MS, None), found.buckets, strict=True))
    assert {bound: number for bound, number in buckets.items() if number} == {10: 2, 3_000: 2, 3_250: 2}
    last = asyncio.run(store.read(lambda c: history.last_traffic(c, ["acme"], ["export", "feed"])))
    assert last == {("acme", "export"): NOW + 30_000}
    errors = asyncio.run(store.read(lambda c: history.errors(c, NOW, NOW + MINUTE, MINUTE)))
    assert errors == [(NOW, "acme", "export", "crm_timeout", 2)]


def test_counts_survive_a_store_that_cannot_be_written(store: Store, tmp_path: Path) -> None:
    """What could not be handed over is handed over the next time, with what was counted since."""

    async def trouble() -> list[history.Interval]:
        counting = recorder(store, tmp_path)
        counting.count("acme", "feed", 5)
        held = store.write

        async def refused(*_arguments: Any, **_options: Any) -> bool:
            return False

        store.write = refused  # type: ignore[method-assign]  # another process is at it
        assert not await counting.flush()
        store.write = held  # type: ignore[method-assign]  # as above
        counting.count("acme", "feed", 5)
        assert await counting.flush()
        return await store.read(lambda c: history.intervals(c, NOW, NOW + MINUTE, MINUTE))

    assert [each.count for each in asyncio.run(trouble())] == [2]


def test_old_history_goes(store: Store) -> None:
    """What is older than the bound goes, in spans; what is younger stays."""

    async def sweep() -> list[int]:
        tallies = {Slot(NOW - age * MINUTE, "acme", "feed"): Tally(count=1, reasons={"x": 1}) for age in (0, 90, 900)}
        await store.write(lambda c: history.add(c, tallies, {"acme": 1}, NOW - 900 * MINUTE))
        while await store.write(lambda c: history.remove(c, NOW - 60 * MINUTE, 100 * MINUTE)):
            pass
        left = await store.read(lambda c: history.intervals(c, 0, NOW + MINUTE, MINUTE))
        backlog = await store.read(lambda c: history.backlog(c, 0, NOW + MINUTE, MINUTE))
        return [each.begins for each in left] + [begins for begins, _name, _age in backlog]

    assert asyncio.run(sweep()) == [NOW]


@pytest.mark.parametrize(
    ("times", "share", "expected"),
    [
        ([], 0.99, None),
        ([3_000] * 100, 0.5, (2_750, 3_000)),
        ([5] * 99 + [2_999], 0.99, (0, 10)),
        ([5] * 98 + [2_999] * 2, 0.99, (2_750, 3_000)),
        ([900_000], 0.5, (60_000, 60_000)),
    ],
)
def test_percentiles_come_from_buckets(times: list[int], share: float, expected: tuple[int, int] | None) -> None:
    """Within the bounds of the bucket that holds the wanted share."""
    buckets = [0] * len(BUCKETS)
    for each in times:
        buckets[next((n for n, bound in enumerate(BOUNDS_MS) if each <= bound), len(BOUNDS_MS))] += 1
    found = percentile(buckets, share)
    if expected is None:
        assert found is None
    else:
        assert found is not None
        assert expected[0] <= found <= expected[1]

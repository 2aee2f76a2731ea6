"""The clock is set by an hour, forth or back: nothing is lost, nothing is done twice, and nothing waits for an hour."""

import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway.clock import now_ms
from tests.faults.conftest import Watch, company_change, customer_data, customers, fault_configuration, new_company
from tests.faults.conftest import webhook as send
from tests.harness import Upstream, running_gateway, wait_until

HOUR_MS = 3_600_000
SOON = 15.0
"""Far less than an hour, with room for retries, a circuit that opens, and a busy machine."""
BEAT_SECONDS = 0.5


@dataclass
class SetClock:
    """A clock that runs as every other, until somebody sets it."""

    offset_ms: int = 0

    def __call__(self) -> int:
        return now_ms() + self.offset_ms

    @property
    def seconds(self) -> float:
        return self() / 1000

    def set_by(self, milliseconds: int) -> None:
        """Set it, and wait until the gateways have had time to look at it."""
        self.offset_ms += milliseconds
        until = time.monotonic() + 2 * BEAT_SECONDS
        wait_until(lambda: time.monotonic() > until, "a beat of the worker")


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def watch(upstream: Upstream, tmp_path: Path, clock: SetClock) -> Iterator[Watch]:
    with running_gateway(fault_configuration(upstream.url, tmp_path, server={"drain_seconds": 0}), clock) as gateway:
        yield Watch.over(upstream, gateway)


def webhook_work(folder: Path) -> list[tuple[str, int]]:
    """State and attempts of the deliveries of CRM webhooks."""
    with sqlite3.connect(folder / "gateway.db") as store:
        return list(store.execute("SELECT state, attempts FROM deliveries WHERE kind = 'crm_webhook' ORDER BY id"))


def is_done(folder: Path, upstream: Upstream, *unique_ids: str) -> None:
    """All work of webhooks is done soon, and Vainu has each customer once."""
    wait_until(lambda: {state for state, _attempts in webhook_work(folder)} == {"done"}, "the work is done", SOON)
    assert sorted(row["unique_id"] for row in customer_data(upstream)) == sorted(unique_ids)


@pytest.mark.parametrize("jump", [HOUR_MS, -HOUR_MS])
def test_what_waits_for_its_next_attempt(watch: Watch, tmp_path: Path, clock: SetClock, jump: int) -> None:
    """Retries, and a circuit that opened after six failures in a row, come soon after the clock was set."""
    ids = [str(watch.gateway.push("acme", new_company()).json()["unique_id"]) for _ in range(6)]
    watch.upstream.fault("vainu", "drop")
    for unique_id in ids:
        send(watch.gateway, unique_id)
    wait_until(lambda: sum(attempts for _state, attempts in webhook_work(tmp_path)) >= len(ids), "six have failed")

    clock.set_by(jump)
    watch.upstream.heal("vainu")

    is_done(tmp_path, watch.upstream, *ids)


@pytest.mark.parametrize("jump", [HOUR_MS, -HOUR_MS])
def test_a_lease(upstream: Upstream, tmp_path: Path, clock: SetClock, jump: int) -> None:
    """Work that is under way when the clock is set is not taken from who does it: one attempt, by one process."""
    document = fault_configuration(upstream.url, tmp_path, server={"drain_seconds": 0})
    with running_gateway(document, clock) as gateway, running_gateway(document, clock):
        watch = Watch.over(upstream, gateway)
        upstream.fault("vainu", "delay", seconds=5, times=1)
        send(gateway, watch.unique_id)
        wait_until(lambda: upstream.calls("vainu"), "the work is under way")

        clock.set_by(jump)

        is_done(tmp_path, upstream, watch.unique_id)
        assert webhook_work(tmp_path) == [("done", 1)]
        assert sum(call["method"] == "POST" for call in upstream.calls("vainu")) == 1


def test_a_lease_of_who_is_no_more(upstream: Upstream, tmp_path: Path, clock: SetClock) -> None:
    """A process elsewhere died and the clock was put back while nothing ran: its work goes on soon after the start."""
    document = fault_configuration(upstream.url, tmp_path, server={"drain_seconds": 0})
    with running_gateway(document, clock) as gateway:
        watch = Watch.over(upstream, gateway)
        upstream.fault("vainu", "500")
        send(gateway, watch.unique_id)
        wait_until(lambda: webhook_work(tmp_path)[0][1] >= 1, "an attempt has failed")
    with sqlite3.connect(tmp_path / "gateway.db") as store:
        lease = "state = 'running', lease_owner = 'elsewhere', lease_until = ?"
        store.execute(f"UPDATE deliveries SET {lease} WHERE kind = 'crm_webhook'", (clock() + 6_000,))  # noqa: S608 - our own words
    upstream.heal("vainu")
    clock.offset_ms -= HOUR_MS

    with running_gateway(document, clock):
        is_done(tmp_path, upstream, watch.unique_id)


def test_a_clock_that_was_put_back_while_nothing_ran(upstream: Upstream, tmp_path: Path, clock: SetClock) -> None:
    """What was kept and waited before the restart does not wait until the old hour comes again."""
    document = fault_configuration(upstream.url, tmp_path, server={"drain_seconds": 0})
    with running_gateway(document, clock) as gateway:
        watch = Watch.over(upstream, gateway)
        upstream.fault("vainu", "500")
        send(gateway, watch.unique_id)
        wait_until(lambda: webhook_work(tmp_path)[0][1] >= 2, "attempts have failed")
    upstream.heal("vainu")
    clock.offset_ms -= HOUR_MS

    with running_gateway(document, clock):
        is_done(tmp_path, upstream, watch.unique_id)


@pytest.mark.parametrize("jump", [HOUR_MS, -HOUR_MS])
def test_a_create_whose_outcome_is_unknown(upstream: Upstream, tmp_path: Path, clock: SetClock, jump: int) -> None:
    """The CRM is still at a create that we gave up: an hour more on the clock is no licence to create once more."""
    company = new_company()
    export = {"budget_ms": 600, "when_slow": "fail", "settle_seconds": 3}
    document = fault_configuration(upstream.url, tmp_path, connections={"acme": {"export": export}})
    with running_gateway(document, clock) as gateway:
        upstream.fault("apptivo", "delay", seconds=4, match="a=save", times=1)
        assert gateway.push("acme", company).status_code == 504

        clock.set_by(jump)

        answer = wait_until(
            lambda: (found := gateway.push("acme", company)).is_success and found, "a repeat is answered", SOON
        )
        assert answer.json()["status"] in ("created", "updated")
        assert len(customers(upstream, "acme", company["company_name"])) == 1
        assert sum("a=save" in call["line"] for call in upstream.calls("apptivo")) == 1


@pytest.mark.parametrize("jump", [HOUR_MS, -HOUR_MS])
def test_senders_whose_clock_is_right(watch: Watch, tmp_path: Path, clock: SetClock, jump: int) -> None:
    """While ours is wrong a signature counts as stale: 401, nothing kept; right again, the same message is new."""
    clock.set_by(jump)
    assert send(watch.gateway, watch.unique_id, "msg_stale").status_code == 401
    assert webhook_work(tmp_path) == []
    clock.set_by(-jump)

    again = send(watch.gateway, watch.unique_id, "msg_stale")

    assert (again.status_code, again.json()["duplicate"]) == (202, False)
    is_done(tmp_path, watch.upstream, watch.unique_id)


@pytest.mark.parametrize("jump", [HOUR_MS, -HOUR_MS])
def test_a_repeat_is_known_as_one(watch: Watch, tmp_path: Path, clock: SetClock, jump: int) -> None:
    """A message that was kept before the clock was set is a repeat after it; a company change has no second effect."""
    assert send(watch.gateway, watch.unique_id, "msg_once").status_code == 202
    assert company_change(watch.gateway, watch.unique_id, phone="09 4711").status_code == 202
    is_done(tmp_path, watch.upstream, watch.unique_id)

    clock.set_by(jump)

    assert send(watch.gateway, watch.unique_id, "msg_once", at=clock.seconds).json()["duplicate"] is True
    assert company_change(watch.gateway, watch.unique_id, phone="09 4711").status_code in (200, 202)
    assert watch.gateway.push("acme", watch.company).json() | {"export_id": ""} == {
        "unique_id": watch.unique_id,
        "status": "updated",
        "export_id": "",
    }
    (row,) = customers(watch.upstream, "acme", watch.company["company_name"])
    assert [each["phoneNumber"] for each in row["phoneNumbers"]] == ["09 4711"]
    assert watch.ready

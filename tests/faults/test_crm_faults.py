"""The CRM or Vainu fails while it is worked for: what was kept is done in the end, once, and nothing waits for nothing.

What exports do is in tests/gateway/exports/test_faults.py; here it is the work behind webhooks, and long outages.
"""

import sqlite3
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from adapters.vainu.simulator import FAKE_API_KEY
from gateway.simulators import simulators
from tests.faults.conftest import Watch, company_change, customer_data, fault_configuration, new_company
from tests.faults.conftest import webhook as send
from tests.harness import (
    Gateway,
    Upstream,
    gateway_process,
    run_command,
    running_gateway,
    running_upstream,
    wait_until,
)

FAULTS = ("429", "500", "503", "html", "empty", "nonsense", "drop", "cut", "lost_reply")


@pytest.fixture
def watch(upstream: Upstream, tmp_path: Path) -> Iterator[Watch]:
    with running_gateway(fault_configuration(upstream.url, tmp_path, server={"drain_seconds": 0})) as gateway:
        yield Watch.over(upstream, gateway)


def deliveries(folder: Path, kind: str) -> list[tuple[str, int, str | None]]:
    """State, attempts and reason of each delivery of a kind, oldest first."""
    with sqlite3.connect(folder / "gateway.db") as store:
        statement = "SELECT state, attempts, reason FROM deliveries WHERE kind = ? ORDER BY id"
        return list(store.execute(statement, (kind,)))


def each_with_its_fault(watch: Watch, system: str) -> dict[str, str]:
    """A company for every fault, which hits the next calls about it and no others: unique_id by fault."""
    ids = {fault: str(watch.gateway.push("acme", new_company()).json()["unique_id"]) for fault in FAULTS}
    for fault, unique_id in ids.items():
        watch.upstream.fault(system, fault, match=unique_id, times=3)
    return ids


def are_done(folder: Path, kind: str) -> None:
    """Every delivery of the kind is done in the end, after more than one attempt."""
    wait_until(lambda: {state for state, _attempts, _reason in deliveries(folder, kind)} == {"done"}, "all is done")
    assert min(attempts for _state, attempts, _reason in deliveries(folder, kind)) >= 2


@pytest.mark.parametrize("system", ["apptivo", "vainu"])
def test_webhooks_through_every_fault(watch: Watch, tmp_path: Path, system: str) -> None:
    """202 at once, whatever the CRM or Vainu does; after three faults in a row Vainu has the data, once."""
    ids = each_with_its_fault(watch, system)

    answers = [send(watch.gateway, unique_id) for unique_id in ids.values()]

    assert {answer.status_code for answer in answers} == {202}
    assert max(answer.elapsed.total_seconds() for answer in answers) < 1
    are_done(tmp_path, "crm_webhook")
    assert sorted(row["unique_id"] for row in customer_data(watch.upstream)) == sorted(ids.values())


def test_company_changes_through_every_fault(watch: Watch, tmp_path: Path) -> None:
    """202 at once; after three faults in a row the CRM's one record has the change, once."""
    ids = each_with_its_fault(watch, "apptivo")

    answers = [company_change(watch.gateway, unique_id, phone="09 4711") for unique_id in ids.values()]

    assert {answer.status_code for answer in answers} == {202}
    are_done(tmp_path, "company_change")
    rows = {str(row["customerId"]): row for row in watch.upstream.records("apptivo")["customers"]}
    phones = [[each["phoneNumber"] for each in rows[unique_id]["phoneNumbers"]] for unique_id in ids.values()]
    assert phones == [["09 4711"]] * len(FAULTS)


class _AsksToWait:
    """The simulators; but Apptivo answers 429 until a moment, and names it as an HTTP date."""

    def __init__(self) -> None:
        self.until = datetime.min.replace(tzinfo=UTC)
        self.too_early = 0
        self._app: ASGIApp = simulators()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"].startswith("/apptivo/app") and datetime.now(UTC) < self.until:
            self.too_early += 1
            headers = {"Retry-After": format_datetime(self.until, usegmt=True)}
            await JSONResponse({"message": "later"}, 429, headers)(scope, receive, send)
            return
        await self._app(scope, receive, send)


def test_a_retry_after_that_is_a_date(tmp_path: Path) -> None:
    """A CRM that says until when it wants to be left alone is called once, and again when that moment has come."""
    app = _AsksToWait()
    with (
        running_upstream(app) as upstream,
        running_gateway(fault_configuration(upstream.url, tmp_path)) as gateway,
    ):
        watch = Watch.over(upstream, gateway)
        app.until = (datetime.now(UTC) + timedelta(seconds=3)).replace(microsecond=0)

        send(gateway, watch.unique_id)

        wait_until(lambda: deliveries(tmp_path, "crm_webhook")[0][0] == "done", "the work is done")
        assert datetime.now(UTC) >= app.until
        assert app.too_early == 1
        assert deliveries(tmp_path, "crm_webhook") == [("done", 2, None)]


def test_a_silent_vainu_holds_up_nothing_else(watch: Watch) -> None:
    """While Vainu's API does not answer at all exports and feeds are as quick as ever, and webhooks are kept."""
    watch.upstream.fault("vainu", "delay", seconds=30)
    assert send(watch.gateway, watch.unique_id).status_code == 202
    wait_until(lambda: watch.upstream.calls("vainu"), "Vainu is asked")

    started = time.monotonic()
    assert watch.gateway.push("acme", new_company()).status_code == 201
    assert watch.gateway.feed("acme", watch.unique_id).status_code == 200
    assert send(watch.gateway, watch.unique_id).status_code == 202
    assert time.monotonic() - started < 2
    watch.upstream.heal("vainu")


def test_vainu_down_for_longer_than_every_retry(upstream: Upstream, tmp_path: Path) -> None:
    """The work becomes dead letters with the reason; a replay after Vainu is back brings it up to date, ids as well."""
    company = new_company()
    data = {"match_data": {"company_name": company["company_name"], "country": "FI"}}
    made = upstream.http.post("/vainu/api/v2/customer_data/", json=data, headers={"API-Key": FAKE_API_KEY})
    document = fault_configuration(
        upstream.url, tmp_path, connections={"acme": {"deliveries": {"max_attempts": 3}, "export": {"budget_ms": 300}}}
    )
    with gateway_process(document, tmp_path) as process:
        gateway = process.start()
        upstream.fault("vainu", "500")
        upstream.fault("apptivo", "delay", seconds=0.5, match="a=save", times=1)
        accepted = gateway.push("acme", {**company, "id": made.json()["id"]}).json()
        unique_id = wait_until(lambda: _record_id(gateway, accepted["export_id"]), "the record is made")
        send(gateway, unique_id)
        for kind in ("customer_data", "crm_webhook"):
            wait_until(
                lambda kind=kind: deliveries(tmp_path, kind) == [("dead", 3, "server_fault")], f"{kind} gives up"
            )
        upstream.heal("vainu")

        replayed = run_command("deliveries", "replay", "--all", "--config", str(process.config))

        assert replayed.returncode == 0, replayed.stderr
        for kind in ("customer_data", "crm_webhook"):
            wait_until(lambda kind=kind: deliveries(tmp_path, kind)[0][0] == "done", f"{kind} is done")
        (row,) = customer_data(upstream)
        assert (row["id"], row["unique_id"]) == (made.json()["id"], unique_id)
        assert row["last_update"]


def _record_id(gateway: Gateway, export_id: str) -> str | None:
    standing = gateway.standing("acme", export_id)
    return str(standing["unique_id"]) if standing["status"] == "created" else None

"""What happens shows in the metrics: refusals, calls, circuits, commits, deliveries, feeds, a store that is away."""

import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.vainu.samples import samples
from tests.gateway.metrics.scraping import scrape, total, value
from tests.harness import KEY, Gateway, Upstream, configuration, running_gateway, wait_until

HOOK = "hook-key-for-tests-0123456789"
EXPORTS, FEED = "/vainu/{connection}/exports", "/vainu/{connection}/activities/{unique_id}"


@pytest.fixture
def gateway(upstream: Upstream, tmp_path: Path) -> Iterator[Gateway]:
    acme = {
        "export": {"budget_ms": 600},
        "feed": {"budget_ms": 600},
        "webhooks": {"api_keys": [HOOK]},
    }
    auth, keys = {"api_keys": [KEY]}, {"base_url": f"{upstream.url}/apptivo", "api_key": "no", "access_key": "no"}
    wrong = {"crm": "apptivo", "auth": auth, "apptivo": keys}
    with running_gateway(configuration(upstream.url, tmp_path, connections={"acme": acme, "wrong": wrong})) as running:
        yield running


def test_requests_refusals_and_traffic(gateway: Gateway) -> None:
    """An export, a refused one and a wrong key: counted by route, status, reason; only admitted ones are traffic."""
    started = time.time()
    assert gateway.push("acme", samples()["samlink"].push_body()).status_code == 201
    assert gateway.push("acme", {"no": "company"}).status_code == 422
    assert gateway.push("acme", {}, headers={"API-Key": "wrong"}).status_code == 401
    told = scrape(gateway.url)
    count = "gateway_http_request_duration_seconds_count"
    for status in ("201", "422", "401"):
        assert value(told, count, route=EXPORTS, method="POST", status=status) == 1
    assert value(told, "gateway_http_refusals_total", route=EXPORTS, reason="invalid") == 1
    assert value(told, "gateway_http_refusals_total", route=EXPORTS, reason="wrong_credentials") == 1
    requests = "gateway_connection_requests_total"
    assert value(told, requests, connection="acme", traffic="export", status="2xx") == 1
    assert value(told, requests, connection="acme", traffic="export", status="4xx") == 1
    last = "gateway_connection_last_traffic_timestamp_seconds"
    assert started <= (value(told, last, connection="acme", traffic="export") or 0) <= time.time()
    assert value(told, last, connection="globex", traffic="export") == 0


def test_calls_attempts_and_commits(gateway: Gateway) -> None:
    """One export: its calls under the configuration's word for the CRM, its attempts, and the commits it took."""
    assert gateway.push("acme", samples()["samlink"].push_body()).status_code == 201
    told = scrape(gateway.url)
    assert total(told, "gateway_upstream_calls_total", connection="acme", system="apptivo", outcome="ok") >= 2
    calls = total(told, "gateway_upstream_calls_total", system="apptivo")
    assert total(told, "gateway_upstream_call_duration_seconds_count", system="apptivo") == calls
    assert value(told, "gateway_delivery_attempts_total", connection="acme", kind="export", outcome="ok") == 1
    assert (value(told, "gateway_inbox_commit_duration_seconds_count", outcome="ok") or 0) >= 2
    commits = total(told, "gateway_inbox_commit_duration_seconds_count")
    assert value(told, "gateway_inbox_batch_size_count") == commits
    assert (value(told, "gateway_inbox_batch_size_sum") or 0) >= commits


def test_a_crm_that_fails(gateway: Gateway, upstream: Upstream) -> None:
    """Its calls count by reason, the circuit shows as open, and what gives up is a dead letter with its reason."""
    upstream.fault("apptivo", "500")
    for number in range(5):
        body = {"company_name": f"Company {number} Oy", "country": "FI"}
        assert gateway.push("acme", body).json()["status"] == "accepted"
    wait_until(lambda: value(scrape(gateway.url), "gateway_circuit_open", connection="acme", kind="export"), "it opens")
    told = scrape(gateway.url)
    assert total(told, "gateway_upstream_calls_total", connection="acme", outcome="server_fault") > 0
    assert total(told, "gateway_delivery_attempts_total", connection="acme", outcome="server_fault") > 0
    assert total(told, "gateway_deliveries", connection="acme") == 5
    upstream.heal("apptivo")
    wait_until(
        lambda: value(scrape(gateway.url), "gateway_circuit_open", connection="acme", kind="export") == 0, "it closes"
    )


def test_a_crm_that_refuses(gateway: Gateway) -> None:
    """What it refuses for good is a dead letter: counted with its reason, and told as one that stands in the store."""
    assert gateway.push("wrong", samples()["samlink"].push_body()).status_code == 502
    told = scrape(gateway.url)
    assert value(told, "gateway_dead_letters_total", connection="wrong", kind="export", reason="credentials") == 1
    assert total(told, "gateway_upstream_calls_total", connection="wrong", outcome="credentials") >= 1

    def dead() -> float | None:
        return value(scrape(gateway.url), "gateway_deliveries", connection="wrong", state="dead")

    # counts of the store are kept for a second
    wait_until(lambda: dead() == 1, "it is told")


def test_feeds(gateway: Gateway, upstream: Upstream) -> None:
    """Complete, partial with the source that is missing, stale, failed."""
    unique_id = gateway.push("acme", samples()["samlink"].push_body()).json()["unique_id"]
    assert gateway.feed("acme", unique_id).status_code == 200
    upstream.fault("apptivo", "500", match="a=getNotes")
    partial = gateway.feed("acme", unique_id)
    assert partial.headers["gateway-partial"] == "notes=error"
    upstream.heal("apptivo")
    upstream.fault("apptivo", "500")
    assert "gateway-stale" in gateway.feed("acme", unique_id).headers
    assert gateway.feed("acme", "987654").status_code == 502
    told = scrape(gateway.url)
    outcomes = {
        outcome: value(told, "gateway_feeds_total", connection="acme", outcome=outcome)
        for outcome in ("complete", "partial", "stale", "failed")
    }
    assert outcomes == {"complete": 1, "partial": 1, "stale": 1, "failed": 1}
    # of the simulated firm's events one has a time that nobody can read
    assert total(told, "gateway_feed_events_rejected_total", connection="acme") >= 1
    missing = "gateway_feed_sources_missing_total"
    # once in the partial feed, once in the stale one, once in the failed one
    assert value(told, missing, connection="acme", source="notes", reason="error") == 3


def test_work_that_is_due_and_not_done(gateway: Gateway, tmp_path: Path) -> None:
    """The age of the oldest due delivery is that of the store, in seconds."""
    with sqlite3.connect(tmp_path / "gateway.db") as other:
        due = int((time.time() - 90) * 1000)
        other.execute(
            "INSERT INTO deliveries (connection, kind, order_key, content_key, subject, payload, state, attempts,"
            " due_at, created_at) VALUES ('globex', 'of_tomorrow', 'k', '', 's', x'', 'pending', 0, ?, ?)",
            (due, due),
        )
    other.close()
    told = scrape(gateway.url)
    assert 90 <= (value(told, "gateway_oldest_due_delivery_age_seconds", connection="globex") or 0) < 150
    assert value(told, "gateway_deliveries", connection="globex", state="pending") == 1
    assert value(told, "gateway_oldest_due_delivery_age_seconds", connection="acme") == 0


def test_a_store_that_is_away(gateway: Gateway, tmp_path: Path) -> None:
    """A scrape answers within seconds, says so, has no figures of the store, and all of the rest."""
    database = tmp_path / "gateway.db"
    files = [(each, each.with_name(f"away-{each.name}")) for each in tmp_path.glob(f"{database.name}*")]
    for here, there in files:
        here.rename(there)
    database.mkdir()
    try:
        wait_until(lambda: value(scrape(gateway.url), "gateway_ready") == 0, "it is not ready")
        started = time.monotonic()
        told = scrape(gateway.url)
        assert time.monotonic() - started < 5
        assert total(told, "gateway_http_request_duration_seconds_count", route="/metrics") >= 1
        assert (value(told, "gateway_inbox_commit_duration_seconds_count", outcome="failed") or 0) >= 1
    finally:
        database.rmdir()
        for here, there in files:
            there.rename(here)
    wait_until(lambda: value(scrape(gateway.url), "gateway_ready") == 1, "it is ready again")
    assert value(scrape(gateway.url), "gateway_store_up") == 1


def test_a_store_that_cannot_be_read(gateway: Gateway, tmp_path: Path) -> None:
    """A database that is no database: gateway_store_up is 0, and no delivery is told."""
    database = tmp_path / "gateway.db"
    assert gateway.service is not None
    gateway.service.store._engine.dispose()
    files = [(each, each.with_name(f"away-{each.name}")) for each in tmp_path.glob(f"{database.name}*")]
    for here, there in files:
        here.rename(there)
    database.write_bytes(b"this is no database" * 1_000)
    try:
        told = wait_until(
            lambda: (found := scrape(gateway.url)) and value(found, "gateway_store_up") == 0 and found, "it is away"
        )
        assert total(told, "gateway_deliveries") == 0
        assert not [name for name, _labels in told if name.startswith("gateway_oldest")]
    finally:
        database.unlink()
        for here, there in files:
            there.rename(here)
    wait_until(lambda: value(scrape(gateway.url), "gateway_store_up") == 1, "it is back")

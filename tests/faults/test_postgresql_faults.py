"""PostgreSQL stops, hangs, refuses and cuts: what callers get, what is kept, and that no restart is needed after."""

import contextlib
import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

import psycopg
import pytest

from tests.faults.conftest import Watch, customers, fault_configuration, new_company, problem, webhook
from tests.harness import GatewayProcess, Upstream, gateway_process, wait_until
from tests.postgres import Cluster

_databases = count(1)


@pytest.fixture
def process(upstream: Upstream, tmp_path: Path, cluster: Cluster) -> Iterator[GatewayProcess]:
    """A gateway on a database of its own; not started yet."""
    url = cluster.create_database(f"faults{next(_databases)}")
    document = fault_configuration(upstream.url, tmp_path, storage={"url": url})
    with gateway_process(document, tmp_path) as made:
        yield made


@contextlib.contextmanager
def stopped(cluster: Cluster) -> Iterator[None]:
    """The server has crashed."""
    cluster.stop()
    try:
        yield
    finally:
        cluster.start()


@contextlib.contextmanager
def hung(cluster: Cluster) -> Iterator[None]:
    """The server is there, takes connections, and answers nothing."""
    pids = _server_pids(cluster)
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


@contextlib.contextmanager
def refusing(cluster: Cluster) -> Iterator[None]:
    """No connection is left for the gateway: the server has let go those that it had, and others were faster."""
    with contextlib.ExitStack() as others:
        admin = others.enter_context(_connect(cluster))
        while _cut(admin):
            with contextlib.suppress(psycopg.OperationalError):
                while True:
                    others.enter_context(_connect(cluster))
        yield


def _cut(admin: "psycopg.Connection[tuple[object, ...]]") -> int:
    """End every connection of a gateway; how many there were."""
    statement = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname LIKE 'faults%'"
    return len(admin.execute(statement).fetchall())


def _connect(cluster: Cluster) -> "psycopg.Connection[tuple[object, ...]]":
    return psycopg.connect(host=str(cluster.folder), user="gateway", dbname="postgres", autocommit=True)


def _server_pids(cluster: Cluster) -> list[int]:
    postmaster = int((cluster.folder / "data" / "postmaster.pid").read_text().splitlines()[0])
    children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
    return [postmaster, *map(int, children)]


@pytest.mark.parametrize("broken", [stopped, hung, refusing])
def test_a_server_that_cannot_be_used(
    upstream: Upstream,
    cluster: Cluster,
    process: GatewayProcess,
    broken: Callable[[Cluster], contextlib.AbstractContextManager[None]],
) -> None:
    """Exports and webhooks answer 503 and Retry-After, ready says so within 2 s; the feed goes on; all recover."""
    watch = Watch.over(upstream, process.start())
    with broken(cluster):
        watch.becomes_unready()
        refused = watch.keeps_nothing()
        assert str(cluster.folder) not in watch.gateway.http.get("/health/ready").text, "where the server is"
        feed = watch.gateway.feed("acme", watch.unique_id)
        assert (feed.status_code, feed.elapsed.total_seconds() < 3) == (200, True)
    watch.recovers(refused)
    assert "Traceback" not in process.log.read_text()


def test_the_server_stops_while_the_crm_creates(upstream: Upstream, cluster: Cluster, process: GatewayProcess) -> None:
    """The push is kept, so "accepted"; the outcome waits for the server and is kept then; the record is made once."""
    company = new_company()
    gateway = process.start()
    upstream.fault("apptivo", "delay", seconds=1.5, match="a=save", times=1)
    with ThreadPoolExecutor(1) as pool:
        pushed = pool.submit(gateway.push, "acme", company)
        wait_until(lambda: any("a=save" in call["line"] for call in upstream.calls("apptivo")), "the create")
        with stopped(cluster):
            answer = pushed.result()
            assert (answer.status_code, answer.json()["status"]) == (200, "accepted")
            wait_until(lambda: customers(upstream, "acme", company["company_name"]), "the CRM has made it")
            problem(gateway.http.get(f"/vainu/acme/exports/{answer.json()['export_id']}"), 503)

    export_id = answer.json()["export_id"]
    wait_until(lambda: gateway.standing("acme", export_id)["status"] == "created", "the outcome is kept")
    assert sum("a=save" in call["line"] for call in upstream.calls("apptivo")) == 1


def test_connections_cut_in_the_middle_of_transactions(
    upstream: Upstream, cluster: Cluster, process: GatewayProcess
) -> None:
    """While the server cuts every connection again and again: each 2xx is kept, each refusal may be sent again."""
    watch = Watch.over(upstream, process.start())
    companies = [new_company() for _ in range(12)]
    ids = [f"msg_cut_{number}" for number in range(60)]
    with _connect(cluster) as admin, ThreadPoolExecutor(8) as pool:
        webhooks = {each: pool.submit(webhook, watch.gateway, watch.unique_id, each) for each in ids}
        pushes = [pool.submit(watch.gateway.push, "acme", company) for company in companies]
        while not all(each.done() for each in [*webhooks.values(), *pushes]):
            _cut(admin)
    statuses = {each: sent.result().status_code for each, sent in webhooks.items()}

    assert set(statuses.values()) <= {202, 503}
    assert {each.result().status_code for each in pushes} <= {200, 201, 503}
    again = {each: webhook(watch.gateway, watch.unique_id, each).json()["duplicate"] for each in ids}
    assert [each for each in ids if statuses[each] == 202 and not again[each]] == []
    for company in companies:
        wait_until(
            lambda company=company: watch.gateway.push("acme", company).json().get("status") == "updated", "done"
        )
        assert len(customers(upstream, "acme", company["company_name"])) == 1
    assert "internal_error" not in process.log.read_text()

"""`/metrics` with `gateway serve --workers`: whichever process answers, it tells of all, also of those that died."""

import os
import signal
from pathlib import Path

import httpx

from adapters.vainu.samples import samples
from tests.gateway.metrics.scraping import scrape, total, value
from tests.harness import AUTH, Upstream, client, configuration, gateway_process, wait_until

LIVE = "gateway_http_request_duration_seconds_count"
WORKERS = 2
CALLS = 20


def call(url: str) -> None:
    # a connection each, so that every worker has its share
    with client(url) as http:
        assert http.get("/health/live").status_code == 200


def test_every_worker_tells_of_all(upstream: Upstream, tmp_path: Path) -> None:
    """Calls spread over the workers: any scrape counts all of them, and what the store holds is told once.

    After kill -9 of each worker in turn the counters have not fallen, the replacements are counted, and go on counting.
    """
    document = configuration(upstream.url, tmp_path)
    with gateway_process(document, tmp_path) as process:
        gateway = process.start("--workers", str(WORKERS))
        wait_until(lambda: value(scrape(gateway.url), "gateway_workers") == WORKERS, "all workers have told")
        before = total(scrape(gateway.url), LIVE, route="/health/live")
        for _ in range(CALLS):
            call(gateway.url)
        assert gateway.push("acme", samples()["samlink"].push_body()).status_code == 201
        expected = before + CALLS
        wait_until(lambda: total(scrape(gateway.url), LIVE, route="/health/live") == expected, "all calls are told")
        exported = {"connection": "acme", "traffic": "export", "status": "2xx"}
        wait_until(
            lambda: value(scrape(gateway.url), "gateway_connection_requests_total", **exported), "the export too"
        )
        # some scrapes, over a connection each: several workers answer, all the same
        scrapes = [scrape(gateway.url) for _ in range(6)]
        assert {total(each, LIVE, route="/health/live") for each in scrapes} == {expected}
        assert {value(each, "gateway_deliveries", connection="acme", state="dead") for each in scrapes} == {0.0}
        assert {value(each, "gateway_workers") for each in scrapes} == {float(WORKERS)}
        assert {value(each, "gateway_worker_restarts_total") for each in scrapes} == {0.0}
        traffic = {
            value(each, "gateway_connection_last_traffic_timestamp_seconds", connection="acme", traffic="export")
            for each in scrapes
        }
        assert len(traffic) == 1
        assert traffic.pop()

        assert process.process is not None
        for number, victim in enumerate(children(process.process.pid), start=1):
            os.kill(victim, signal.SIGKILL)
            wait_until(
                lambda n=number: value(scrape_again(gateway.url), "gateway_worker_restarts_total") == n,  # type: ignore[misc]  # mypy infers no lambda with defaults
                "it is replaced",
            )
            after = scrape_again(gateway.url)
            assert total(after, LIVE, route="/health/live") == expected
            assert value(after, "gateway_connection_requests_total", **exported) == 1
        wait_until(lambda: value(scrape_again(gateway.url), "gateway_workers") == WORKERS, "all have told")
        call(gateway.url)
        wait_until(lambda: total(scrape(gateway.url), LIVE, route="/health/live") == expected + 1, "it is counted")
        with client(gateway.url, headers=AUTH) as http:
            assert http.get("/health/ready").status_code == 200
        assert process.stop() == 0


def children(pid: int) -> list[int]:
    """The process ids of a process's children."""
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def scrape_again(url: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """A scrape by a worker that lives: the connection of one that is being killed may break."""
    found = None
    while found is None:
        try:
            found = scrape(url)
        except httpx.TransportError:
            continue
    return found

"""Several gateways on one PostgreSQL: one record a company, one schema, and what one leaves another takes over."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import count, cycle
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.faults.forked import forked_gateway
from tests.harness import Upstream, client, configuration
from tests.postgres import Cluster

_databases = count(1)


@pytest.fixture
def storage(cluster: Cluster) -> dict[str, Any]:
    """The setting of an empty database of its own."""
    return {"url": cluster.create_database(f"together{next(_databases)}")}


def names_of(upstream: Upstream) -> list[str]:
    return [str(row["customerName"]) for row in upstream.records("apptivo")["customers"]]


def pushed_together(urls: list[str], bodies: list[dict[str, Any]]) -> list[httpx.Response]:
    """The answers to pushes that are all under way together, spread over gateways in turn."""

    def push(url: str, body: dict[str, Any]) -> httpx.Response:
        with client(url, verify=False) as http:
            return http.post("/vainu/acme/exports", json=body)

    with ThreadPoolExecutor(len(bodies)) as pool:
        return list(pool.map(push, cycle(urls), bodies))


def test_identical_exports_on_two_gateways_are_one_record(
    upstream: Upstream, storage: dict[str, Any], tmp_path: Path
) -> None:
    """50 identical exports at once, spread over two gateways: one CRM record, one unique_id, in each of ten rounds."""
    document = configuration(upstream.url, tmp_path, storage=storage)
    with ExitStack() as stack:
        both = [stack.enter_context(forked_gateway(document, tmp_path / name)) for name in ("first", "second")]
        urls = [str(each.start().base_url) for each in both]
        for number in range(10):
            name = f"Together {number} Oy"
            answers = pushed_together(urls, [{"company_name": name, "country": "FI", "vid": number}] * 50)

            assert {answer.status_code for answer in answers} <= {200, 201}
            assert len({answer.json()["unique_id"] for answer in answers}) == 1
            assert names_of(upstream).count(name) == 1

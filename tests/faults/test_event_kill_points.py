"""kill -9 at every named point on the way of customer events: a request is kept whole or not at all, and done once."""

import contextlib
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.faults.forked import forked_gateway
from tests.faults.store_look import StoreLook
from tests.faults.test_kill_points import EVENT_LABELS
from tests.gateway.events.conftest import purchase, with_account
from tests.harness import Upstream, configuration, running_gateway, wait_until

POINTS = [f"{when}:{label}" for label in EVENT_LABELS for when in ("before", "within", "after")]
NOTHING_KEPT = ("before:events.keep", "within:events.keep")
ROWS = 20
FINISH_SECONDS = 40.0


@pytest.fixture
def account(upstream: Upstream, tmp_path: Path) -> str:
    """An account of CRM.COM that is there before."""
    with running_gateway(configuration(upstream.url, tmp_path)) as gateway:
        return with_account(upstream, gateway)


@pytest.fixture(params=["sqlite", "postgresql"])
def storages(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """What gives the storage URL of each point."""
    if request.param == "sqlite":
        return lambda name: f"sqlite:///{tmp_path / name}.db"
    return request.getfixturevalue("cluster").create_database


def live_through(point: str, url: str, folder: Path, upstream: Upstream, account: str) -> str | None:
    """What is wrong after a life that ended at the point, and another."""
    tag = folder.name
    rows = [purchase(n, account, reference_number=f"{tag}-{n}") for n in range(ROWS)]
    document = configuration(upstream.url, folder, storage={"url": url}, connections={"acme": None})
    with forked_gateway(document, folder) as process:
        http = process.start(point)
        with contextlib.suppress(httpx.TransportError):
            http.post("/crm/globex/customer-events/purchases", json=rows)
        wait_until(lambda: process.died, f"it dies {point}", FINISH_SECONDS)
        process.kill()
        process.start()
        look = StoreLook(url)
        wait_until(lambda: not look.unfinished(), "all work ends", FINISH_SECONDS)
        dead = look.count("dead")
    events = upstream.records("crmcom")["customer_events/purchases"]
    found = Counter(each["reference_number"] for each in events if each["reference_number"].startswith(f"{tag}-"))
    expected = Counter() if point in NOTHING_KEPT else Counter(row["reference_number"] for row in rows)
    return (
        None if found == expected and not dead else f"{point}: {len(found)} rows, {found.total()} events, {dead} dead"
    )


@pytest.mark.timeout(240)
def test_kill_9_at_every_point_loses_and_doubles_no_event(
    upstream: Upstream, storages: Any, account: str, tmp_path: Path
) -> None:
    """Wherever the process dies: what was kept is done once after the restart, what was not kept is not there."""
    tags = [f"events{number}" for number in range(len(POINTS))]
    urls = [storages(tag) for tag in tags]
    with ThreadPoolExecutor(4) as pool:
        lives = [
            pool.submit(live_through, point, url, tmp_path / tag, upstream, account)
            for point, url, tag in zip(POINTS, urls, tags, strict=True)
        ]
    assert [life.result() for life in lives if life.result()] == []

"""Fixtures that every test may use."""

import os
import shutil
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from gateway.store import Store
from tests.harness import Gateway, Upstream, configuration, running_gateway, running_upstream, spare_migrations
from tests.postgres import Cluster, running_cluster

MEMORY = Path("/dev/shm")  # noqa: S108 - only the root under which pytest makes its private folders
ENOUGH_BYTES = 2_000_000_000
_numbers = count(1)


def _memory_has_room() -> bool:
    return os.access(MEMORY, os.W_OK) and MEMORY.is_mount() and shutil.disk_usage(MEMORY).free > ENOUGH_BYTES


# Stores of tests lie in memory where there is some: a disk that stalls on fsync for longer than a test's budget of
# 300 ms makes the gateway refuse, rightly, what it could not keep in time, and the test fail.
if "PYTEST_DEBUG_TEMPROOT" not in os.environ and _memory_has_room():
    os.environ["PYTEST_DEBUG_TEMPROOT"] = str(MEMORY)


SLOW = ("faults", "deploy")
"""Folders of few and long tests: begun last, the whole suite would wait for them at its end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Have the long tests begun first; the order is otherwise as it was."""
    folder = Path(__file__).parent
    items.sort(key=lambda item: item.path.relative_to(folder).parts[0] not in SLOW)


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A private PostgreSQL cluster; each test makes a database of its own in it, and who stops it starts it again."""
    with running_cluster() as running:
        yield running


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The storage URL of a store of either kind that no gateway has opened yet."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'gateway.db'}"
    database: str = request.getfixturevalue("cluster").create_database(f"store_{next(_numbers)}")
    return database


@pytest.fixture(scope="session")
def migrated_database(cluster: Cluster) -> str:
    """The name of a database with all tables and no rows, to be copied."""
    store = Store(cluster.create_database("migrated"))
    store.open()
    store.close()
    return "migrated"


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The storage URL of a new store of either kind."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'gateway.db'}"
        spare_migrations({"storage": {"url": url}})
        return url
    template = request.getfixturevalue("migrated_database")
    database: str = request.getfixturevalue("cluster").create_database(f"store_{next(_numbers)}", template)
    return database


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    """Fresh simulators of all upstream systems, over HTTP."""
    with running_upstream() as running:
        yield running


@pytest.fixture
def gateway(upstream: Upstream, tmp_path: Path) -> Iterator[Gateway]:
    """A gateway with `acme` on Apptivo and `globex` on CRM.COM, on the simulators."""
    with running_gateway(configuration(upstream.url, tmp_path)) as running:
        yield running

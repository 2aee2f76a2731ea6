"""What the tests of faults share: a private PostgreSQL cluster."""

from collections.abc import Iterator

import pytest

from tests.postgres import MISSING, Cluster, binaries, running_cluster


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A running cluster; each test makes a database of its own in it."""
    if binaries() is None:
        pytest.skip(MISSING)
    with running_cluster() as running:
        yield running

"""Fixtures that every test may use."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness import Gateway, Upstream, configuration, running_gateway, running_upstream


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

"""A simulated Vainu over real HTTP, empty at the start of every test."""

from collections.abc import Iterator

import pytest

from adapters.serving import serving
from adapters.vainu.simulator import simulator
from tests.adapters.vainu.served import Served


@pytest.fixture(scope="session")
def _served_vainu() -> Iterator[Served]:
    sim = simulator(rows_per_poll=3)
    with serving(sim) as url:
        yield Served(sim, url)


@pytest.fixture
def account(_served_vainu: Served) -> Served:
    _served_vainu.sim.state.reset()
    _served_vainu.sim.journal.rules.clear()
    _served_vainu.sim.journal.calls.clear()
    return _served_vainu

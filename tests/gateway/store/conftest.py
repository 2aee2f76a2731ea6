"""A store of either kind, and a loop on which its calls run one by one."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

import pytest
from sqlalchemy import Connection

from gateway.store import Store

T = TypeVar("T")
_numbers = count(1)


@dataclass
class Bench:
    """A real store, and what runs its asynchronous calls."""

    store: Store
    runner: asyncio.Runner

    def write(self, work: Callable[[Connection], T]) -> T:
        """The result of one transaction."""
        return self.runner.run(self.store.write(work))

    def read(self, work: Callable[[Connection], T]) -> T:
        """The result of one look."""
        return self.runner.run(self.store.read(work))

    def run(self, work: Any) -> Any:
        """The result of a coroutine."""
        return self.runner.run(work)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The storage URL of a new store."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'gateway.db'}"
    database: str = request.getfixturevalue("cluster").create_database(f"store_{next(_numbers)}")
    return database


@pytest.fixture
def bench(url: str) -> Iterator[Bench]:
    """A new store, open."""
    store = Store(url)
    store.open()
    try:
        with asyncio.Runner() as runner:
            yield Bench(store, runner)
    finally:
        store.close()

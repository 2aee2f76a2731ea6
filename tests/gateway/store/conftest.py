"""A store of either kind, and a loop on which its calls run one by one."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import pytest
from sqlalchemy import Connection

from gateway.store import Seal, Store

T = TypeVar("T")


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


@contextlib.contextmanager
def opened(url: str, seal: Seal | None = None) -> Iterator[Bench]:
    """The store at this URL, open."""
    store = Store(url, seal=seal)
    store.open()
    try:
        with asyncio.Runner() as runner:
            yield Bench(store, runner)
    finally:
        store.close()


@pytest.fixture
def url(store_url: str) -> str:
    """The storage URL of a new store of either kind."""
    return store_url


@pytest.fixture
def bench(url: str) -> Iterator[Bench]:
    """A new store, open."""
    with opened(url) as running:
        yield running

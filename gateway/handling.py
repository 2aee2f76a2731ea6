"""What the handler of one kind of delivery gives and raises."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import Connection

from adapters.contract import RemoteError
from adapters.deadline import Deadline
from gateway.runtime import LiveConnection
from gateway.store.deliveries import Delivery


class Note(Protocol):
    """Keeps the trace of work that is about to be kept; the ids are those that its sender is told."""

    def __call__(self, *keys: str) -> Awaitable[None]:
        """Keep it, if that can be done."""
        ...


Traced = Callable[[Sequence[Delivery]], AbstractAsyncContextManager[Callable[[str], None]]]
"""Surrounds an attempt at deliveries, and is told its outcome."""


def _nothing(_connection: Connection) -> None:
    """No more to record."""


@dataclass(frozen=True, slots=True)
class Act:
    """What a handler has done: the result to keep, and what belongs into the same transaction."""

    result: str | None = None
    also: Callable[[Connection], None] = _nothing
    """What follows: recorded with the end of the delivery, by whoever ends it, and so once."""
    learned: Callable[[Connection], None] = _nothing
    """What is true from now on, such as a link: recorded even if another worker has taken the delivery over."""
    ignored: str | None = None
    """The reason word of a delivery that turned out to need no action: it ends as ignored."""
    detail: str | None = None
    """One line for a person; with `ignored`."""


class Postponed(Exception):
    """The delivery cannot be acted on before a certain time; nobody's failure, and not an attempt."""

    def __init__(self, at: int, reason: str) -> None:
        super().__init__(reason)
        self.at = at
        """Unix milliseconds."""
        self.reason = reason


class InternalFault(RemoteError):
    """A defect of ours while acting on a delivery; retried, because nothing must be lost to it."""

    reason = "internal_error"
    outcome_known = False
    may_quote = False


def refused_by_store() -> InternalFault:
    """The fault of an outcome that the store works, but does not take."""
    return InternalFault("the store refused to keep its outcome; see the log")


class Handler(Protocol):
    """What one kind of delivery means. Everything it does must be safe to do twice."""

    async def act(self, delivery: Delivery, live: LiveConnection, deadline: Deadline) -> Act:
        """Do it; raise a `RemoteError` or `Postponed` if it cannot be done now."""
        ...

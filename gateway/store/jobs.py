"""What callers hand to the writer of the store, in which groups it is done, and how the answers find their way back."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from adapters.deadline import Deadline


@dataclass(eq=False, slots=True)
class Job:
    """What a caller hands to the writer, and where its answer goes. Made on the caller's event loop."""

    work: Callable[[Connection, list[Any]], list[Any]]
    item: Any
    alone: bool
    label: str
    deadline: Deadline | None
    first: bool = False
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.get_running_loop)
    future: "asyncio.Future[Any]" = field(init=False)

    def __post_init__(self) -> None:
        """Make the place for the answer."""
        self.future = self.loop.create_future()


def still_wanted(batch: list[Job]) -> list[Job]:
    """The jobs whose callers still wait for an answer; the others were told that nothing was kept."""
    return [job for job in batch if job.deadline is None or job.deadline.remaining() > 0]


def groups(batch: list[Job]) -> list[list[Job]]:
    """The jobs that run together: those that go first, those of one `write_many` function at the place of its first."""
    found: dict[object, list[Job]] = {}
    for job in sorted(batch, key=lambda job: not job.first):
        found.setdefault(job if job.alone else job.work, []).append(job)
    return list(found.values())


def answer(answers: Sequence[tuple[Job, Any]]) -> None:
    """Give every job its result, or the exception that stands in its place; one wake-up for each event loop."""
    of_loop: dict[asyncio.AbstractEventLoop, list[tuple[Job, Any]]] = {}
    for job, result in answers:
        of_loop.setdefault(job.loop, []).append((job, result))
    for loop, its in of_loop.items():
        # a loop that is closed has nobody left who waits
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(_settle, its)


def _settle(answers: Sequence[tuple[Job, Any]]) -> None:
    for job, result in answers:
        # a caller that went away has cancelled its future; its work is kept all the same
        if job.future.done():
            continue
        if isinstance(result, Exception):
            job.future.set_exception(result)
        else:
            job.future.set_result(result)

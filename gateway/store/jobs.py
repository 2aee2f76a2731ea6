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
    return [job for job in batch if job.deadline is None or job.deadline.at > job.deadline.clock()]


def groups(batch: list[Job]) -> list[list[Job]]:
    """The jobs that run together: those that go first, those of one `write_many` function at the place of its first."""
    if all(job.work is batch[0].work and not job.alone for job in batch):
        # webhooks in plenty
        return [batch] if batch else []
    found: dict[object, list[Job]] = {}
    for job in sorted(batch, key=lambda job: not job.first):
        found.setdefault(job if job.alone else job.work, []).append(job)
    return list(found.values())


Answers = Sequence[tuple[Job, Any]]
"""Jobs, each with its result, or with the exception that stands in its place."""


class Lane:
    """The jobs of one event loop on their way to the writer.

    They go together: those of one round of the loop, and, while the writer is at work, those that come until it is
    done. A caller alone waits for nobody; many share the cost of a commit and of waking another thread.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, send: "Callable[[Lot], None]") -> None:
        self._loop = loop
        self._send = send
        self._waiting: list[Job] = []
        self._is_under_way = False

    def add(self, job: Job) -> None:
        """Take a job; on the lane's own loop."""
        self._waiting.append(job)
        if not self._is_under_way:
            self._is_under_way = True
            self._loop.call_soon(self.flush)

    def flush(self) -> None:
        """Send what waits, whatever is under way."""
        jobs, self._waiting = self._waiting, []
        if jobs:
            self._send(Lot(self, jobs))

    def settle(self, answers: Answers) -> None:
        """Answer the callers, and send what has come meanwhile; from any thread."""
        # a loop that is closed has nobody left who waits
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._settled, answers)

    def _settled(self, answers: Answers) -> None:
        self._is_under_way = bool(self._waiting)
        self.flush()
        for job, result in answers:
            # a caller that went away has cancelled its future; its work is kept all the same
            if job.future.done():
                continue
            if isinstance(result, Exception):
                job.future.set_exception(result)
            else:
                job.future.set_result(result)


@dataclass(frozen=True, slots=True)
class Lot:
    """Jobs that go into one transaction."""

    lane: Lane
    jobs: list[Job]

"""What callers hand to the writer of the store, in which groups it is done, and how the answers find their way back."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from adapters.deadline import Deadline

_LOOK_SECONDS = 0.02
"""How often is looked whose deadline has passed, while there are any."""


@dataclass(eq=False, slots=True)
class Job:
    """What a caller hands to the writer. Made on the caller's event loop, and answered there, once."""

    work: Callable[[Connection, list[Any]], list[Any]]
    item: Any
    alone: bool
    label: str
    deadline: Deadline | None
    told: Callable[[Any], None]
    """Takes the result, or the exception that stands in its place."""
    first: bool = False
    is_one_statement: bool = False
    """Whether its work, together with that of others like it, writes by one statement."""
    is_over: bool = False

    def settle(self, result: Any) -> None:
        """Answer the caller, unless that has been done."""
        if not self.is_over:
            self.is_over = True
            self.told(result)


def still_wanted(batch: list[Job]) -> list[Job]:
    """The jobs whose callers still wait for an answer; the others were told that nothing was kept."""
    return [job for job in batch if job.deadline is None or job.deadline.at > job.deadline.clock()]


MOST_IN_A_STATEMENT = 64


def are_one_statement(batch: list[Job]) -> bool:
    """Whether the work of all these jobs is one statement: webhooks, most of the time."""
    return len(batch) <= MOST_IN_A_STATEMENT and all(job.is_one_statement for job in batch)


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
    done. A caller alone waits for nobody; many share the cost of a commit and of waking another thread. Who has a
    deadline is told what `too_late` makes soon after it: one timer serves all.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, send: "Callable[[Lot], None]", too_late: Callable[[], Exception]
    ) -> None:
        self._loop = loop
        self._send = send
        self._too_late = too_late
        self._waiting: list[Job] = []
        self._is_under_way = False
        self._bounded: set[Job] = set()
        self._is_looking = False

    def add(self, job: Job) -> None:
        """Take a job; on the lane's own loop."""
        self._waiting.append(job)
        if job.deadline is not None:
            self._bounded.add(job)
            self._look_soon()
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
            self._bounded.discard(job)
            job.settle(result)

    def _look_soon(self) -> None:
        if not self._is_looking:
            self._is_looking = True
            self._loop.call_later(_LOOK_SECONDS, self._look)

    def _look(self) -> None:
        self._is_looking = False
        for job in [job for job in self._bounded if job.deadline is None or job.deadline.remaining() <= 0]:
            self._bounded.discard(job)
            job.settle(self._too_late())
        if self._bounded:
            self._look_soon()


@dataclass(frozen=True, slots=True)
class Lot:
    """Jobs that go into one transaction."""

    lane: Lane
    jobs: list[Job]

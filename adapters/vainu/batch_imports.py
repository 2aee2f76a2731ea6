"""v1's batch import: an array of customer data is started, looked after, and can be stopped (S001, async_result).

One process at a time: the imports of one client wait for each other, and another one's is `ImportRunning`.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Literal

from adapters.contract import Refused, RemoteError, TimedOut, UnexpectedReply
from adapters.deadline import Deadline
from adapters.http_replies import Reply
from adapters.vainu.calls import ID, Calls, path_of
from adapters.vainu.models import CompanyInfo, identity, integer, read_company, text
from adapters.vainu.refusals import ImportRunning, row_error

_ROOT = "v1/async_result/batch-import/"
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 5.0
"""Seconds between two looks; S001's sample job of four rows took 7.14 s."""
_ENDED = frozenset({"completed", "failure", "stopped", "partial_failure_complete", "partial_failure_incomplete"})
"""S001's states but "process"; the last two are those of v2's jobs (vdev), should v1 write them."""

_MATCHING = frozenset({"vid", "business_id", "exact_name", "normalize_name"})


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What became of one row of a batch."""

    id: str
    """Of the object made; "" where none was."""
    company: CompanyInfo | None
    match_parameters: Mapping[str, Any]
    """What Vainu says it matched by."""
    error: Refused | None
    """Why no object was made: a `MatchingError`, or `Refused` for a word unknown here."""


@dataclass(frozen=True, slots=True)
class ImportJob:
    """A batch import as it stands."""

    job_id: str
    state: str
    """`process`, `completed`, `failure`, `stopped` (S001)."""
    progress: int | None = None
    """Per cent."""
    results: tuple[ImportResult, ...] = ()
    """The rows that are done so far."""

    @property
    def has_ended(self) -> bool:
        """Whether nothing more will be done; a state unknown here is taken for one that goes on."""
        return self.state in _ENDED


class ImportUnfinished(TimedOut):
    """The import had not ended when the time was up: it goes on, and can be looked after by its id."""

    def __init__(self, job: ImportJob) -> None:
        super().__init__(
            f"vainu (import) was at {job.progress}% when the time was up: it goes on as job {job.job_id}; "
            "run again later, what it has made by then exists already"
        )
        self.job = job


class BatchImports:
    """`POST /api/v1/customer_data/` with an array, and its jobs. Raises only `RemoteError`s."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._only_one = asyncio.Lock()

    @asynccontextmanager
    async def turn(self, deadline: Deadline) -> AsyncIterator[None]:
        """This client's turn to import; `ImportRunning` where it does not come by the deadline."""
        try:
            async with asyncio.timeout(deadline.remaining()):
                await self._only_one.acquire()
        except TimeoutError:
            raise ImportRunning("vainu takes one import at a time, and another one of ours still runs") from None
        try:
            yield
        finally:
            self._only_one.release()

    async def start(self, bodies: Sequence[Mapping[str, object]], deadline: Deadline) -> ImportJob:
        """Start a batch of what single POSTs would send. Not repeated: a lost answer may hide a start.

        `ImportRunning` while Vainu works on another one of the account.
        """
        if not bodies:
            raise Refused("customer data: expected rows to import; nothing was sent")
        path, action = "v1/customer_data/", "start_import"
        try:
            return await self._calls.ask(
                "POST", path, self._job, action=action, deadline=deadline, safe=False, json_body=list(bodies)
            )
        except Refused as refused:
            if refused.status == 409:
                raise ImportRunning(f"{refused.detail}; wait for the running import, or stop it") from None
            raise

    async def poll(self, job_id: str, deadline: Deadline) -> ImportJob:
        """The job as it stands, with the rows done so far; `NotFound` for an unknown one."""
        return await self._job_call("GET", job_id, deadline)

    async def stop(self, job_id: str, deadline: Deadline) -> ImportJob:
        """Stop the job and return it as it then stands: what is done stays done. Safe to repeat."""
        return await self._job_call("DELETE", job_id, deadline)

    async def finish(self, job: ImportJob, deadline: Deadline) -> ImportJob:
        """Look after a job until it has ended; `ImportUnfinished`, with the job as last seen, at the deadline."""
        pause = _FIRST_PAUSE
        while not job.has_ended:
            try:
                job = await self.poll(job.job_id, deadline)
            except RemoteError as error:
                # the import itself goes on: only an answer that no later look would better ends this
                if not error.retryable:
                    raise
            if job.has_ended:
                break
            if deadline.remaining() <= pause:
                raise ImportUnfinished(job)
            await asyncio.sleep(pause)
            pause = min(1.6 * pause, _LONGEST_PAUSE)
        return job

    async def _job_call(self, method: Literal["GET", "DELETE"], job_id: str, deadline: Deadline) -> ImportJob:
        path = path_of(_ROOT, "import job", job_id)
        action = "poll_import" if method == "GET" else "stop_import"
        job = await self._calls.ask(method, path, self._job, action=action, deadline=deadline, safe=True)
        if job.job_id != job_id:
            raise UnexpectedReply("vainu answered another import job than the one asked for")
        return job

    def _job(self, reply: Reply) -> ImportJob:
        value = reply.json()
        if not isinstance(value, dict):
            raise UnexpectedReply("vainu answered something that is no import job: expected an object")
        # S001 promises "an object with a link" at the start, and shows job_id only later
        job_id = identity(value.get("job_id")) or text(value.get("link")).rstrip("/").rpartition("/")[2]
        rows = value.get("results")
        rows = [] if rows is None else rows
        if not ID.fullmatch(job_id) or not isinstance(rows, list):
            raise UnexpectedReply("vainu answered something that is no import job: expected a job_id and results")
        results = tuple(_result(row, self._calls.redact) for row in rows)
        state = text(value.get("state")) or "process"
        return ImportJob(job_id, state, integer(value.get("progress")), results)


def _result(row: object, redact: Callable[[str], str]) -> ImportResult:
    if not isinstance(row, Mapping) or not isinstance(row.get("success"), bool):
        raise UnexpectedReply("vainu answered an import's row of unknown shape: expected success true or false")
    asked = row.get("match_parameters")
    parameters = asked if isinstance(asked, Mapping) else {}
    if not row["success"]:
        return ImportResult("", None, parameters, row_error(row, redact))
    made_id = identity(row.get("id"))
    if not made_id:
        raise UnexpectedReply("vainu answered an import's row that succeeded without an id")
    return ImportResult(made_id, read_company(row.get("matched_prospect")), parameters, None)


def assign(results: Sequence[ImportResult], bodies: Sequence[Mapping[str, object]]) -> dict[int, ImportResult]:
    """Which result belongs to which row: result by the row's index.

    That they come in the order of the rows is inferred from S001's samples only, so what Vainu says it matched by
    must agree with the row; where it does not, the first row left that agrees is taken. A result without any
    such row is an `UnexpectedReply`: an outcome must never be told of the wrong customer.
    """
    assigned: dict[int, ImportResult] = {}
    waiting: list[ImportResult] = []
    for index, result in enumerate(results):
        if index < len(bodies) and _agrees(result, bodies[index]):
            assigned[index] = result
        else:
            waiting.append(result)
    for result in waiting:
        left = (index for index in range(len(bodies)) if index not in assigned)
        place = next((index for index in left if _agrees(result, bodies[index])), None)
        if place is None:
            raise UnexpectedReply("vainu answered an import's row that was not among those sent")
        assigned[place] = result
    return assigned


def _agrees(result: ImportResult, body: Mapping[str, object]) -> bool:
    told = {name: value for name, value in result.match_parameters.items() if name in _MATCHING or name in body}
    return all(_key(body.get(name)) == _key(value) for name, value in told.items())


def _key(value: object) -> str:
    """A parameter's comparable form: Vainu may repeat a business id without its dash, or a number as text."""
    return "".join(filter(str.isalnum, str(value).casefold()))

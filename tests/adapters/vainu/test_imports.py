"""v1's batch imports: started, looked after, stopped; and whose outcome is whose (S001, async_result)."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from adapters.contract import NotFound, Refused, UnexpectedReply
from adapters.serving import serving
from adapters.vainu import CompanyInfo, CustomerDataExists, VainuClient
from adapters.vainu.batch_imports import BatchImports, ImportJob, ImportResult, assign
from adapters.vainu.customer_data_v1 import CustomerDataV1
from adapters.vainu.refusals import ImportRunning, InvalidBusinessId
from adapters.vainu.simulator import FAKE_API_KEY
from tests.adapters.vainu.served import Served, answering, soon, use

JOB: dict[str, Any] = {
    "job_id": "2096be0a-817d-40b6-b743-cff45f777c21",
    "created": "2018-06-15T11:47:39.479000",
    "results": [
        {
            "match_parameters": {"exact_name": "Vainu Finland Oy"},
            "matched_prospect": {
                "country": "FI",
                "domain": "vainu.io",
                "company_name": "Vainu Finland Oy",
                "vid": 463880794,
                "business_id": "28229966",
            },
            "id": "5b237d31d3fee90010d1b1d4",
            "success": True,
            "error": None,
        },
        {
            "success": False,
            "matched_prospect": None,
            "existing_id": "5b237d31d3fee90010d1b1d4",
            "match_parameters": {"exact_name": "Vainu Finland Oy"},
            "error": "MATCH_ALREADY_EXISTS",
            "id": None,
        },
        {
            "match_parameters": {"business_id": "324-123"},
            "matched_prospect": None,
            "id": None,
            "success": False,
            "error": "INVALID_BUSINESSID",
        },
    ],
    "state": "completed",
    "link": "https://api.vainu.io/api/v1/async_result/batch-import/2096be0a-817d-40b6-b743-cff45f777c21/",
    "duration": "7.14",
    "progress": 100,
}
"""Copied in form from S001's sample of GET /async_result/batch-import/{job_id}/, one row left out."""
LINK_ONLY = {"link": JOB["link"]}
"""The least that S001 promises at the start: "an object with a link"."""


def imports(client: VainuClient) -> BatchImports:
    assert isinstance(client.customer_data, CustomerDataV1)
    return client.customer_data.imports


def test_the_documents_own_job_is_read() -> None:
    """Rows that succeeded, that exist, that are invalid; the state and the progress."""
    with serving(answering(JOB)) as url:
        job = use(url, lambda client: imports(client).poll(JOB["job_id"], soon()), 1)
    assert (job.job_id, job.state, job.progress, job.has_ended) == (JOB["job_id"], "completed", 100, True)
    made, exists, invalid = job.results
    company = CompanyInfo(463880794, "Vainu Finland Oy", "28229966", "FI", "vainu.io")
    assert (made.id, made.company, made.error) == ("5b237d31d3fee90010d1b1d4", company, None)
    assert isinstance(exists.error, CustomerDataExists)
    assert exists.error.existing_id == made.id
    assert isinstance(invalid.error, InvalidBusinessId)


def test_ids_of_rows_may_be_numbers() -> None:
    """Of what was made, and of what is there already."""
    made, exists, *_others = JOB["results"]
    numbered = {**JOB, "results": [{**made, "id": 1}, {**exists, "existing_id": 2}]}
    with serving(answering(numbered)) as url:
        job = use(url, lambda client: imports(client).poll(JOB["job_id"], soon()), 1)
    first, second = job.results
    assert first.id == "1"
    assert isinstance(second.error, CustomerDataExists)
    assert second.error.existing_id == "2"


def test_an_import_that_is_unknown_by_now_has_ended(account: Served) -> None:
    """What another process left behind is over when Vainu knows it no more."""
    account.use(lambda client: client.customer_data.end_import("00000001-0000-4000-8000-000000000000", soon()), 1)


def test_an_import_that_goes_on_for_too_long_is_stopped(account: Served) -> None:
    """Another process's import that has not ended at the deadline is stopped, so that the next one can start."""

    async def start_and_end(client: VainuClient) -> str:
        rows = [{"exact_name": f"Nobody {number}"} for number in range(50)]
        job = await imports(client).start(rows, soon())
        await client.customer_data.end_import(job.job_id, soon(0.3))
        return (await imports(client).poll(job.job_id, soon())).state

    assert account.use(start_and_end, 1) == "stopped"


def test_a_start_that_gives_only_a_link_is_understood() -> None:
    """The job's id is the end of the link."""
    with serving(answering(LINK_ONLY)) as url:
        job = use(url, lambda client: imports(client).start([{"vid": 1}], soon()), 1)
    assert (job.job_id, job.has_ended, job.results) == (JOB["job_id"], False, ())


def test_an_import_is_stopped(account: Served) -> None:
    """What is done stays done, and another one may start (S001, DELETE)."""

    async def act(client: VainuClient) -> tuple[ImportJob, ImportJob]:
        rows = [{"vid": vid} for vid in (463880794, 1, 2, 3, 253870)]
        started = await imports(client).start(rows, soon())
        await imports(client).poll(started.job_id, soon())
        stopped = await imports(client).stop(started.job_id, soon())
        return stopped, await imports(client).start([{"vid": 253870}], soon())

    stopped, following = account.use(act, 1)
    assert (stopped.state, stopped.has_ended, len(stopped.results)) == ("stopped", True, 3)
    assert not following.has_ended


def test_a_second_import_is_refused_for_now(account: Served) -> None:
    """409: come again later, or stop what runs."""

    async def act(client: VainuClient) -> ImportRunning:
        await imports(client).start([{"vid": 1}], soon())
        with pytest.raises(ImportRunning, match="already exists") as caught:
            await imports(client).start([{"vid": 2}], soon())
        return caught.value

    assert account.use(act, 1).retryable


@pytest.mark.parametrize("job_id", ["", "..", "a/b", "../../customer_data", "?", None])
def test_what_can_be_no_job_is_refused_unsent(account: Served, job_id: Any) -> None:
    """Neither asked for nor stopped."""
    for call in ("poll", "stop"):
        with pytest.raises(Refused, match="nothing was sent"):
            account.use(lambda client, call=call: getattr(imports(client), call)(job_id, soon()), 1)
    assert account.calls == []


def test_an_unknown_job_is_not_found(account: Served) -> None:
    """404."""
    with pytest.raises(NotFound):
        account.use(lambda client: imports(client).poll("none", soon()), 1)


def test_an_import_of_nothing_is_refused_unsent(account: Served) -> None:
    """It would stand in the way of others."""
    with pytest.raises(Refused, match="nothing was sent"):
        account.use(lambda client: imports(client).start([], soon()), 1)
    assert account.calls == []


@pytest.mark.parametrize(
    "answer",
    [
        [],
        {},
        {"job_id": "../x", "state": "process"},
        {**JOB, "results": {}},
        {**JOB, "results": ["x"]},
        {**JOB, "results": [{"id": "a"}]},
        {**JOB, "results": [{"success": True, "id": None}]},
        {**JOB, "job_id": "another"},
    ],
)
def test_an_unknown_shape_is_never_an_outcome(answer: Any) -> None:
    """A row that succeeded without an id, another job, no job at all."""
    with serving(answering(answer)) as url, pytest.raises(UnexpectedReply):
        use(url, lambda client: imports(client).poll(JOB["job_id"], soon(1)), 1)


def test_a_secret_that_a_row_repeats_is_not_shown() -> None:
    """Vainu's words for a row come into a report."""
    row = {"success": False, "error": f"bad key {FAKE_API_KEY}", "match_parameters": {"vid": FAKE_API_KEY}}
    with serving(answering({**JOB, "results": [row]})) as url:
        job = use(url, lambda client: imports(client).poll(JOB["job_id"], soon()), 1)
    assert "[redacted]" in str(job.results[0].error)
    assert FAKE_API_KEY not in repr(job.results[0].error)


def results(*parameters: dict[str, Any]) -> Sequence[ImportResult]:
    return [ImportResult(f"id{number}", None, given, None) for number, given in enumerate(parameters)]


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ([{"vid": 1}, {"business_id": "2822996-6"}, {"exact_name": "Oy"}], ["id0", "id1", "id2"]),
        ([{"exact_name": "Oy"}, {"vid": 1}, {"business_id": "28229966"}], ["id1", "id2", "id0"]),
        ([{"vid": "1"}, {"exact_name": "OY", "city": "Espoo"}], ["id0", None, "id1"]),
        ([{"vid": 1}, {}, {}], ["id0", "id1", "id2"]),
        ([], [None, None, None]),
    ],
)
def test_a_result_belongs_to_the_row_it_was_matched_by(told: list[dict[str, Any]], expected: list[str | None]) -> None:
    """Rows and results go together by their place only where what Vainu matched by agrees."""
    bodies = [{"vid": 1}, {"business_id": "2822996-6", "country": "FI"}, {"exact_name": "Oy"}]
    assigned = assign(results(*told), bodies)
    assert [assigned[place].id if place in assigned else None for place in range(3)] == expected


@pytest.mark.parametrize("told", [[{"vid": 2}], [{"vid": 1}, {"vid": 1}]])
def test_a_result_of_no_row_is_unexpected(told: list[dict[str, Any]]) -> None:
    """An outcome is never told of the wrong customer."""
    with pytest.raises(UnexpectedReply):
        assign(results(*told), [{"vid": 1}])


def test_a_turn_that_does_not_come_is_told() -> None:
    """The deadline holds in the queue too."""

    async def act(client: VainuClient) -> None:
        async with imports(client).turn(soon()):
            with pytest.raises(ImportRunning):
                async with imports(client).turn(soon(0.05)):
                    await asyncio.sleep(0)

    use("http://127.0.0.1:1", act, 1)

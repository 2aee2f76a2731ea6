"""What the Vainu simulator keeps: companies it knows, customer data, and v1's batch jobs. No HTTP here."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any

from adapters.vainu.samples import SampleCompany, samples
from adapters.vainu.simulated_matching import KnownCompanies, MatchRefused, match_in_v1, match_in_v2, takes_match
from adapters.vainu.simulated_shapes import (
    CustomerRecord,
    FieldRefused,
    in_company_spelling,
    matched_prospect,
    read_fields,
)

FAKE_API_KEY = "fa4e" * 16
"""64 hex digits, as S001 wants; opens nothing but the simulator."""
FAKE_USERNAME = "simulated@vainu.example"
FAKE_PASSWORD = "not-a-real-password"  # noqa: S105 - opens nothing but the simulator

DEFAULT_ROWS_PER_POLL = 500


@dataclass(slots=True)
class Job:
    """A batch import (S001, async_result): rows are worked off whenever somebody looks."""

    id: str
    created: datetime
    rows: Sequence[object]
    results: list[dict[str, Any]] = field(default_factory=list)
    state: str = "process"
    ended: datetime | None = None


@dataclass(slots=True)
class TargetGroup:
    """A list of companies; prospects can be added to a named one, a portfolio (S001, PUT /target_groups/{id})."""

    id: str
    name: str
    is_named: bool
    members: list[SampleCompany] = field(default_factory=list)

    def shown(self) -> dict[str, Any]:
        """S001's shape."""
        return {"id": self.id, "name": self.name, "is_named_target_group": self.is_named, "default": False}


class VainuState:
    """One Vainu account. `api_enabled=False` plays an account without API permission (403).

    `rows_per_poll` is how many batch rows are done each time somebody asks for the job; `fails_after` plays jobs
    that end as "failure" once so many rows are done; `clock` gives UTC.
    """

    def __init__(
        self,
        *,
        api_key: str = FAKE_API_KEY,
        username: str = FAKE_USERNAME,
        password: str = FAKE_PASSWORD,
        api_enabled: bool = True,
        companies: Sequence[SampleCompany] | None = None,
        rows_per_poll: int = DEFAULT_ROWS_PER_POLL,
        fails_after: int | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.api_key = api_key
        self.username = username
        self.password = password
        self.api_enabled = api_enabled
        self.companies = tuple(samples().values() if companies is None else companies)
        self.known = KnownCompanies(self.companies)
        self._rows_per_poll = rows_per_poll
        self._fails_after = fails_after
        self.clock = clock
        self.started = clock()
        """When all companies were last changed, as far as anybody asks."""
        self.reset()

    def reset(self) -> None:
        """No customer data, jobs, target groups and webhooks; the companies stay."""
        self.records: dict[str, CustomerRecord] = {}
        self._taken: dict[int, str] = {}
        self.jobs: dict[str, Job] = {}
        self.target_groups: dict[str, TargetGroup] = {}
        self.webhooks: dict[str, dict[str, Any]] = {}
        self._numbers = count(1)

    def dump(self) -> dict[str, Any]:
        """Customer data in v2's shape, jobs, the vids of the known companies, target groups, and webhooks."""
        return {
            "customer_data": [in_company_spelling(record) for record in self.records.values()],
            "jobs": [{"job_id": job.id, "state": job.state, "results": job.results} for job in self.jobs.values()],
            "companies": [company.vid for company in self.companies],
            "target_groups": [
                {**group.shown(), "vids": [member.vid for member in group.members]}
                for group in self.target_groups.values()
            ],
            "webhooks": list(self.webhooks.values()),
        }

    def new_id(self) -> str:
        """24 hex digits, as Vainu's ids of customer data and target groups have."""
        return f"{next(self._numbers):024x}"

    def create(self, body: Mapping[str, Any], version: int) -> CustomerRecord:
        """A new object; `MatchRefused` or `FieldRefused` where Vainu answers 400 or 409."""
        now = self.clock()
        company = (match_in_v1 if version == 1 else match_in_v2)(body, self.known)
        fields = read_fields(body)
        self._refuse_second(body, company, None)
        record = CustomerRecord(
            id=self.new_id(),
            fields=fields,
            company=company,
            match_data=dict(body.get("match_data") or {}),
            origin="PublicApi" if version == 1 else "customerDataApi",
            created=now,
            modified=now,
        )
        self.records[record.id] = record
        self._take(company, record)
        return record

    def patch(self, record: CustomerRecord, body: Mapping[str, Any], version: int, *, may_rematch: bool) -> None:
        """Change one object; match parameters make a new match, save in bulk (S001, PATCH)."""
        fields = read_fields(body)
        if may_rematch and takes_match(body, version):
            company = (match_in_v1 if version == 1 else match_in_v2)(body, self.known)
            self._refuse_second(body, company, record)
            self._give_up(record)
            self._take(company, record)
            record.company = company
            record.match_data = dict(body.get("match_data") or record.match_data)
        record.fields |= fields
        record.modified = self.clock()

    def delete(self, customer_data_id: str) -> bool:
        """Whether there was such an object; it is gone now."""
        record = self.records.pop(customer_data_id, None)
        if record is not None:
            self._give_up(record)
        return record is not None

    def _take(self, company: SampleCompany | None, record: CustomerRecord) -> None:
        if company is not None:
            self._taken[company.vid] = record.id

    def _give_up(self, record: CustomerRecord) -> None:
        if record.company is not None:
            self._taken.pop(record.company.vid, None)

    def _refuse_second(
        self, body: Mapping[str, Any], company: SampleCompany | None, but: CustomerRecord | None
    ) -> None:
        existing_id = self._taken.get(company.vid) if company is not None else None
        if existing_id is not None and (but is None or existing_id != but.id):
            raise MatchRefused(409, "MATCH_ALREADY_EXISTS", body, existing_id=existing_id)

    def start_job(self, rows: Sequence[object]) -> Job | None:
        """A new batch import, or None while another one runs (S001: one at a time)."""
        if any(job.state == "process" for job in self.jobs.values()):
            return None
        job = Job(f"{next(self._numbers):08x}-0000-4000-8000-000000000000", self.clock(), rows)
        self.jobs[job.id] = job
        return job

    def advance(self, job: Job) -> None:
        """Work off the next rows of a running job."""
        if job.state != "process":
            return
        done = len(job.results)
        upto = done + self._rows_per_poll
        if self._fails_after is not None:
            upto = min(upto, self._fails_after)
        job.results += [self._import(row) for row in job.rows[done:upto]]
        if len(job.results) == self._fails_after:
            self.end(job, "failure")
        elif len(job.results) == len(job.rows):
            self.end(job, "completed")

    def end(self, job: Job, state: str) -> None:
        """`completed`, `failure`, or `stopped` by the user; a job that has ended stays as it is."""
        if job.state == "process":
            job.state = state
            job.ended = self.clock()

    def _import(self, row: object) -> dict[str, Any]:
        body = row if isinstance(row, dict) else {}
        try:
            record = self.create(body, 1)
        except MatchRefused as refusal:
            return refusal.body
        except FieldRefused as refusal:
            return {**MatchRefused(400, "INVALID_FIELD", body).body, "detail": refusal.body}
        parameters = MatchRefused(400, "", body).body["match_parameters"]
        matched = matched_prospect(record.company)
        return {"match_parameters": parameters, "matched_prospect": matched, "id": record.id} | _SUCCESS


_SUCCESS = {"success": True, "error": None}

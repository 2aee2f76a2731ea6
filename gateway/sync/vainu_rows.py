"""One page's changed customers to Vainu: patched where Vainu has them, created where it has not, never doubled."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal, TypeVar

from adapters.contract import BadCredentials, CustomerSummary, NotFound, RemoteError
from adapters.deadline import Deadline
from adapters.vainu import (
    CompanyInfo,
    CustomerDataExists,
    CustomerRow,
    MatchData,
    MatchingError,
    RowOutcome,
    SeveralCompanies,
    VainuClient,
)
from adapters.vainu.customer_data import OnImport
from gateway.customer_data import Fields
from gateway.pace import Pace
from gateway.sync.patience import Patience

T = TypeVar("T")

AT_ONCE = 8
"""Calls to Vainu under way at the same time, within the connection's own pace."""
_CALL_SECONDS = 30.0
_CREATE_SECONDS = 90.0
"""Longer than a call: Vainu may ask to slow down, and that is waited out."""
_IMPORT_SECONDS = 900.0


@dataclass(frozen=True, slots=True)
class Row:
    """A customer that Vainu does not hold as the CRM has it now."""

    summary: CustomerSummary
    fields: Fields
    match: MatchData
    digest: bytes
    remote_id: str | None
    """Its customer data, as far as is known."""
    may_exist: bool = False
    """Vainu is asked for the unique_id before a create: an earlier one may have happened."""
    is_moved: bool = False
    """Its business id changed since Vainu was told last: the customer data it has is matched anew."""
    before: bytes | None = None
    """The digest of what Vainu was told last."""

    @property
    def unique_id(self) -> str:
        """What Vainu knows the customer by."""
        return str(self.fields["unique_id"])


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of a row."""

    row: Row
    did: Literal["created", "updated"] | None
    """None where it failed."""
    remote_id: str | None = None
    error: RemoteError | None = None
    candidates: tuple[CompanyInfo, ...] = ()
    holder: str | None = None
    """The CRM's id of the customer that has the company's only object, where this was refused for it."""

    @property
    def is_passing(self) -> bool:
        """Whether it failed for a reason that may pass."""
        return self.error is not None and self.error.retryable

    @property
    def may_exist(self) -> bool:
        """Whether Vainu may have made an object of which nothing is known."""
        return self.remote_id is None and (
            self.row.may_exist or (self.error is not None and not self.error.outcome_known)
        )


class BeingCreated(RemoteError):
    """The work on a webhook about the same customer may be creating its customer data in this moment."""

    reason = "being_created"


Holders = Callable[[Sequence[str]], Awaitable[dict[str, str]]]
"""Which CRM record each of these customer data ids is known to belong to."""


Claims = dict[str, str]
"""Which CRM record each customer data object belongs to, as far as this page and earlier ones tell."""


@dataclass(frozen=True, slots=True)
class VainuRows:
    """Sends rows to one Vainu account."""

    vainu: VainuClient
    pace: Pace
    patience: Patience
    creates_leave: Callable[[Sequence[Row]], Awaitable[Collection[str]]]
    """Is told of creates before they leave; gives the record ids of those that somebody else may be creating now."""
    import_runs: OnImport
    holders: Holders

    async def send(self, rows: Sequence[Row]) -> list[Sent]:
        """What became of each row; what fails for a passing reason was tried again. `BadCredentials` ends it all."""
        done: list[Sent] = []
        claims = {row.remote_id: row.summary.record_id for row in rows if row.remote_id is not None}
        began, attempts = self.patience.clock(), 0
        while rows:
            attempts += 1
            sent = await self._once(rows, claims)
            done += [each for each in sent if not each.is_passing]
            passing = [each for each in sent if each.is_passing]
            errors = [each.error for each in passing if each.error is not None]
            longest = max(errors, key=lambda error: error.retry_after or 0.0, default=None)
            if longest is None or not await self.patience.waited(longest, attempts, began):
                return done + passing
            rows = [replace(each.row, remote_id=each.remote_id, may_exist=each.may_exist) for each in passing]
        return done

    async def _once(self, rows: Sequence[Row], claims: Claims) -> list[Sent]:
        settled = await self._at_once([partial(self._patched, row) for row in rows])
        new = [row for row, sent in zip(rows, settled, strict=True) if sent is None]
        done = [sent for sent in settled if sent is not None]
        if new:
            elsewhere = await self.creates_leave(new)
            done += [_left_to_another(row) for row in new if row.summary.record_id in elsewhere]
            new = [row for row in new if row.summary.record_id not in elsewhere]
        if new:
            done += await self._create(new, claims)
        return done

    async def _patched(self, row: Row) -> Sent | None:
        """The customer data that Vainu has, brought up to date; None where it has to be made."""
        remote_id, may_exist = row.remote_id, row.may_exist
        try:
            if remote_id is not None:
                try:
                    return await self._patch(row, remote_id)
                except NotFound:
                    # the id is void: somebody deleted it, or Vainu took its export for failed
                    remote_id, may_exist = None, True
            if not may_exist:
                return None
            found = await self._call(lambda deadline: self.vainu.customer_data.find(row.unique_id, deadline))
            return None if found is None else await self._patch(row, found.id)
        except BadCredentials:
            raise
        except RemoteError as error:
            return Sent(replace(row, may_exist=may_exist), None, remote_id, error)

    async def _patch(self, row: Row, remote_id: str) -> Sent:
        patch = self.vainu.customer_data.patch
        if row.is_moved:
            try:
                await self._call(lambda deadline: patch(remote_id, row.fields, deadline, row.match))
                return Sent(row, "updated", remote_id)
            except MatchingError as error:
                refused = error
            # the numbers are right whatever the company is; that it could not be matched is told until it can
            await self._call(lambda deadline: patch(remote_id, row.fields, deadline))
            candidates = refused.candidates if isinstance(refused, SeveralCompanies) else ()
            return Sent(row, None, remote_id, refused, candidates, await self._holder(refused))
        await self._call(lambda deadline: patch(remote_id, row.fields, deadline))
        return Sent(row, "updated", remote_id)

    async def _holder(self, refused: MatchingError) -> str | None:
        if not isinstance(refused, CustomerDataExists):
            return None
        return (await self.holders([refused.existing_id])).get(refused.existing_id)

    async def _call(self, act: Callable[[Deadline], Awaitable[T]]) -> T:
        async with self.pace.turn():
            return await act(Deadline.after(_CALL_SECONDS))

    async def _create(self, rows: Sequence[Row], claims: Claims) -> list[Sent]:
        if self.vainu.customer_data.version == 1:
            # v1 has a batch, and takes one at a time
            outcomes = [await self._outcomes(rows, _IMPORT_SECONDS)]
        else:
            outcomes = await self._at_once([partial(self._outcomes, [row], _CREATE_SECONDS) for row in rows])
        paired = zip(rows, (outcome for each in outcomes for outcome in each), strict=True)
        return await self._settled(list(paired), claims)

    async def _outcomes(self, rows: Sequence[Row], seconds: float) -> list[RowOutcome]:
        created = (CustomerRow(row.match, row.fields) for row in rows)
        async with self.pace.turn():
            made = self.vainu.customer_data.create_many(created, Deadline.after(seconds), self.import_runs)
            return sorted([outcome async for outcome in made], key=lambda outcome: outcome.index)

    async def _settled(self, made: Sequence[tuple[Row, RowOutcome]], claims: Claims) -> list[Sent]:
        """The outcomes of creates; where the company has customer data already, that is patched."""
        claims.update({outcome.id: row.summary.record_id for row, outcome in made if outcome.id})
        existing = [outcome.existing_id for _row, outcome in made if outcome.existing_id]
        held = await self.holders(existing) if existing else {}
        for row, outcome in made:
            if outcome.existing_id:
                claims.setdefault(outcome.existing_id, held.get(outcome.existing_id, row.summary.record_id))
        return await self._at_once([partial(self._outcome_of, row, outcome, claims) for row, outcome in made])

    async def _outcome_of(self, row: Row, outcome: RowOutcome, claims: Claims) -> Sent:
        existing = outcome.existing_id
        if outcome.error is None:
            return Sent(row, "created", outcome.id)
        if existing is None:
            return Sent(row, None, None, outcome.error, outcome.candidates)
        if claims[existing] != row.summary.record_id:
            return Sent(row, None, None, _same_company(claims[existing], existing), holder=claims[existing])
        try:
            return await self._patch(row, existing)
        except BadCredentials:
            raise
        except RemoteError as error:
            return Sent(row, None, existing, error)

    async def _at_once(self, acts: Sequence[Callable[[], Awaitable[T]]]) -> list[T]:
        slots = asyncio.Semaphore(AT_ONCE)

        async def act_in_turn(act: Callable[[], Awaitable[T]]) -> T:
            async with slots:
                return await act()

        tasks = [asyncio.ensure_future(act_in_turn(act)) for act in acts]
        try:
            return list(await asyncio.gather(*tasks))
        finally:
            for task in tasks:
                task.cancel()


def _left_to_another(row: Row) -> Sent:
    """Not created now; the next attempt looks for what the other has made."""
    error = BeingCreated("a webhook's work may be creating its customer data just now; the next attempt looks for it")
    return Sent(replace(row, may_exist=True), None, None, error)


def _same_company(record_id: str, existing_id: str) -> CustomerDataExists:
    """To patch would put one customer's numbers in the other's place, at every sync anew."""
    return CustomerDataExists(
        f"the CRM's customer {record_id} is the same company to Vainu, which has one customer data ({existing_id}) "
        "for it; merge the two in the CRM"
    )

"""Exports as a use case: keep the push, do its work at once, answer within the budget (CONTRACT section 7)."""

import asyncio
import json
from dataclasses import dataclass
from typing import Literal

import structlog
from sqlalchemy import Connection

from adapters.deadline import Deadline
from gateway.at_hand import AtHand
from gateway.clock import Clock
from gateway.export_work import EXPORT, customer_data, details_key
from gateway.handling import Note
from gateway.identity import identifiers
from gateway.ids import new_id
from gateway.pushed import Pushed
from gateway.runtime import LiveConnection
from gateway.store import UNFINISHED, DeliveryState, Store, StoreUnavailable, claims, companies, deliveries, exports
from gateway.store.companies import CompanyRow
from gateway.store.deliveries import Delivery, NewDelivery
from gateway.store.exports import ExportRow, NewExport, Unfinished
from gateway.worker import Worker

log = structlog.get_logger()

_LOOK_AGAIN_SECONDS = 0.05
"""How soon to look for the end of a delivery that another process may be working on; then less and less often."""
_LOOK_AGAIN_SECONDS_MOST = 0.5
_GRACE_SECONDS = 0.3
"""How long after its budget an answer may wait for the store: Vainu waits 3 s, and the budget is 2.5 s by default."""
_GRACE_LEAST_SECONDS = 0.15
_MARK_AGAIN_SECONDS = 0.5
_LOOK_SECONDS = 2.0
"""How long the store may take to tell where an export stands."""
OUT_OF_TIME = frozenset({"timeout", "create_unsettled"})


@dataclass(frozen=True, slots=True)
class Answer:
    """What Vainu is told of its push."""

    export_id: str
    status: Literal["created", "updated", "accepted", "dead", "timeout"]
    unique_id: str
    reason: str = ""
    """For `dead`: the CRM's reason, redacted."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an export stands, as `GET …/exports/{export_id}` tells."""

    export_id: str
    unique_id: str
    status: Literal["created", "updated", "accepted", "dead"]
    attempts: int
    reason: str | None


@dataclass(frozen=True, slots=True)
class _Kept:
    company: CompanyRow
    delivery_id: int
    joined: bool
    claimed: list[Delivery]

    @property
    def own_claim(self) -> Delivery | None:
        """The claim of this very push, if it was claimed with its keeping."""
        return next((each for each in self.claimed if each.id == self.delivery_id and not self.joined), None)


class Exports:
    """Takes pushes; one instance serves all connections."""

    def __init__(self, store: Store, worker: Worker, clock: Clock, at_hand: AtHand, note: Note | None = None) -> None:
        self._note = note
        self._at_hand = at_hand
        self._store = store
        self._worker = worker
        self._clock = clock
        self._following: set[asyncio.Task[None]] = set()

    async def push(self, live: LiveConnection, pushed: Pushed, body: bytes, query: str, deadline: Deadline) -> Answer:
        """Keep the push, have it done, and tell how it stands when the deadline comes.

        Raises `StoreUnavailable` if it could not be kept; then nothing was done either.
        """
        new = NewExport(new_id("exp", self._clock()), live.name, pushed.customer_data_id, query, body)
        if self._note:
            await self._note(new.id)
        kept = await self._store.write(
            lambda c: self._keep(c, live, pushed, new, deadline), "export.keep", deadline, first=True
        )
        with self._at_hand.of(kept.own_claim, kept.company, pushed.company):
            self._worker.start(kept.claimed)
            if not kept.claimed:
                self._worker.wake()
            delivery = await self._end_of(kept.delivery_id, deadline)
        if delivery is None:
            return await self._unfinished(live, new, kept, deadline)
        if delivery.state == DeliveryState.DONE and pushed.company.has_details:
            await self._details_of(delivery, deadline)
        return self._answer(new.id, kept, delivery)

    async def standing(self, name: str, export_id: str) -> Standing | None:
        """Where an export of this connection stands; None if there is none with this id."""
        row = await self._store.read(lambda c: exports.by_id(c, name, export_id), Deadline.after(_LOOK_SECONDS))
        return standing_of(row) if row else None

    def _keep(
        self, connection: Connection, live: LiveConnection, pushed: Pushed, new: NewExport, deadline: Deadline
    ) -> _Kept:
        now = self._clock()
        found = identifiers(pushed.company)
        company = companies.recognise_or_add(connection, live.name, found, pushed.company.vid, now)
        if new.customer_data_id:
            companies.set_customer_data_id(connection, company.id, new.customer_data_id, now)
        fails_late = live.settings.export.when_slow == "fail"
        wanted = NewDelivery(
            connection=live.name,
            kind=EXPORT,
            order_key=f"{live.name}:{company.id}",
            subject=company.id,
            payload=new.id.encode(),
            content_key=pushed.content_key,
            expires_at=now + round(deadline.remaining() * 1000) if fails_late else None,
        )
        kept = self._begun(connection, company, wanted, now)
        exports.add(connection, new, company.id, kept.delivery_id, kept.joined, now)
        return kept

    def _begun(self, connection: Connection, company: CompanyRow, wanted: NewDelivery, now: int) -> _Kept:
        """The delivery that does the work, claimed where there is room and nothing is before it."""
        lease = self._worker.lease() if self._worker.has_room else None
        if lease and company.is_new:
            first = deliveries.add_running(connection, wanted, now, lease.owner, lease.until)
            return _Kept(company, first.id, False, [first])
        twin = deliveries.unfinished_twin(connection, wanted)
        deliveries.hasten(connection, wanted.order_key, now)
        delivery_id = twin.id if twin else deliveries.add(connection, wanted, now)
        claimed = claims.claim_next(connection, lease, now, wanted.order_key) if lease else []
        return _Kept(company, delivery_id, twin is not None, claimed)

    async def _end_of(self, delivery_id: int, deadline: Deadline) -> Delivery | None:
        """The delivery once it is finished, or None at the deadline, or if the store does not tell."""
        pause = _LOOK_AGAIN_SECONDS
        while deadline.remaining() > 0:
            if self._worker.is_acting_on(delivery_id):
                kept = await self._worker.finished(delivery_id, deadline)
                if kept is not None and kept.state not in UNFINISHED:
                    return kept
            try:
                delivery = await self._store.read(
                    lambda c: deliveries.by_id(c, delivery_id), Deadline.after(_grace(deadline))
                )
            except StoreUnavailable:
                return None
            if delivery is not None and delivery.state not in UNFINISHED:
                return delivery
            if not self._worker.is_acting_on(delivery_id):
                await self._worker.finished(delivery_id, Deadline.after(deadline.earlier(pause)))
                pause = min(pause * 1.5, _LOOK_AGAIN_SECONDS_MOST)
        return None

    async def _details_of(self, delivery: Delivery, deadline: Deadline) -> None:
        """Give contacts and leads the rest of the budget: who looks into the CRM at once finds them there."""
        key = details_key(delivery.order_key)
        try:
            following = await self._store.read(lambda c: deliveries.following(c, delivery, key), deadline)
        except StoreUnavailable:
            # the record is made, and its details are kept: no reason to call the push a failure
            return
        if following is not None:
            self._worker.wake()
            await self._end_of(following, deadline)

    async def _unfinished(self, live: LiveConnection, new: NewExport, kept: _Kept, deadline: Deadline) -> Answer:
        unique_id = kept.company.unique_id
        if live.settings.export.when_slow == "fail":
            return Answer(new.id, "timeout", unique_id)
        late = Unfinished(new.id, kept.delivery_id, self._clock())
        marking = asyncio.create_task(self._mark_accepted(late))
        await asyncio.wait([marking], timeout=_grace(deadline))
        if not marking.done():
            # the push itself is on disk, and the caller's time is up; the mark follows when the store has room
            following = asyncio.create_task(self._follow_up(marking, live, new, late))
            self._following.add(following)
            following.add_done_callback(self._followed)
            return Answer(new.id, "accepted", unique_id)
        delivery = marking.result()
        if delivery.state not in UNFINISHED:
            return self._answer(new.id, kept, delivery)
        return Answer(new.id, "accepted", unique_id)

    async def _mark_accepted(self, late: Unfinished) -> Delivery:
        """Note that Vainu was told our id, however long the store takes: the CRM's id must follow to Vainu."""
        while True:
            try:
                return await self._store.write_many(exports.mark_accepted, late, "export.accepted")
            except StoreUnavailable as error:
                log.warning("export.accepted_waits_for_store", export=late.export_id, detail=str(error))
                await asyncio.sleep(_MARK_AGAIN_SECONDS)

    async def _follow_up(
        self, marking: "asyncio.Task[Delivery]", live: LiveConnection, new: NewExport, late: Unfinished
    ) -> None:
        """Where the delivery had ended before the mark was set, its end told Vainu nothing: do that now."""
        delivery = await marking
        if delivery.state in UNFINISHED:
            return

        def tell(connection: Connection) -> None:
            exports.mark_answered(connection, late)
            if delivery.state == DeliveryState.DONE and live.vainu is not None and new.customer_data_id:
                deliveries.add(connection, customer_data(delivery, new.customer_data_id), self._clock())

        await self._store.write(tell)

    def _followed(self, following: "asyncio.Task[None]") -> None:
        self._following.discard(following)
        if not following.cancelled() and following.exception() is not None:
            log.error("export.accepted_not_marked", error=type(following.exception()).__name__)

    def _answer(self, export_id: str, kept: _Kept, delivery: Delivery) -> Answer:
        if delivery.state == DeliveryState.DONE and delivery.result:
            result = json.loads(delivery.result)
            return Answer(export_id, _status(result["status"], kept.joined), result["unique_id"])
        late = delivery.expires_at is not None and delivery.reason in OUT_OF_TIME
        reason = delivery.detail or delivery.reason or ""
        return Answer(export_id, "timeout" if late else "dead", kept.company.unique_id, reason)


def _grace(deadline: Deadline) -> float:
    """Seconds for what an answer needs of the store after the budget; a moment, however late it is."""
    return max(_GRACE_LEAST_SECONDS, deadline.at + _GRACE_SECONDS - deadline.clock())


def _status(status: str, joined: bool) -> Literal["created", "updated"]:
    """What a push is told: one that joined an equal one in flight found the record already there."""
    return "created" if status == "created" and not joined else "updated"


def standing_of(row: ExportRow) -> Standing:
    """Where an export stands, of what the store has of it."""
    unique_id = row.record_id or row.gateway_id
    if row.state == DeliveryState.DEAD:
        return Standing(row.id, unique_id, "dead", row.attempts, row.detail or row.reason)
    if row.state == DeliveryState.DONE and row.result:
        status = _status(json.loads(row.result)["status"], row.joined)
        return Standing(row.id, unique_id, status, row.attempts, None)
    return Standing(row.id, unique_id, "accepted", row.attempts, row.detail or row.reason)

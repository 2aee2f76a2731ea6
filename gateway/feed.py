"""The activity feed as a use case: whose feed, asked once for all who want it now, or the last good one (section 6)."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy import Connection

from adapters.contract import ActivityEvent
from adapters.deadline import Deadline
from adapters.plain_text import plain_text
from adapters.timestamps import render
from gateway.clock import moment
from gateway.export_work import EXPORT
from gateway.gathering import FeedFailed, Gathered, NoSuchRecord, gather, newest_first, partial_of
from gateway.metrics import Metrics
from gateway.runtime import LiveConnection
from gateway.store import Store, StoreUnavailable, companies, deliveries, exports

_KEPT_FEEDS = 2_000
_STORE_SHARE = 0.25
"""How much of a feed's time the store may take; the rest is the CRM's."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request wants of the feed."""

    limit: int
    since: str = ""
    """As rendered timestamps compare; "" for all."""
    types: frozenset[str] = frozenset()


@dataclass(slots=True)
class Feeds:
    """Serves feeds of all connections; keeps the last good ones in memory."""

    store: Store
    metrics: Metrics
    _flights: dict[tuple[str, str], "asyncio.Task[Gathered]"] = field(default_factory=dict)
    _last_good: OrderedDict[tuple[str, str], tuple[float, Gathered]] = field(default_factory=OrderedDict)

    async def get(self, live: LiveConnection, unique_id: str, deadline: Deadline) -> Gathered:
        """The feed of one unique_id; raises `NoSuchRecord`, `FeedFailed`, or `StoreUnavailable` where only it knows."""
        store_by = Deadline.after(deadline.remaining() * _STORE_SHARE)
        try:
            company, dead = await self.store.read(lambda c: _known(c, live.name, unique_id), store_by)
        except StoreUnavailable as unavailable:
            return await self._without_store(live, unique_id, deadline, unavailable)
        note = _failure_note(live, dead) if dead else None
        if company is None and unique_id.startswith("gw_"):
            raise NoSuchRecord
        record_id = company.record_id if company else unique_id
        if record_id is None and not unique_id.startswith("gw_"):
            # the link is gone, since the CRM deleted the record; only the CRM knows whether that still holds
            record_id = unique_id
        if record_id is None:
            return Gathered([note] if note else [])
        gathered = await self._once(live, record_id, company is not None, deadline)
        if note is None:
            return gathered
        return replace(gathered, events=newest_first([note, *gathered.events]))

    async def _without_store(
        self, live: LiveConnection, unique_id: str, deadline: Deadline, unavailable: StoreUnavailable
    ) -> Gathered:
        """The feed while the store is down: most unique_ids are the CRM's own, and the CRM is asked for those."""
        if unique_id.startswith("gw_"):
            raise unavailable
        try:
            return await self._once(live, unique_id, False, deadline)
        except NoSuchRecord:
            # the store may know that the company has another record by now
            raise unavailable from None

    async def _once(self, live: LiveConnection, record_id: str, linked: bool, deadline: Deadline) -> Gathered:
        """Identical requests at the same time share one flight; a caller that goes away does not end it."""
        key = (live.name, record_id)
        flight = self._flights.get(key)
        if flight is None:
            flight = asyncio.create_task(self._fly(live, record_id, linked, deadline))
            self._flights[key] = flight
            flight.add_done_callback(lambda _done: self._flights.pop(key, None))
        return await asyncio.shield(flight)

    async def _fly(self, live: LiveConnection, record_id: str, linked: bool, deadline: Deadline) -> Gathered:
        with live.in_use():
            try:
                gathered = await gather(live, record_id, linked, deadline)
            except FeedFailed as failed:
                stale = self._stale(live, record_id, failed)
                self.metrics.feed(live.name, "stale" if stale else "failed", partial_of(failed.failures))
                if stale is None:
                    raise
                return stale
        for refused in gathered.rejected:
            self.metrics.event_rejected(live.name, refused.reason)
        self.metrics.feed(live.name, "partial" if gathered.partial else "complete", gathered.partial)
        self._remember(live, record_id, gathered)
        return gathered

    def _remember(self, live: LiveConnection, record_id: str, gathered: Gathered) -> None:
        key = (live.name, record_id)
        if live.settings.feed.stale_seconds > 0 and not (gathered.partial and self._whole_one(live, key)):
            self._last_good[key] = (time.monotonic(), gathered)
            self._last_good.move_to_end(key)
            while len(self._last_good) > _KEPT_FEEDS:
                self._last_good.popitem(last=False)

    def _whole_one(self, live: LiveConnection, key: tuple[str, str]) -> bool:
        """Whether a complete feed is kept that may still be served: a partial one must not take its place."""
        at, last = self._last_good.get(key, (0.0, None))
        return last is not None and not last.partial and time.monotonic() - at <= live.settings.feed.stale_seconds

    def _stale(self, live: LiveConnection, record_id: str, failed: FeedFailed) -> Gathered | None:
        at, last = self._last_good.get((live.name, record_id), (0.0, None))
        age = time.monotonic() - at
        if last is None or age > live.settings.feed.stale_seconds:
            return None
        partial = partial_of(failed.failures)
        return Gathered(last.events, last.rejected, partial, stale_seconds=int(age))


def _known(
    connection: Connection, name: str, unique_id: str
) -> tuple[companies.CompanyRow | None, deliveries.Delivery | None]:
    """Whose feed it is, and its export which was accepted and then failed for good, if there is one."""
    company, has_dead = companies.by_unique_id_and_dead(connection, name, unique_id, EXPORT)
    if company is None or not has_dead:
        return company, None
    dead = deliveries.dead_since_done(connection, company.id, EXPORT)
    return company, next((each for each in dead if exports.was_accepted(connection, each.id)), None)


def _failure_note(live: LiveConnection, dead: deliveries.Delivery) -> ActivityEvent:
    """The event that tells of an export which failed for good."""
    reason = live.redact(dead.detail or dead.reason or "")
    return ActivityEvent(
        id=f"gateway-export-{dead.id}",
        timestamp=render(moment(dead.finished_at or dead.created_at)),
        type="note",
        header="Export failed",
        text=plain_text(f"The export of this company to the CRM failed: {reason}"),
        icon="note",
    )


def select(events: Sequence[ActivityEvent], asked: Asked) -> Sequence[ActivityEvent]:
    """The events of one request: by type, not before `since`, the newest `limit`."""
    if asked.types:
        events = [event for event in events if event.type in asked.types]
    if asked.since:
        events = [event for event in events if event.timestamp >= asked.since]
    return events[: asked.limit]

"""The activity feed as a use case: all of a CRM's sources at once, inside the budget (CONTRACT section 6)."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import structlog
from sqlalchemy import Connection

from adapters.contract import (
    ActivityEvent,
    NotFound,
    RejectedEvent,
    RemoteError,
    SourceReply,
    TimedOut,
    UnexpectedReply,
)
from adapters.deadline import Deadline
from adapters.plain_text import plain_text
from adapters.timestamps import render
from gateway.clock import moment
from gateway.export_work import EXPORT
from gateway.metrics import Metrics
from gateway.runtime import LiveConnection
from gateway.store import DeliveryState, Store, companies, deliveries, exports

log = structlog.get_logger()

_KEPT_FEEDS = 2_000
_RESERVE_SECONDS = 0.05
"""What is kept of the budget for sorting, writing and sending."""


class FeedFailed(Exception):
    """No source answered, and there is no last good feed to serve."""

    def __init__(self, failures: dict[str, RemoteError]) -> None:
        super().__init__("; ".join(f"{source}: {error.detail}" for source, error in failures.items()))
        self.failures = failures

    @property
    def timed_out(self) -> bool:
        """Whether the CRM said nothing at all, rather than something wrong."""
        return all(isinstance(error, TimedOut) for error in self.failures.values())


class NoSuchRecord(Exception):
    """Neither the gateway nor the CRM knows this unique_id."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request wants of the feed."""

    limit: int
    since: str = ""
    """As rendered timestamps compare; "" for all."""
    types: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Gathered:
    """What the CRM answered for one record: everything, before a request's own filters."""

    events: Sequence[ActivityEvent]
    rejected: Sequence[RejectedEvent] = ()
    partial: Sequence[tuple[str, str]] = ()
    """(source, "timeout" or "error") of each source that is missing."""
    timings: Sequence[tuple[str, float]] = ()
    """(source, milliseconds)."""
    stale_seconds: int | None = None
    """The age of a feed that is served because no source answered."""


@dataclass(slots=True)
class Feeds:
    """Serves feeds of all connections; keeps the last good ones in memory."""

    store: Store
    metrics: Metrics
    _flights: dict[tuple[str, str], "asyncio.Task[Gathered]"] = field(default_factory=dict)
    _last_good: OrderedDict[tuple[str, str], tuple[float, Gathered]] = field(default_factory=OrderedDict)

    async def get(self, live: LiveConnection, unique_id: str, deadline: Deadline) -> Gathered:
        """The feed of one unique_id; raises `NoSuchRecord` or `FeedFailed`."""
        company = await self.store.read(lambda c: companies.by_unique_id(c, live.name, unique_id))
        if company is None and unique_id.startswith("gw_"):
            raise NoSuchRecord
        record_id = company.record_id if company else unique_id
        note = await self._failure_note(live, company.id) if company else None
        if record_id is None:
            return Gathered([note] if note else [])
        gathered = await self._once(live, record_id, company is not None, deadline)
        if note is None:
            return gathered
        events = _newest_first([note, *gathered.events])
        return Gathered(events, gathered.rejected, gathered.partial, gathered.timings, gathered.stale_seconds)

    async def _failure_note(self, live: LiveConnection, company_id: str) -> ActivityEvent | None:
        """The event that tells of an export which was accepted and then failed for good."""

        def look(connection: Connection) -> deliveries.Delivery | None:
            newest = deliveries.newest_of(connection, company_id, EXPORT)
            if newest is None or newest.state != DeliveryState.DEAD:
                return None
            return newest if exports.was_accepted(connection, newest.id) else None

        dead = await self.store.read(look)
        if dead is None:
            return None
        reason = live.redact(dead.detail or dead.reason or "")
        return ActivityEvent(
            id=f"gateway-export-{dead.id}",
            timestamp=render(moment(dead.finished_at or dead.created_at)),
            type="note",
            header="Export failed",
            text=plain_text(f"The export of this company to the CRM failed: {reason}"),
            icon="note",
        )

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
                return self._stale(live, record_id, failed)
        for refused in gathered.rejected:
            self.metrics.event_rejected(live.name, refused.reason)
        self._remember(live, record_id, gathered)
        return gathered

    def _remember(self, live: LiveConnection, record_id: str, gathered: Gathered) -> None:
        if live.settings.feed.stale_seconds > 0:
            self._last_good[live.name, record_id] = (time.monotonic(), gathered)
            self._last_good.move_to_end((live.name, record_id))
            while len(self._last_good) > _KEPT_FEEDS:
                self._last_good.popitem(last=False)

    def _stale(self, live: LiveConnection, record_id: str, failed: FeedFailed) -> Gathered:
        at, last = self._last_good.get((live.name, record_id), (0.0, None))
        age = time.monotonic() - at
        if last is None or age > live.settings.feed.stale_seconds:
            raise failed
        partial = _partial(failed.failures)
        return Gathered(last.events, last.rejected, partial, (), int(age))


_Replies = list[tuple[str, float, SourceReply | RemoteError]]


async def gather(live: LiveConnection, record_id: str, linked: bool, deadline: Deadline) -> Gathered:
    """Ask every source at once; `FeedFailed` if none answered, `NoSuchRecord` if the CRM has no such record.

    A record that was never linked here is looked up beside the sources; one that is linked only when no source
    has an event, since it may have been deleted in the CRM.
    """
    inner = Deadline(deadline.at - _RESERVE_SECONDS, deadline.clock)
    if linked:
        replies = await _ask_all(live, record_id, inner)
        has_events = any(isinstance(reply, SourceReply) and reply.events for _s, _ms, reply in replies)
        exists = True if has_events else await _exists(live, record_id, inner)
    else:
        replies, exists = await asyncio.gather(_ask_all(live, record_id, inner), _exists(live, record_id, inner))
    if exists is False:
        raise NoSuchRecord
    return _gathered(live, replies)


async def _ask_all(live: LiveConnection, record_id: str, deadline: Deadline) -> _Replies:
    limit = live.settings.feed.limit
    return await asyncio.gather(*(_ask(live, source, record_id, limit, deadline) for source in live.adapter.sources))


async def _ask(
    live: LiveConnection, source: str, record_id: str, limit: int, deadline: Deadline
) -> tuple[str, float, SourceReply | RemoteError]:
    started = time.perf_counter()
    reply: SourceReply | RemoteError
    try:
        async with asyncio.timeout(deadline.remaining()):
            reply = await live.adapter.activities(source, record_id, limit, deadline)
    except TimeoutError:
        reply = TimedOut(f"{source} did not answer within the budget")
    except RemoteError as error:
        reply = error
    except Exception:
        # a defect in an adapter costs its source, not the feed
        log.exception("feed.source_failed", connection=live.name, source=source)
        reply = UnexpectedReply("an internal error; see the log")
    if isinstance(reply, RemoteError):
        log.warning(
            "feed.source_missing",
            connection=live.name,
            source=source,
            reason=reply.reason,
            detail=live.redact(reply.detail),
        )
    return source, (time.perf_counter() - started) * 1000, reply


async def _exists(live: LiveConnection, record_id: str, deadline: Deadline) -> bool | None:
    """Whether the CRM has the record; None where it does not say."""
    try:
        async with asyncio.timeout(deadline.remaining()):
            return await live.adapter.exists(record_id, deadline)
    except NotFound:
        return False
    except (RemoteError, TimeoutError):
        return None


def _gathered(live: LiveConnection, replies: _Replies) -> Gathered:
    failures = {source: reply for source, _ms, reply in replies if isinstance(reply, RemoteError)}
    answers = [reply for _source, _ms, reply in replies if isinstance(reply, SourceReply)]
    if not answers:
        raise FeedFailed(failures)
    rejected = [refused for answer in answers for refused in answer.rejected]
    for refused in rejected:
        log.info("feed.event_rejected", connection=live.name, event_id=refused.id, reason=refused.reason)
    return Gathered(
        events=_newest_first(event for answer in answers for event in answer.events),
        rejected=rejected,
        partial=_partial(failures),
        timings=[(source, milliseconds) for source, milliseconds, _reply in replies],
    )


def _newest_first(events: Iterable[ActivityEvent]) -> list[ActivityEvent]:
    """Newest first, ties by id, ascending; of two with one id, the first."""
    unique: dict[str, ActivityEvent] = {}
    for event in events:
        unique.setdefault(event.id, event)
    by_id = sorted(unique.values(), key=lambda event: event.id)
    return sorted(by_id, key=lambda event: event.timestamp, reverse=True)


def _partial(failures: Mapping[str, RemoteError]) -> list[tuple[str, str]]:
    return [(source, "timeout" if isinstance(error, TimedOut) else "error") for source, error in failures.items()]


def select(events: Sequence[ActivityEvent], asked: Asked) -> list[ActivityEvent]:
    """The events of one request: by type, not before `since`, the newest `limit`."""
    chosen = (event for event in events if not asked.types or event.type in asked.types)
    return [event for event in chosen if event.timestamp >= asked.since][: asked.limit]

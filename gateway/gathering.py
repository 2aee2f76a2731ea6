"""Asks all of a CRM's sources for one record at once, and puts together what they answer (CONTRACT section 6)."""

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter

import structlog

from adapters.contract import (
    ActivityEvent,
    BadCredentials,
    NotFound,
    Refused,
    RejectedEvent,
    RemoteError,
    SourceReply,
    TimedOut,
    UnexpectedReply,
)
from adapters.deadline import Deadline
from gateway.runtime import LiveConnection

log = structlog.get_logger()

_Replies = list[tuple[str, float, SourceReply | RemoteError]]
_RESERVE_SECONDS = 0.05
"""What is kept of the budget for sorting, writing and sending; a tenth of the budget at most."""


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
class Gathered:
    """What the CRM answered for one record: everything, before a request's own filters."""

    events: Sequence[ActivityEvent]
    rejected: Sequence[RejectedEvent] = ()
    partial: Sequence[tuple[str, str]] = ()
    """(source, "timeout" or "error") of each source that is missing."""
    failures: Mapping[str, str] = field(default_factory=dict)
    """Source → what is known of why it is missing, redacted, in one line."""
    timings: Sequence[tuple[str, float]] = ()
    """(source, milliseconds)."""
    stale_seconds: int | None = None
    """The age of a feed that is served because no source answered."""


async def gather(live: LiveConnection, record_id: str, linked: bool, deadline: Deadline) -> Gathered:
    """Ask every source at once; `FeedFailed` if none answered, `NoSuchRecord` if the CRM has no such record.

    A record that was never linked here is looked up beside the sources; one that is linked only when no source
    has an event, since it may have been deleted in the CRM.
    """
    inner = Deadline(deadline.at - min(_RESERVE_SECONDS, deadline.remaining() / 10), deadline.clock)
    if linked:
        replies = await _ask_all(live, record_id, inner)
        exists = True if _has_events(replies) else await _exists(live, record_id, inner)
    else:
        replies, exists = await asyncio.gather(_ask_all(live, record_id, inner), _exists(live, record_id, inner))
    if _says_none(exists, is_known=linked or _has_events(replies)):
        raise NoSuchRecord
    gathered = _gathered(live, replies)
    if isinstance(exists, RemoteError) and not linked and not _has_events(replies):
        # nothing shows that the record exists: an empty feed would say that it does
        raise FeedFailed({"record": exists})
    return gathered


def _says_none(exists: bool | RemoteError, *, is_known: bool) -> bool:
    """Whether the CRM has no such record. Of an id that nothing else speaks for, any refusal says so."""
    if isinstance(exists, RemoteError):
        refused = isinstance(exists, Refused) and not isinstance(exists, BadCredentials)
        return isinstance(exists, NotFound) or (refused and not is_known)
    return not exists


def _has_events(replies: _Replies) -> bool:
    return any(isinstance(reply, SourceReply) and reply.events for _source, _ms, reply in replies)


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
            # `gateway feed` has it whole, for those who may see what it quotes
            detail=reply.for_log,
        )
    return source, (time.perf_counter() - started) * 1000, reply


async def _exists(live: LiveConnection, record_id: str, deadline: Deadline) -> bool | RemoteError:
    """Whether the CRM has the record; the error where it does not say."""
    try:
        async with asyncio.timeout(deadline.remaining()):
            return await live.adapter.exists(record_id, deadline)
    except TimeoutError:
        return TimedOut("the record did not come within the budget")
    except RemoteError as error:
        return error
    except Exception:
        log.exception("feed.look_up_failed", connection=live.name)
        return UnexpectedReply("an internal error; see the log")


def _gathered(live: LiveConnection, replies: _Replies) -> Gathered:
    failures = {source: reply for source, _ms, reply in replies if isinstance(reply, RemoteError)}
    answers = [reply for _source, _ms, reply in replies if isinstance(reply, SourceReply)]
    if not answers:
        raise FeedFailed(failures)
    rejected = [refused for answer in answers for refused in answer.rejected]
    for refused in rejected:
        log.info("feed.event_rejected", connection=live.name, event_id=refused.id, reason=refused.reason)
    return Gathered(
        events=newest_first(event for answer in answers for event in answer.events),
        rejected=rejected,
        partial=partial_of(failures),
        failures={source: live.redact(error.detail) for source, error in failures.items()},
        timings=[(source, milliseconds) for source, milliseconds, _reply in replies],
    )


def newest_first(events: Iterable[ActivityEvent]) -> list[ActivityEvent]:
    """Newest first, ties by id, ascending; of two with one id, the first."""
    unique: dict[str, ActivityEvent] = {}
    for event in events:
        unique.setdefault(event.id, event)
    by_id = sorted(unique.values(), key=attrgetter("id"))
    return sorted(by_id, key=attrgetter("timestamp"), reverse=True)


def partial_of(failures: Mapping[str, RemoteError]) -> list[tuple[str, str]]:
    """The sources that are missing, each with the word that `Gateway-Partial` has for it."""
    return [(source, "timeout" if isinstance(error, TimedOut) else "error") for source, error in failures.items()]

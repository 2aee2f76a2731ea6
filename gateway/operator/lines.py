"""Rows of the store as operators see them."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from gateway.clock import moment
from gateway.company_names import company_name, company_names
from gateway.exports import standing_of
from gateway.operator.models import CompanyLinks, DeliveryLine, ExportLine, Moment
from gateway.operator.redacted import Redaction
from gateway.operator.status import AuditLine
from gateway.runtime import Runtime
from gateway.store import WAITS_ITS_TURN, DeliveryState
from gateway.store.audit import Entry as AuditEntry
from gateway.store.export_lists import ExportEntry
from gateway.store.exports import ExportRow
from gateway.store.ledger import REPLAYABLE, Detail, Entry
from gateway.store.searches import Links


def at(milliseconds: int | None) -> datetime | None:
    """A stored time, or None."""
    return None if milliseconds is None else moment(milliseconds)


def delivery_lines(connection: Connection, entries: Sequence[Entry], redaction: Redaction) -> tuple[DeliveryLine, ...]:
    """Deliveries of a list, each with the company that it is about."""
    names = company_names(connection, entries)
    return tuple(_delivery_line(entry, redaction, names.get((entry.connection, entry.subject))) for entry in entries)


def _delivery_line(entry: Entry, redaction: Redaction, company_name: str | None) -> DeliveryLine:
    is_due = entry.state == DeliveryState.PENDING and entry.due_at != WAITS_ITS_TURN
    return DeliveryLine(
        id=entry.id,
        connection=entry.connection,
        kind=entry.kind,
        state=entry.state,
        subject=redaction.text(entry.subject),
        company_name=redaction.optional(company_name),
        event_id=entry.event_id,
        attempts=entry.attempts,
        reason=entry.reason,
        detail=redaction.optional(entry.detail),
        created_at=moment(entry.created_at),
        due_at=moment(entry.due_at) if is_due else None,
        finished_at=at(entry.finished_at),
        replayed_at=at(entry.replayed_at),
        replayable=entry.state in REPLAYABLE,
    )


def export_line(entry: ExportEntry, redaction: Redaction) -> ExportLine:
    """An export of a list."""
    values = {name: getattr(entry, name) for name in ExportRow.__dataclass_fields__}
    standing = standing_of(ExportRow(**values))
    took = None if entry.finished_at is None or entry.replayed_at else entry.finished_at - entry.received_at
    return ExportLine(
        id=entry.id,
        connection=entry.connection,
        company_name=redaction.text(company_name(entry.body)),
        unique_id=standing.unique_id,
        record_id=entry.record_id,
        status=standing.status,
        state=entry.state,
        attempts=entry.attempts,
        reason=entry.reason,
        detail=redaction.optional(entry.detail),
        received_at=moment(entry.received_at),
        accepted_at=at(entry.accepted_at),
        finished_at=at(entry.finished_at),
        milliseconds=None if took is None else max(0, took),
        joined=entry.joined,
        delivery_id=entry.delivery_id,
        company_id=entry.company_id,
    )


def timeline(detail: Detail, redaction: Redaction) -> tuple[Moment, ...]:
    """What happened to a delivery, in order."""
    delivery = detail.delivery
    found = [(delivery.created_at, 0, _moment(delivery.created_at, "received"))]
    for export in detail.exports:
        if export.received_at > delivery.created_at:
            # an equal push that joined
            found.append((export.received_at, 0, _moment(export.received_at, "received", detail=export.id)))
        if export.accepted_at is not None:
            found.append((export.accepted_at, 1, _moment(export.accepted_at, "accepted", detail=export.id)))
    for each in detail.attempts:
        line = Moment(
            moment(each.started_at),
            "attempt",
            each.number,
            each.ended_at - each.started_at,
            each.outcome,
            redaction.optional(each.detail),
        )
        found.append((each.started_at, 1, line))
    if delivery.replayed_at is not None:
        found.append((delivery.replayed_at, 0, _moment(delivery.replayed_at, "replayed")))
    if delivery.finished_at is not None:
        line = Moment(moment(delivery.finished_at), "finished", None, None, str(delivery.state), None)
        found.append((delivery.finished_at, 2, line))
    return tuple(line for _at, _order, line in sorted(found, key=lambda each: each[:2]))


def _moment(milliseconds: int, what: str, detail: str | None = None) -> Moment:
    return Moment(moment(milliseconds), what, None, None, None, detail)  # type: ignore[arg-type]  # the words of Moment


def company_links(links: Links | None, runtime: Runtime) -> CompanyLinks | None:
    """How a company is known."""
    if links is None:
        return None
    live = runtime.connections.get(links.connection)
    url = live.adapter.record_url(links.record_id) if live is not None and links.record_id is not None else None
    return CompanyLinks(
        company_id=links.company_id,
        unique_ids=tuple(links.unique_ids),
        record_id=links.record_id,
        record_url=url,
        customer_data_id=links.customer_data_id,
        aliases=tuple(" ".join(filter(None, alias)) for alias in links.aliases),
        export_ids=tuple(links.export_ids),
        delivery_ids=tuple(links.delivery_ids),
    )


def audit_line(entry: AuditEntry) -> AuditLine:
    """An entry of the audit log."""
    return AuditLine(
        entry.id, moment(entry.at), entry.who, entry.action, entry.target, entry.address, entry.outcome, entry.detail
    )

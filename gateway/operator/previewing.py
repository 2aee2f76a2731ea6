"""Previews: a feed before Vainu gets it, an export before the CRM does."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from adapters.contract import Company
from adapters.deadline import Deadline
from adapters.mapping_preview import MappedRequest, MappingPreview
from gateway.feed import Asked, Feeds, select
from gateway.gathering import FeedFailed, NoSuchRecord
from gateway.identity import identifiers
from gateway.operator import previews
from gateway.operator.connections import Connections
from gateway.operator.errors import BadQuery, Conflict, CrmFailed, NoSuch
from gateway.operator.previews import FeedPreview, LeftOut, MissingSource, SourceTime, UnusedField
from gateway.pushed import WRAPPERS, NotACompany, read_push
from gateway.runtime import LiveConnection
from gateway.store import Store, companies

_UNIQUE_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
_SECONDS = 5.0
_OUR_OWN = frozenset({"id", "contacts", "leads", *WRAPPERS})
"""Keys of a push that are read otherwise than by the mapping table."""


@dataclass(frozen=True, slots=True)
class Previewing:
    """Makes previews."""

    store: Store
    connections: Connections
    feeds: Feeds

    async def feed(self, name: str, unique_id: str) -> FeedPreview:
        """The feed as Vainu would get it now; `NoSuch`, `CrmFailed`."""
        live = self.connections.live(name)
        if not _UNIQUE_ID.fullmatch(unique_id):
            raise _no_such_record()
        try:
            gathered = await self.feeds.get(live, unique_id, Deadline.after(live.settings.feed.budget_ms / 1000))
        except NoSuchRecord:
            raise _no_such_record() from None
        except FeedFailed as failed:
            detail = live.redact(f"no source of the CRM answered: {failed}")[:2_000]
            raise CrmFailed(detail, timed_out=failed.timed_out) from None
        events = select(gathered.events, Asked(live.settings.feed.limit))
        return FeedPreview(
            connection=name,
            unique_id=unique_id,
            events=tuple(events),
            left_out=tuple(LeftOut(each.id, each.reason, live.redact(each.detail)) for each in gathered.rejected),
            missing=tuple(
                MissingSource(source, word, gathered.failures.get(source, "")) for source, word in gathered.partial
            ),
            timings=tuple(SourceTime(source, round(took, 1)) for source, took in gathered.timings),
            stale_seconds=gathered.stale_seconds,
            more=max(0, len(gathered.events) - len(events)),
        )

    async def mapping(self, name: str, body: Any) -> previews.MappingPreview:
        """What the CRM would get of an export's parsed body; nothing is sent. `NoSuch`, `BadQuery`, `Conflict`."""
        live = self.connections.live(name)
        try:
            company = read_push(body).company
        except NotACompany as error:
            raise BadQuery(error.faults) from None
        adapter = live.adapter
        if not isinstance(adapter, MappingPreview):
            raise Conflict("no_preview", f"the adapter {live.settings.crm} cannot tell beforehand what it would send")
        # building the body once for each field takes its time
        requests = await asyncio.to_thread(adapter.preview, company)
        return previews.MappingPreview(
            connection=name,
            crm=live.settings.crm,
            company_name=company.name,
            recognised_by=tuple(
                " ".join(filter(None, (each.kind, each.value, each.country))) for each in identifiers(company)
            ),
            known_as=await self._known_as(live, company),
            requests=tuple(requests),
            unused=tuple(_unused(company.document, requests)),
        )

    async def _known_as(self, live: LiveConnection, company: Company) -> str | None:
        def look(connection: Connection) -> str | None:
            found = companies.recognised(connection, live.name, identifiers(company))
            return None if found is None else found.unique_id

        return await self.store.read(look, Deadline.after(_SECONDS))


def _no_such_record() -> NoSuch:
    return NoSuch("no_such_record", "neither the gateway nor the CRM has a customer with this unique_id")


def _unused(document: Mapping[str, Any], requests: Sequence[MappedRequest]) -> list[UnusedField]:
    used = {source for request in requests for value in request.values for source in value.sources}
    expressions = " ".join(value.expression or "" for request in requests for value in request.values)
    read = set(re.findall(r"[A-Za-z_][A-Za-z0-9_]*", expressions))
    found = []
    for key, value in document.items():
        if key in used or key in _OUR_OWN:
            continue
        if value is None or value in ("", [], {}):
            why = "it is empty"
        elif key in read:
            why = "another field goes before it, or the CRM's request has no place for its value"
        else:
            why = "no field of the mapping table reads it"
        found.append(UnusedField(key, why))
    return found

"""TinyCRM as the gateway sees it; each method is a call or two."""

from collections.abc import Sequence
from typing import Any, cast

from adapters.contract import Account, Company, Match, NotFound, Opening, SourceReply
from adapters.deadline import Deadline
from adapters.events import EventBuilder
from adapters.http import Method, RemoteClient
from adapters.timestamps import read
from tinycrm import mapping
from tinycrm.models import TinyCrmSettings


class TinyCrm:
    """One account; see `adapters.contract.Adapter` for what each method owes."""

    sources = tuple(mapping.SOURCES)

    def __init__(self, opening: Opening) -> None:
        settings = cast(TinyCrmSettings, opening.settings)
        key = settings.api_key.get_secret_value()
        self._table = {**mapping.FIELDS, **opening.fields}
        self._events = EventBuilder("tinycrm", lambda value: read(value, opening.zone))
        self._remote = RemoteClient(
            "tinycrm",
            settings.base_url,
            secrets=[key],
            observe=opening.observe,
            headers={"X-Api-Key": key},
            upstream=settings,
        )

    async def check(self, deadline: Deadline) -> Account:
        """Ask who we are."""
        reply = await self._ask("GET", "me", deadline)
        return Account(f"TinyCRM: {mapping.part_of(reply, 'user', str)}")

    async def exists(self, record_id: str, deadline: Deadline) -> bool:
        """Whether there is such a customer."""
        try:
            mapping.part_of(await self._ask("GET", f"customers/{record_id}", deadline), "customer", dict)
        except NotFound:
            return False
        return True

    async def find(self, company: Company, deadline: Deadline) -> Sequence[Match]:
        """Search by business id and by name, and compare what comes."""
        rows: dict[str, Any] = {}
        for text in filter(None, (company.business_id, company.name)):
            reply = await self._ask("GET", "customers", deadline, search=text)
            rows |= {row["id"]: row for row in mapping.part_of(reply, "customers", list)}
        return mapping.matches(list(rows.values()), company)

    async def create(self, company: Company, deadline: Deadline) -> str:
        """One POST, never repeated here."""
        reply = await self._ask("POST", "customers", deadline, mapping.customer(self._table, company))
        return str(mapping.part_of(reply, "customer", dict)["id"])

    async def update(self, record_id: str, company: Company, deadline: Deadline) -> None:
        """PUT is safe to repeat."""
        reply = await self._ask("PUT", f"customers/{record_id}", deadline, mapping.customer(self._table, company))
        mapping.part_of(reply, "customer", dict)

    async def add_details(self, record_id: str, company: Company, deadline: Deadline) -> None:
        """People and notes that are not there yet."""
        wanted = {"people": map(mapping.person, company.contacts), "timeline": map(mapping.news, company.leads)}
        for part, bodies in wanted.items():
            path = f"customers/{record_id}/{part}"
            known = {row.get("key") for row in mapping.part_of(await self._ask("GET", path, deadline), part, list)}
            for body in bodies:
                if body["key"] not in known:
                    await self._ask("POST", path, deadline, body)
                    known.add(body["key"])

    async def activities(self, source: str, record_id: str, limit: int, deadline: Deadline) -> SourceReply:
        """One kind of entries of the customer's timeline, all of them."""
        del limit
        kind = mapping.SOURCES[source]
        reply = await self._ask("GET", f"customers/{record_id}/timeline", deadline, kind=kind)
        return self._events.collect(kind, mapping.part_of(reply, "timeline", list), mapping.draft)

    def record_url(self, record_id: str) -> None:
        """TinyCRM has no pages."""
        del record_id

    async def aclose(self) -> None:
        """Close connections."""
        await self._remote.aclose()

    async def _ask(self, method: Method, path: str, deadline: Deadline, body: Any = None, **params: str) -> Any:
        action = f"{method} {path.partition('/')[0]}"
        reply = await self._remote.call(
            method, f"v1/{path}", action=action, deadline=deadline, safe=method != "POST", params=params, json_body=body
        )
        return reply.json()

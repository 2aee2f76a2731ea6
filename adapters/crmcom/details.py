"""What follows a customer's record: its account receivable, its contacts as persons, its leads as web customer events.

Each is looked for before it is made, by something CRM.COM stores, so that a repeat doubles nothing:
the account by its owner, a person by `id_number`, a lead by `external_system_reference_number`.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from typing import Any

from adapters.contract import Company, Contact, Lead, NotFound, Refused
from adapters.crmcom.envelope import NOTHING_TO_AMEND, identity
from adapters.crmcom.feed import list_names
from adapters.crmcom.local_time import local, written
from adapters.crmcom.mapping import amendment, person_body, stand_in
from adapters.crmcom.models import EXTERNAL_SYSTEM, REFERENCE_NAMES, CrmcomSettings
from adapters.crmcom.records import Records, Row
from adapters.deadline import Deadline

_MOST_NAMED = 5
_PERSONS_REMEMBERED = 10_000


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Details:
    """Brings accounts, contacts and leads to customers that exist."""

    def __init__(
        self, records: Records, settings: CrmcomSettings, zone: tzinfo, clock: Callable[[], datetime] = _utc_now
    ) -> None:
        self._records = records
        self._settings = settings
        self._zone = zone
        self._clock = clock
        self._persons: OrderedDict[str, str] = OrderedDict()

    async def add(self, record_id: str, company: Company, deadline: Deadline) -> None:
        """Do all that can be done; then `Refused` with everything that CRM.COM refused, if it did."""
        refusals: list[str] = []
        for contact in company.contacts:
            try:
                await self._add_contact(record_id, contact, company, deadline)
            except Refused as refusal:
                refusals.append(refusal.detail)
        try:
            accounts = await self.account_of(record_id, company.name, deadline)
            refusals += await self._add_leads(record_id, accounts[0], company.leads, deadline)
        except Refused as refusal:
            refusals.append(refusal.detail)
        if refusals:
            more = f" (and {len(refusals) - _MOST_NAMED} more)" if len(refusals) > _MOST_NAMED else ""
            raise Refused("; ".join(dict.fromkeys(refusals[:_MOST_NAMED])) + more)

    async def account_of(self, record_id: str, name: str, deadline: Deadline) -> list[Row]:
        """The customer's accounts receivable; the first is made, named after the company, if there is none."""
        accounts = await self._records.accounts(record_id, deadline)
        if accounts:
            return accounts
        account_id = await self._records.create(
            "accounts_receivable/create", self.account_body(record_id, name), deadline
        )
        self._records.forget_accounts(record_id)
        return [{"id": account_id}]

    def account_body(self, record_id: str, name: str) -> dict[str, Any]:
        """The body of accounts_receivable/create for a customer, without the token."""
        settings = self._settings
        body: dict[str, Any] = {"name": name}
        body |= {key: {"id": record_id} for key in settings.account_owner_keys}
        named = {
            "classification_identifier": settings.classification,
            "owned_by_group_identifier": settings.owned_by_group,
            "credit_rating_identifier": settings.credit_rating,
        }
        body |= {key: {"name": value} for key, value in named.items() if value}
        if settings.currency:
            body["currency_identifier"] = {"code": settings.currency}
        return body

    async def _add_contact(self, record_id: str, contact: Contact, company: Company, deadline: Deadline) -> None:
        who = contact.email.casefold() or contact.full_name.casefold()
        if not who:
            return
        id_number = stand_in("contact", record_id, who)
        wanted = person_body(contact, id_number, company.name, self._settings)
        person = await self._person(id_number, deadline)
        if person is None:
            self._remember(id_number, await self._records.create("contact_information/create", wanted, deadline))
        elif changed := amendment(person, {**wanted, "notes": ""}):
            await self._records.amend(identity(person), changed, NOTHING_TO_AMEND, deadline)

    async def _person(self, id_number: str, deadline: Deadline) -> Row | None:
        ways = [("id_number", id_number)]
        if id_number in self._persons:
            # a server that does not find persons so still finds the one we made a moment ago
            ways.append(("id", self._persons[id_number]))
        for field, value in ways:
            try:
                return await self._records.contact(field, value, deadline)
            except NotFound:
                continue
        return None

    def _remember(self, id_number: str, person_id: str) -> None:
        self._persons[id_number] = person_id
        if len(self._persons) > _PERSONS_REMEMBERED:
            self._persons.popitem(last=False)

    async def _add_leads(self, record_id: str, account: Row, leads: Sequence[Lead], deadline: Deadline) -> list[str]:
        rows = {reference: row for lead in leads for reference, row in self.lead_rows(record_id, account, lead)}
        if not rows:
            return []
        known = await self._references(account, deadline)
        missing = [row for reference, row in rows.items() if reference not in known]
        report = await self._records.create_events("web", missing, deadline)
        return [f"lead {row.get('request_unique_identifier', '')} was refused: {_reason(row)}" for row in report.failed]

    def lead_rows(self, record_id: str, account: Row, lead: Lead) -> list[tuple[str, dict[str, Any]]]:
        """A lead as a web customer event, with its reference number; none of one that is empty."""
        website = lead.link or lead.vainu_link
        if not website and not lead.title:
            return []
        reference = stand_in("lead", record_id, website or lead.title)
        row: dict[str, Any] = {
            "request_unique_identifier": reference,
            "accounts_receivable_identifier": {"id": identity(account)},
            "performed_on": local(lead.added, self._zone) or written(self._clock().astimezone(self._zone)),
            "website": website or lead.title,
            "description": "\n".join(part for part in (lead.title, ", ".join(lead.tags), lead.vainu_link) if part),
            "external_system": EXTERNAL_SYSTEM,
            "external_system_reference_number": reference,
        }
        if self._settings.unit:
            row["performed_by_unit_identifier"] = {"name": self._settings.unit}
        if self._settings.event_classification:
            row["classification_identifier"] = {"name": self._settings.event_classification}
        return [(reference, row)]

    async def _references(self, account: Row, deadline: Deadline) -> set[str]:
        params = {"accounts_receivable_identifier": f"id={identity(account)}"}
        rows = await self._records.listed("customer_events/web/list", params, list_names("web"), deadline)
        return {str(row.get(name)) for row in rows if isinstance(row, Mapping) for name in REFERENCE_NAMES}


def _reason(row: Row) -> str:
    return " ".join(f"{row.get('error_code', '')}: {row.get('error_description', '')}".split())[:300]

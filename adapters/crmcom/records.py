"""Reading and writing CRM.COM's records: single ones, whole lists, and a customer's accounts receivable.

Sources: upstream-apis sections 2.4 to 2.6; S004 for the bulk method.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from adapters.contract import NotFound, Refused
from adapters.crmcom.client import CrmcomClient
from adapters.crmcom.envelope import NoSuchValue, identity, object_of, rows_of, shown, unexpected
from adapters.crmcom.models import BULK_ROWS, CrmcomSettings, set_name
from adapters.crmcom.single_flight import SingleFlight
from adapters.deadline import Deadline

Row = dict[str, Any]
ACCOUNT_SECONDS = 60.0
"""How long a customer's accounts are remembered: six sources of one feed need them at once."""
ACCOUNT_LISTS = ("accounts_receivable_set", "accounts_receivables_set", "accounts_receivable", "accounts_set")
"""Under which keys a list of accounts may stand (U)."""
_ACCOUNTS_REMEMBERED = 2_000
_LOOK_UP_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class BulkReport:
    """What one or more bulk calls did, row by row, in CRM.COM's own words (S004)."""

    processed: list[Row] = field(default_factory=list)
    """`{request_unique_identifier, id, number}` each."""
    failed: list[Row] = field(default_factory=list)
    """`{request_unique_identifier, error_code, error_description}` each."""


class Records:
    """Everything read from and written to one CRM.COM account; raises the contract's errors."""

    def __init__(
        self, client: CrmcomClient, settings: CrmcomSettings, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._client = client
        self._settings = settings
        self._now = now
        self._look_ups: SingleFlight[list[Row]] = SingleFlight("CRM.COM's accounts_receivable/list")
        self._accounts: OrderedDict[str, tuple[float, list[Row]]] = OrderedDict()

    async def contact(self, identifier: str, value: str, deadline: Deadline) -> Row:
        """A contact information by `id`, `number`, `vat_registration_number` … `NotFound` if there is none."""
        params = {"contact_information_identifier": f"{identifier}={value}"}
        return shown(await self._client.get("contact_information/show", deadline, params, expected=("id",)))

    async def account(self, identifier: str, value: str, deadline: Deadline) -> Row | None:
        """An account receivable by `id`, `number` or `name`; None if there is none."""
        params = {"accounts_receivable_identifier": f"{identifier}={value}"}
        try:
            return shown(await self._client.get("accounts_receivable/show", deadline, params, expected=("id",)))
        except NotFound:
            return None

    async def create(self, method: str, body: Mapping[str, Any], deadline: Deadline) -> str:
        """Send one create, once; the new record's id."""
        return identity(object_of(await self._client.post(method, deadline, body)))

    async def amend(self, record_id: str, changed: Mapping[str, Any], harmless: str, deadline: Deadline) -> None:
        """Send one contact_information/update of what changed."""
        body = {"contact_information_identifier": {"id": record_id}, **changed}
        await self._client.post("contact_information/update", deadline, body, harmless=(harmless,))

    async def listed(
        self,
        method: str,
        params: Mapping[str, str | int],
        names: Sequence[str],
        deadline: Deadline,
        most: int | None = None,
    ) -> list[Any]:
        """All rows of a list, page by page until a short one, at most `most` (default: the `max_rows` setting).

        There is no total and no "next" (C). A server that ignores paging, older than R13, repeats itself: that ends it.
        """
        size = self._settings.page_size
        most = self._settings.max_rows if most is None else most
        rows: list[Any] = []
        seen: set[str] = set()
        while True:
            page = await self.page(method, params, names, len(rows), deadline)
            fresh = [row for row in page if not (mark := identity(row)) or mark not in seen]
            seen.update(identity(row) for row in page)
            rows += fresh
            if len(page) != size or len(fresh) < len(page) or len(rows) >= most:
                return rows

    async def page(
        self, method: str, params: Mapping[str, str | int], names: Sequence[str], offset: int, deadline: Deadline
    ) -> list[Any]:
        """The rows of one page of a list: `page_size` of them, where the server obeys."""
        page_params = {**params, "number_of_results": self._settings.page_size, "offset": offset}
        return rows_of(await self._list_page(method, page_params, names, deadline), names)

    async def _list_page(
        self, method: str, params: Mapping[str, str | int], names: Sequence[str], deadline: Deadline
    ) -> Any:
        try:
            return await self._client.get(method, deadline, params, expected=names)
        except NoSuchValue:
            raise
        except NotFound as missing:
            raise Refused(f"{missing.detail}; the server does not know {method}") from None

    async def accounts(self, record_id: str, deadline: Deadline) -> list[Row]:
        """A customer's accounts receivable; empty if it has none. Shared by all who ask within a minute."""
        known = self._accounts.get(record_id)
        if known and self._now() - known[0] < ACCOUNT_SECONDS:
            return known[1]
        return await self._look_ups.run(record_id, lambda: self._look_up(record_id), deadline)

    def forget_accounts(self, record_id: str) -> None:
        """Read this customer's accounts anew the next time."""
        self._accounts.pop(record_id, None)

    async def create_events(self, kind: str, rows: Sequence[Mapping[str, Any]], deadline: Deadline) -> BulkReport:
        """Create customer events of one kind in bulk calls of at most 1000 rows; a report, row by row (S004)."""
        report = BulkReport()
        for start in range(0, len(rows), BULK_ROWS):
            body = {set_name(kind): list(rows[start : start + BULK_ROWS])}
            data = await self._client.post(f"customer_events/bulk/{kind}/create", deadline, body)
            processed, failed = outcome_sets(data)
            for row in failed:
                row["error_description"] = self._client.redact(str(row.get("error_description") or ""))
            report.processed.extend(processed)
            report.failed.extend(failed)
        return report

    async def aclose(self) -> None:
        """Cancel look-ups under way."""
        await self._look_ups.aclose()

    async def _look_up(self, record_id: str) -> list[Row]:
        deadline = Deadline.after(_LOOK_UP_SECONDS)
        params = {"contact_information_identifier": f"id={record_id}"}
        try:
            rows = await self.listed("accounts_receivable/list", params, ACCOUNT_LISTS, deadline)
        except NoSuchValue:
            rows = []
        owned = [dict(row) for row in rows if identity(row) and _owner_id(row) in ("", record_id)]
        if owned:
            # "none" is not remembered: an export may make the first account at any moment
            self._accounts[record_id] = (self._now(), owned)
            if len(self._accounts) > _ACCOUNTS_REMEMBERED:
                self._accounts.popitem(last=False)
        return owned


def owner_of(account: Mapping[str, Any]) -> Row:
    """The contact information that owns an account, as far as the account tells it."""
    for name in ("account_owner", "contact_information", "owner"):
        owner = account.get(name)
        if isinstance(owner, Mapping):
            inner = owner.get("contact_information")
            return dict(inner if isinstance(inner, Mapping) else owner)
    return {}


def _owner_id(account: Mapping[str, Any]) -> str:
    return identity(owner_of(account))


def outcome_sets(data: Any) -> tuple[list[Row], list[Row]]:
    """The processed and the unprocessed rows of a bulk reply; `UnexpectedReply` where it has neither set."""
    if not isinstance(data, Mapping):
        raise unexpected("processed_customer_events_set", data)
    processed = _set_of(data, "processed_customer_events_set")
    failed = _set_of(data, "unprocessed_customer_events_set")
    if processed is None and failed is None:
        raise unexpected("processed_customer_events_set", data)
    return processed or [], failed or []


def _set_of(data: Mapping[str, Any], name: str) -> list[Row] | None:
    rows = data.get(name)
    return [dict(row) for row in rows if isinstance(row, Mapping)] if isinstance(rows, list) else None

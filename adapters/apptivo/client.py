"""Apptivo over HTTP: one method a call, replies unwrapped, keys in the body and never in the URL.

Request form C (upstream-apis 1.2, 1.3): POST, form-encoded; flags in the query, JSON texts and keys in the body.
"""

import asyncio
import json
import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from adapters.apptivo import replies
from adapters.apptivo.endpoints import (
    CONTACT_KEYS,
    CONTACTS,
    CUSTOMER_KEYS,
    CUSTOMER_OBJECT,
    CUSTOMERS,
    MULTI_SELECT,
    NOTES,
    SEARCH_DATA,
    Endpoint,
)
from adapters.apptivo.models import ApptivoSettings
from adapters.apptivo.pace import Pace
from adapters.apptivo.replies import Page
from adapters.contract import BadCredentials, NotFound, Observer, Refused, Throttled, UnexpectedReply
from adapters.deadline import Deadline
from adapters.http import RemoteClient
from adapters.http_replies import Reply

SYSTEM = "apptivo"
SEARCH_PAGE = 50
"""Rows a page of a customer search, as in S003's sample."""
SEARCH_ROWS = 500
LIST_PAGE = 100
"""Rows a page of a list of everything (C, airbyte)."""
FEED_PAGE = 100
FEED_ROWS = 1_000
"""Rows of one source at most, if nobody asks for more: newest first by the order asked for."""
SECOND_TRY_SECONDS = 0.2
"""With less time left a read that was not understood is not asked again."""
_CONFIG_KEYS = frozenset({"statuses", "industries", "employeeRanges", "phoneTypes", "addressTypes", "webLayout"})
_FORM = {"Content-Type": "application/x-www-form-urlencoded;charset=utf-8"}

T = TypeVar("T")


class ApptivoClient:
    """One firm's Apptivo. Every method raises only `RemoteError`s, and ends by its deadline (`TimedOut`)."""

    def __init__(self, settings: ApptivoSettings, observe: Observer = lambda _record: None) -> None:
        keys = {"apiKey": settings.api_key.get_secret_value(), "accessKey": settings.access_key.get_secret_value()}
        self._keys = keys
        self._user = {"userName": settings.user_name} if settings.user_name else {}
        self._pace = Pace(settings.requests_per_second)
        self._remote = RemoteClient(
            SYSTEM,
            settings.base_url,
            secrets=keys.values(),
            observe=observe,
            headers=_FORM,
            upstream=settings,
        )

    async def config_data(self, deadline: Deadline) -> Mapping[str, Any]:
        """`getConfigData`: statuses, industries, employee ranges and the like (C, apdoc)."""
        return await self._read(CUSTOMERS, ("getConfigData",), {"objectId": "3"}, {}, deadline, _config_data)

    async def customer(self, customer_id: str, deadline: Deadline) -> Mapping[str, Any] | None:
        """`getById`: the whole customer; None if Apptivo has none of this id."""
        try:
            return await self._read(
                CUSTOMERS, ("getById",), {"customerId": customer_id}, {}, deadline, replies.record_or_none
            )
        except NotFound:
            return None

    async def customers_by_name(self, name: str, deadline: Deadline) -> list[Mapping[str, Any]]:
        """`getAllByAdvancedSearch` by name: containment, so the caller compares; at most `SEARCH_ROWS` rows."""
        endpoint = Endpoint(
            "customer",
            CUSTOMERS,
            ("getAllByAdvancedSearch",),
            CUSTOMER_KEYS,
            {"objectId": str(CUSTOMER_OBJECT), "territoryType": "MULTIPLE"},
            {"searchData": _json({**SEARCH_DATA, "customerName": name}), "multiSelectData": _json(MULTI_SELECT)},
        )
        rows = await self._all_rows(endpoint, "", SEARCH_PAGE, SEARCH_ROWS, deadline)
        return replies.objects(rows, "apptivo (customers.getAllByAdvancedSearch)")

    async def customers_by_text(self, text: str, deadline: Deadline) -> list[Mapping[str, Any]]:
        """`getAllBySearchText`: customers that contain the text somewhere; at most `SEARCH_ROWS` rows."""
        endpoint = Endpoint(
            "customer", CUSTOMERS, ("getAllBySearchText",), CUSTOMER_KEYS, {"searchText": text, "objectId": "3"}
        )
        rows = await self._all_rows(endpoint, "", SEARCH_PAGE, SEARCH_ROWS, deadline)
        return replies.objects(rows, "apptivo (customers.getAllBySearchText)")

    async def save_customer(self, data: Mapping[str, Any], deadline: Deadline) -> Mapping[str, Any]:
        """`save` once, never repeated here: Apptivo would make a second customer (upstream-apis 1.6, I)."""
        query = {"isLeadConvert": "N", "isDuplicate": "false"}
        body = {"customerData": _json(data)}
        return await self._ask(CUSTOMERS, "save", query, body, deadline, replies.record, safe=False)

    async def update_customer(
        self,
        customer_id: str,
        data: Mapping[str, Any],
        names: Sequence[str],
        attribute_ids: Sequence[str],
        deadline: Deadline,
    ) -> None:
        """`update` with the whole object; `names` are the changed fields, sent as `attributeName` (C, phpmt)."""
        flags = {
            "isEmailAddressUpdate": "emailAddresses",
            "isAddressUpdate": "addresses",
            "isCustomAttributesUpdate": "customAttributes",
        }
        query = {"objectId": str(CUSTOMER_OBJECT), "customerId": customer_id}
        query |= {flag: "true" if name in names else "false" for flag, name in flags.items()}
        body = {"customerData": _json(data), "attributeName": _json(list(names))}
        if attribute_ids:
            body["attributeIds"] = _json(list(attribute_ids))
        await self._ask(CUSTOMERS, "update", query, body, deadline, replies.record, safe=True)

    async def contacts(self, customer_id: str, deadline: Deadline) -> list[Mapping[str, Any]]:
        """`getCustomerContacts`: the people at a customer (action C, list key G)."""
        endpoint = Endpoint("contact", CUSTOMERS, ("getCustomerContacts",), CONTACT_KEYS, {"customerId": "{id}"})
        rows = await self._all_rows(endpoint, customer_id, FEED_PAGE, FEED_ROWS, deadline)
        return replies.objects(rows, "apptivo (customers.getCustomerContacts)")

    async def save_contact(self, data: Mapping[str, Any], deadline: Deadline) -> str | None:
        """`save` of a contact, once; its id. Names of the app and the parameter C (phpmt, jsphp)."""
        body = {"contactData": _json(data)}
        saved = await self._ask(CONTACTS, "save", {}, body, deadline, _saved_contact, safe=False)
        return replies.record_id(saved, "contactId")

    async def add_contact(self, customer_id: str, contact_id: str, deadline: Deadline) -> None:
        """`addContact`: tie a contact to a customer (C, jsphp associateContactToCustomer)."""
        query = {"customerId": customer_id, "contactIds": contact_id}
        await self._ask(CUSTOMERS, "addContact", query, {}, deadline, _anything, safe=True)

    async def create_note(self, details: Mapping[str, Any], deadline: Deadline) -> None:
        """`createNote`, once; the form of the reply is U, so anything that is no failure counts as done."""
        await self._ask(NOTES, "createNote", {}, {"noteDetails": _json(details)}, deadline, _anything, safe=False)

    async def page(self, endpoint: Endpoint, start: int, size: int, deadline: Deadline) -> Page:
        """One page of a list that hangs on no customer: the rows from `start` on, `size` at most."""
        return await self._page(endpoint, "", start, size, deadline)

    async def rows(self, endpoint: Endpoint, customer_id: str, limit: int, deadline: Deadline) -> list[object]:
        """The rows of one source of the feed, on all pages, up to `FEED_ROWS` or `limit` if that is more."""
        return await self._all_rows(endpoint, customer_id, FEED_PAGE, max(limit, FEED_ROWS), deadline)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._remote.aclose()

    async def _all_rows(
        self, endpoint: Endpoint, customer_id: str, size: int, most: int, deadline: Deadline
    ) -> list[object]:
        async def at(start: int) -> Page:
            return await self._page(endpoint, customer_id, start, size, deadline)

        first = await at(0)
        pages = [first]
        if not endpoint.is_paged or not first.rows:
            return first.rows
        if first.count is not None:
            starts = range(len(first.rows), min(first.count, most), len(first.rows))
            pages += await _together([at(start) for start in starts])
        else:
            while len(pages[-1].rows) == size and len(pages) * size < most:
                pages.append(await at(len(pages) * size))
        return first.rows if len(pages) == 1 else _distinct([row for part in pages for row in part.rows])

    async def _page(self, endpoint: Endpoint, customer_id: str, start: int, size: int, deadline: Deadline) -> Page:
        query = {name: value.replace("{id}", customer_id) for name, value in endpoint.query.items()}
        if endpoint.is_paged:
            query |= {"startIndex": str(start), "numRecords": str(size)}
            query |= {"iDisplayStart": str(start), "iDisplayLength": str(size)}
        body = {name: text.replace("{id}", _json_id(customer_id)) for name, text in endpoint.body.items()}

        def accept(reply: object, who: str) -> Page:
            return replies.page(reply, endpoint.list_keys, who, is_first=start == 0)

        try:
            return await self._read(endpoint.path, endpoint.actions, query, body, deadline, accept)
        except replies.NoRows:
            return Page([], 0)

    async def _read(
        self,
        path: str,
        actions: tuple[str, ...],
        query: Mapping[str, str],
        body: Mapping[str, str],
        deadline: Deadline,
        accept: Callable[[object, str], T],
    ) -> T:
        """A reply that is accepted; one that is not is asked for once more, by the other action if there is one.

        Once more, because a throttled reply of Apptivo is just one without the expected key (C, phpmt).
        """
        try:
            return await self._ask(path, actions[0], query, body, deadline, accept, safe=True)
        except (BadCredentials, Throttled, replies.NoRows):
            raise
        except (UnexpectedReply, Refused) as refused:
            if isinstance(refused, Refused) and len(actions) == 1:
                raise
            first = refused
        if deadline.remaining() < SECOND_TRY_SECONDS:
            raise first
        if isinstance(first, UnexpectedReply):
            pause = min(0.5, deadline.remaining() / 5)
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - jitter, nothing secret
        try:
            return await self._ask(path, actions[-1], query, body, deadline, accept, safe=True)
        except Refused:
            # what the documented action said is the better explanation
            raise first from None

    async def _ask(
        self,
        path: str,
        action: str,
        query: Mapping[str, str],
        body: Mapping[str, str],
        deadline: Deadline,
        accept: Callable[[object, str], T],
        *,
        safe: bool,
    ) -> T:
        def parse(reply: Reply) -> T:
            content: object = reply.json()
            refusal = replies.failure(content, _who(path, action), self._remote.redact)
            if refusal is not None:
                raise refusal
            return accept(content, _who(path, action))

        await self._pace.turn(deadline)
        try:
            return await self._remote.ask(
                "POST",
                path,
                parse,
                # _read knows a better second question
                repeat_unexpected=False,
                action=f"{path.rpartition('/')[2]}.{action}",
                deadline=deadline,
                safe=safe,
                params={"a": action, **query, **self._user},
                form={**body, **self._keys},
            )
        except Throttled as throttled:
            self._pace.hold(throttled.retry_after)
            raise


async def _together(calls: Sequence[Any]) -> list[Page]:
    tasks = [asyncio.ensure_future(call) for call in calls]
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        for task in tasks:
            task.cancel()


def _distinct(rows: list[object]) -> list[object]:
    # a server that ignores startIndex would give the first page again and again
    return list({_json(row): row for row in rows}.values())


def _saved_contact(reply: object, who: str) -> Mapping[str, Any]:
    return replies.record(reply, who, "contactId")


def _anything(reply: object, _who: str) -> object:
    return reply


def _config_data(reply: object, who: str) -> Mapping[str, Any]:
    for found in (reply, *(reply.get(key) for key in ("data", "responseObject") if isinstance(reply, Mapping))):
        if isinstance(found, Mapping) and _CONFIG_KEYS & found.keys():
            return found
    raise UnexpectedReply(f"{who}: expected configuration data such as statuses and industries, got something else")


def _who(path: str, action: str) -> str:
    return f"{SYSTEM} ({path.rpartition('/')[2]}.{action})"


def _json_id(customer_id: str) -> str:
    is_number = customer_id.isascii() and customer_id.isdigit() and not customer_id.startswith("0")
    return customer_id if is_number else _json(customer_id)


def _json(value: object) -> str:
    # escaped, because Apptivo's own text may hold halves of surrogate pairs, which no form can carry
    return json.dumps(value, separators=(",", ":"))

"""Vainu's API, as far as the gateway calls it: customer data, v1 and v2 (S000, S001).

There is no call here without an id where Vainu would then touch everything: `PATCH /customer_data/` modifies
every object of the account (S001, "Warning"), so every path that writes is made by `_path_of`.
"""

import json
import re
from base64 import b64encode
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Literal, TypeVar, Unpack
from urllib.parse import quote, urlsplit

import httpx

from adapters.contract import Account, BadCredentials, Observer, Refused, UnexpectedReply
from adapters.deadline import Deadline
from adapters.http import CallOptions, RemoteClient
from adapters.http_replies import Reply
from adapters.timestamps import TimestampRefused, read
from adapters.vainu.models import (
    CustomerData,
    FieldValue,
    MatchData,
    VainuSettings,
    read_customer_data,
    render_fields,
)

T = TypeVar("T")
_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
_PAGE_SIZE = 500
"""The most that Vainu gives at once (S000, S001)."""
_MOST_PAGES = 20


class CustomerDataExists(Refused):
    """The company has customer data already: one only is allowed (S001, MATCH_ALREADY_EXISTS)."""

    reason = "already_exists"

    def __init__(self, existing_id: str, refused: Refused) -> None:
        super().__init__(refused.detail, status=refused.status, body=refused.body)
        self.existing_id = existing_id
        """The id of what is there, to be changed instead."""


class VainuClient:
    """One Vainu account. Every method raises only `RemoteError`s, and ends by its deadline (`TimedOut`)."""

    def __init__(self, settings: VainuSettings, observe: Observer = lambda _record: None) -> None:
        self._version = settings.api_version
        self._host = urlsplit(settings.base_url).netloc
        headers, auth, secrets = _credentials(settings)
        self._remote = RemoteClient(
            "vainu",
            f"{settings.base_url}/api/v{settings.api_version}",
            secrets=secrets,
            observe=observe,
            headers={"Accept": "application/json", **headers},
            auth=auth,
        )

    async def check(self, deadline: Deadline) -> Account:
        """Sign in, read-only: asks for one customer data object (`GET customer_data/?page_size=1`)."""
        page = await self._call(
            "GET", "customer_data/", _page, action="check", deadline=deadline, safe=True, params={"page_size": 1}
        )
        total = page.get("total_results")
        count = str(total) if isinstance(total, int) else "an unknown number of"
        return Account(f"Vainu API v{self._version} at {self._host}: {count} customer data objects")

    async def get_customer_data(self, customer_data_id: str, deadline: Deadline) -> CustomerData:
        """The object with this id; `NotFound` if Vainu has none, `Refused` if this can be no id."""
        path = _path_of(customer_data_id)
        found = await self._call("GET", path, _customer_data, action="get_customer_data", deadline=deadline, safe=True)
        return _same(found, customer_data_id)

    async def find_customer_data(self, unique_id: str, deadline: Deadline) -> CustomerData | None:
        """The object that carries this unique_id, the newest if several do; None if none does.

        By the documented filter `unique_id` (S000, S001); what comes is compared here. `UnexpectedReply` where the
        filter does not narrow and the object is not among the first ten thousand.
        """
        if not unique_id.strip():
            raise Refused("customer data: expected a unique_id to look for; nothing was sent")
        found: list[CustomerData] = []
        for number in range(1, _MOST_PAGES + 1):
            params: dict[str, str | int] = {"unique_id": unique_id, "page_size": _PAGE_SIZE, "page": number}
            page = await self._call(
                "GET", "customer_data/", _page, action="find_customer_data", deadline=deadline, safe=True, params=params
            )
            found += [each for each in map(read_customer_data, page["results"]) if each.unique_id == unique_id]
            if not page["results"] or page.get("next_page") is None:
                return max(found, key=_age, default=None)
        if found:
            return max(found, key=_age)
        raise UnexpectedReply("vainu's list of customer data does not heed the filter unique_id")

    async def create_customer_data(
        self, match: MatchData, fields: Mapping[str, FieldValue], deadline: Deadline
    ) -> CustomerData:
        """Create one object and return it. Not repeated by itself: a lost answer may hide a success.

        `fields` are those of S000: owner_email, unique_id, won_deals_count, open_deals_count, lost_deals_count,
        notes, last_update. `Refused` without anything to match by, and where v1 finds no company or several (400);
        v2 creates unmatched objects (`vid` is None). `CustomerDataExists` where the company already has customer data.
        """
        matched = match.body(self._version)
        if not matched:
            raise Refused("customer data: expected a business id, a company name or (v1) a vid to match; nothing sent")
        body = {**render_fields(fields, self._version), **matched}
        action, path = "create_customer_data", "customer_data/"
        try:
            return await self._call(
                "POST", path, _customer_data, action=action, deadline=deadline, safe=False, json_body=body
            )
        except Refused as refused:
            existing_id = _existing_id(refused)
            if existing_id is None:
                raise
            raise CustomerDataExists(existing_id, refused) from None

    async def patch_customer_data(
        self, customer_data_id: str, fields: Mapping[str, FieldValue], deadline: Deadline
    ) -> None:
        """Set fields of the object with this id, and of no other; safe to repeat.

        `NotFound` when the id is void (an export that Vainu took for failed, S001), `Refused` when it can be no
        id: then nothing is sent.
        """
        path = _path_of(customer_data_id)
        body = render_fields(fields, self._version)
        patched = await self._call(
            "PATCH", path, _patched, action="patch_customer_data", deadline=deadline, safe=True, json_body=body
        )
        if patched is not None:
            _same(patched, customer_data_id)

    async def _call(
        self,
        method: Literal["GET", "POST", "PATCH"],
        path: str,
        parse: Callable[[Reply], T],
        **options: Unpack[CallOptions],
    ) -> T:
        try:
            return await self._remote.ask(method, path, parse, **options)
        except BadCredentials as error:
            advice = "check the credentials, and that Vainu has enabled the API for the account"
            raise BadCredentials(f"{error.detail}; {advice}", status=error.status) from None

    async def aclose(self) -> None:
        """Close connections."""
        await self._remote.aclose()


def _page(reply: Reply) -> Mapping[str, Any]:
    page = reply.json()
    if not isinstance(page, dict) or not isinstance(page.get("results"), list):
        raise UnexpectedReply("vainu answered a list of customer data without results")
    return page


def _customer_data(reply: Reply) -> CustomerData:
    return read_customer_data(reply.json())


def _patched(reply: Reply) -> CustomerData | None:
    # S001 gives the reply no schema; S000 is silent: nothing, or the object itself
    answer = reply.json() if reply.content.strip() else None
    return read_customer_data(answer) if answer else None


def _existing_id(refused: Refused) -> str | None:
    """The id that Vainu names where a company has customer data already.

    The keys are those of S001's async rows (for the answer to a single POST: G), alone or as the rows of a list.
    """
    if refused.status not in (400, 409):
        return None
    try:
        said = json.loads(refused.body or b"")
    except (ValueError, RecursionError):
        return None
    rows = said if isinstance(said, list) else [said]
    ids = [row.get("existing_id") for row in rows if isinstance(row, Mapping)]
    return next((each for each in ids if isinstance(each, str) and _ID.fullmatch(each)), None)


def _age(found: CustomerData) -> datetime:
    for written in (found.created, found.modified):
        with suppress(TimestampRefused):
            return read(written, UTC).at
    return datetime.min.replace(tzinfo=UTC)


def _path_of(customer_data_id: str) -> str:
    """The path of one object; `Refused` for whatever could end in the path of all of them."""
    if not isinstance(customer_data_id, str) or not _ID.fullmatch(customer_data_id):
        shown = ascii(customer_data_id)[:60]
        raise Refused(f"customer data id: expected letters, digits, _ and -, got {shown}; nothing was sent")
    return f"customer_data/{quote(customer_data_id, safe='')}/"


def _same(found: CustomerData, customer_data_id: str) -> CustomerData:
    if found.id != customer_data_id:
        raise UnexpectedReply("vainu answered customer data with another id than the one asked for")
    return found


def _credentials(settings: VainuSettings) -> tuple[dict[str, str], httpx.Auth | None, list[str]]:
    """Headers, Basic authentication, and every spelling of the secrets that must never be shown."""
    if settings.api_key is not None:
        key = settings.api_key.get_secret_value()
        return {"API-Key": key}, None, [key]
    username = settings.username or ""
    password = settings.password.get_secret_value() if settings.password else ""
    encoded = b64encode(f"{username}:{password}".encode()).decode()
    return {}, httpx.BasicAuth(username, password), [password, encoded]

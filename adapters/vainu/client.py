"""Vainu's API, as far as the gateway calls it: customer data, v1 and v2 (S000, S001).

There is no call here without an id where Vainu would then touch everything: `PATCH /customer_data/` modifies
every object of the account (S001, "Warning"), so every path that writes is made by `_path_of`.
"""

import re
from base64 import b64encode
from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import quote, urlsplit

import httpx

from adapters.contract import Account, BadCredentials, Observer, Refused, UnexpectedReply
from adapters.deadline import Deadline
from adapters.http import RemoteClient, Reply
from adapters.vainu.models import (
    CustomerData,
    FieldValue,
    MatchData,
    VainuSettings,
    read_customer_data,
    render_fields,
)

_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")


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
        reply = await self._call(
            "GET", "customer_data/", action="check", deadline=deadline, safe=True, params={"page_size": 1}
        )
        page = reply.json()
        if not isinstance(page, dict) or not isinstance(page.get("results"), list):
            raise UnexpectedReply("vainu answered a list of customer data without results")
        total = page.get("total_results")
        count = str(total) if isinstance(total, int) else "an unknown number of"
        return Account(f"Vainu API v{self._version} at {self._host}: {count} customer data objects")

    async def get_customer_data(self, customer_data_id: str, deadline: Deadline) -> CustomerData:
        """The object with this id; `NotFound` if Vainu has none, `Refused` if this can be no id."""
        path = _path_of(customer_data_id)
        reply = await self._call("GET", path, action="get_customer_data", deadline=deadline, safe=True)
        return _same(read_customer_data(reply.json()), customer_data_id)

    async def create_customer_data(
        self, match: MatchData, fields: Mapping[str, FieldValue], deadline: Deadline
    ) -> CustomerData:
        """Create one object and return it. Not repeated by itself: a lost answer may hide a success.

        `fields` are those of S000: owner_email, unique_id, won_deals_count, open_deals_count, lost_deals_count,
        notes, last_update. `Refused` without anything to match by, where v1 finds no company or several (400),
        and where the company already has customer data (409); v2 creates unmatched objects (`vid` is None).
        """
        matched = match.body(self._version)
        if not matched:
            raise Refused("customer data: expected a business id, a company name or (v1) a vid to match; nothing sent")
        body = {**render_fields(fields, self._version), **matched}
        action = "create_customer_data"
        reply = await self._call("POST", "customer_data/", action=action, deadline=deadline, safe=False, json_body=body)
        return read_customer_data(reply.json())

    async def patch_customer_data(
        self, customer_data_id: str, fields: Mapping[str, FieldValue], deadline: Deadline
    ) -> None:
        """Set fields of the object with this id, and of no other; safe to repeat.

        `NotFound` when the id is void (an export that Vainu took for failed, S001), `Refused` when it can be no
        id: then nothing is sent.
        """
        path = _path_of(customer_data_id)
        body = render_fields(fields, self._version)
        reply = await self._call(
            "PATCH", path, action="patch_customer_data", deadline=deadline, safe=True, json_body=body
        )
        # S001 gives the reply no schema; S000 is silent: nothing, or the object itself
        if reply.content.strip() and (answer := reply.json()):
            _same(read_customer_data(answer), customer_data_id)

    async def _call(
        self,
        method: Literal["GET", "POST", "PATCH"],
        path: str,
        *,
        action: str,
        deadline: Deadline,
        safe: bool,
        params: Mapping[str, str | int] | None = None,
        json_body: Any = None,
    ) -> Reply:
        try:
            return await self._remote.call(
                method, path, action=action, deadline=deadline, safe=safe, params=params, json_body=json_body
            )
        except BadCredentials as error:
            advice = "check the credentials, and that Vainu has enabled the API for the account"
            raise BadCredentials(f"{error.detail}; {advice}") from None

    async def aclose(self) -> None:
        """Close connections."""
        await self._remote.aclose()


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

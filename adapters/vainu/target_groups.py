"""Target groups: their list, names and portfolios, their prospects and leads; v1 of the API (S001)."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from adapters.contract import Refused, UnexpectedReply
from adapters.deadline import Deadline
from adapters.http_replies import Reply
from adapters.vainu.calls import Calls, path_of, rows_of
from adapters.vainu.models import text
from adapters.vainu.prospect_models import Prospect, ProspectLead, read_lead, read_prospect
from adapters.vainu.prospects import PROSPECTS_AT_ONCE, listing, read_count, streamed, window

_QUOTES = '"“”'
"""S001's sample of a new group has its id in stray quotation marks."""


@dataclass(frozen=True, slots=True)
class TargetGroup:
    """A target group; one that is named is a portfolio, to which prospects can be added."""

    id: str
    name: str = ""
    is_named_target_group: bool = False
    default: bool = False


class TargetGroups:
    """`/api/v1/target_groups/` and `/api/v1/target_group/{id}/`. Raises only `RemoteError`s.

    What can be no id is `Refused` before anything is sent; an id that Vainu does not know is `NotFound`.
    """

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def list(self, deadline: Deadline) -> tuple[TargetGroup, ...]:
        """The user's target groups."""
        return await self._calls.ask(
            "GET", "v1/target_groups/", _groups, action="list_target_groups", deadline=deadline, safe=True
        )

    async def get(self, target_group_id: str, deadline: Deadline) -> TargetGroup:
        """One target group."""
        path, action = _path(target_group_id), "get_target_group"
        return await self._calls.ask("GET", path, _group, action=action, deadline=deadline, safe=True)

    async def create(self, name: str, deadline: Deadline, *, is_named_target_group: bool = True) -> TargetGroup:
        """Make a target group. Not repeated by itself: a lost answer may hide a success."""
        body = {"name": name, "is_named_target_group": is_named_target_group}
        action = "create_target_group"
        return await self._calls.ask(
            "POST", "v1/target_groups/", _group, action=action, deadline=deadline, safe=False, json_body=body
        )

    async def update(
        self,
        target_group_id: str,
        deadline: Deadline,
        *,
        name: str | None = None,
        business_ids: Sequence[str] = (),
        company_names: Sequence[str] = (),
    ) -> TargetGroup:
        """Rename the group, or add prospects to it (portfolios only); what is left out is not sent. Safe to repeat."""
        given = {"name": name, "business_ids": list(business_ids), "company_names": list(company_names)}
        body = {key: value for key, value in given.items() if value}
        if not body:
            raise Refused("target group: expected a name, business ids or company names; nothing was sent")
        path, action = _path(target_group_id), "update_target_group"
        return await self._calls.ask("PUT", path, _group, action=action, deadline=deadline, safe=True, json_body=body)

    async def count(self, target_group_id: str, deadline: Deadline) -> int:
        """How many prospects the group has (`count=true`)."""
        path, action = _members(target_group_id), "count_target_group"
        return await self._calls.ask(
            "GET", path, _count, action=action, deadline=deadline, safe=True, params={"count": "true"}
        )

    async def prospects(
        self, target_group_id: str, deadline: Deadline, limit: int = PROSPECTS_AT_ONCE, offset: int = 0
    ) -> tuple[Prospect, ...]:
        """At most `limit` of the group's prospects from the `offset`th on, from 0 (`count=false`: faster, S001)."""
        path, action = _members(target_group_id), "list_target_group"
        params: dict[str, str | int] = {**window(limit, offset), "count": "false"}
        return await self._calls.ask(
            "GET", path, _prospects, action=action, deadline=deadline, safe=True, params=params
        )

    def stream(
        self, target_group_id: str, deadline: Deadline, at_once: int = PROSPECTS_AT_ONCE
    ) -> AsyncIterator[Prospect]:
        """All prospects of the group, `at_once` in memory at a time, waiting out "slow down"."""
        return streamed(partial(self.prospects, target_group_id, deadline, at_once), deadline)

    async def leads(
        self, target_group_id: str, deadline: Deadline, since: datetime | None = None
    ) -> tuple[ProspectLead, ...]:
        """The group's leads since an aware moment at most 60 days ago; by default since the day before, 00:00.

        Sent as UTC without an offset, as in S001's example (the zone Vainu reads it in is unknown).
        """
        path, action = f"{_members(target_group_id)}leads/", "list_target_group_leads"
        when = None if since is None else since.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds")
        params = {"from_datetime": when} if when else None
        return await self._calls.ask("GET", path, _leads, action=action, deadline=deadline, safe=True, params=params)


def _path(target_group_id: str) -> str:
    # S001 writes this path without a slash at its end, and all others with one
    return path_of("v1/target_groups/", "target group", target_group_id, end="")


def _members(target_group_id: str) -> str:
    return path_of("v1/target_group/", "target group", target_group_id)


def _read_group(value: object) -> TargetGroup:
    identity = text(value.get("id")).strip(_QUOTES) if isinstance(value, Mapping) else ""
    if not isinstance(value, Mapping) or not identity:
        raise UnexpectedReply("vainu answered something that is no target group: expected an object with an id")
    named, default = value.get("is_named_target_group") is True, value.get("default") is True
    return TargetGroup(identity, text(value.get("name")), named, default)


def _group(reply: Reply) -> TargetGroup:
    return _read_group(reply.json())


def _groups(reply: Reply) -> tuple[TargetGroup, ...]:
    return tuple(map(_read_group, rows_of(reply.json(), "target groups")))


def _count(reply: Reply) -> int:
    return read_count(reply.json())


def _prospects(reply: Reply) -> tuple[Prospect, ...]:
    return listing("prospects", read_prospect)(reply.json())


def _leads(reply: Reply) -> tuple[ProspectLead, ...]:
    return listing("leads", read_lead)(reply.json())

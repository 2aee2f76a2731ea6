"""Target groups: list, get, create, update, their prospects and leads (S001)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from adapters.contract import NotFound, Refused, UnexpectedReply
from adapters.serving import serving
from adapters.simulation import FaultRule
from adapters.vainu import VainuClient
from adapters.vainu.simulator import simulator
from adapters.vainu.target_groups import TargetGroup
from tests.adapters.vainu.served import Served, all_of, answering, soon, use

NO_IDS = ["", "..", "a/b", "?limit=none", "a b", None]


async def portfolio(client: VainuClient) -> TargetGroup:
    group = await client.target_groups.create("New Portfolio", soon())
    return await client.target_groups.update(
        group.id, soon(), business_ids=["09704098"], company_names=["Vainu Finland Oy", "Nobody Oy"]
    )


def test_groups_are_made_listed_and_read(account: Served) -> None:
    """A new group is a portfolio unless said otherwise."""

    async def act(client: VainuClient) -> None:
        made = await client.target_groups.create("New Portfolio", soon())
        other = await client.target_groups.create("Target Group 1", soon(), is_named_target_group=False)
        assert (made.name, made.is_named_target_group, other.is_named_target_group) == ("New Portfolio", True, False)
        assert await client.target_groups.list(soon()) == (made, other)
        assert await client.target_groups.get(made.id, soon()) == made

    account.use(act)
    assert account.calls[-1].count("/api/v1/target_groups/") == 1
    assert not account.calls[-1].endswith("/")


def test_prospects_are_added_and_the_name_changed(account: Served) -> None:
    """By business id and by name, each once; what is not given stays."""

    async def act(client: VainuClient) -> tuple[int, list[str]]:
        group = await portfolio(client)
        renamed = await client.target_groups.update(group.id, soon(), name="Renamed", business_ids=["09704098"])
        assert renamed.name == "Renamed"
        rows = await client.target_groups.prospects(group.id, soon())
        return await client.target_groups.count(group.id, soon()), [each.company_name for each in rows]

    assert account.use(act) == (2, ["Oy Samlink Ab", "Vainu Finland Oy"])


def test_a_groups_prospects_are_streamed(account: Served) -> None:
    """By limit and offset, without the count, which takes Vainu longer."""

    async def act(client: VainuClient) -> list[float | None]:
        group = await portfolio(client)
        account.sim.journal.calls.clear()
        rows = await all_of(client.target_groups.stream(group.id, soon(), at_once=1))
        return [each.turn_over for each in rows]

    assert account.use(act) == [93116557.0, None]
    assert [call.partition("?")[2] for call in account.calls] == [
        f"limit=1&offset={offset}&count=false" for offset in (0, 1, 2)
    ]


def test_a_groups_leads_are_read_from_a_moment_on() -> None:
    """By default since yesterday; `from_datetime` within the last 60 days."""
    now = datetime(2018, 6, 1, 12, tzinfo=UTC)
    sim = simulator(clock=lambda: now)
    samlink = next(each for each in sim.state.companies if each.key == "samlink")  # type: ignore[attr-defined]  # VainuState's
    added = datetime.fromisoformat(samlink.leads[0]["added"]).replace(tzinfo=UTC)
    now = added + timedelta(days=30)

    async def act(client: VainuClient) -> tuple[int, int]:
        group = await portfolio(client)
        recent = await client.target_groups.leads(group.id, soon())
        (lead,) = await client.target_groups.leads(group.id, soon(), since=added - timedelta(hours=1))
        assert (lead.title, lead.added) == (samlink.leads[0]["title"], samlink.leads[0]["added"])
        with pytest.raises(Refused, match="400"):
            await client.target_groups.leads(group.id, soon(), since=now - timedelta(days=61))
        return len(recent), lead.id or 0

    with serving(sim) as url:
        assert use(url, act) == (0, samlink.vid * 100)


@pytest.mark.parametrize("call", ["get", "count", "prospects", "leads"])
def test_an_unknown_group_is_not_found(account: Served, call: str) -> None:
    """404."""
    with pytest.raises(NotFound):
        account.use(lambda client: getattr(client.target_groups, call)("f" * 24, soon()))


@pytest.mark.parametrize("target_group_id", NO_IDS)
def test_what_can_be_no_id_is_refused_unsent(account: Served, target_group_id: Any) -> None:
    """Nothing is sent that could mean all groups."""
    for call in ("get", "count", "prospects", "leads"):
        with pytest.raises(Refused, match="nothing was sent"):
            account.use(lambda client, call=call: getattr(client.target_groups, call)(target_group_id, soon()))
    with pytest.raises(Refused, match="nothing was sent"):
        account.use(lambda client: client.target_groups.update(target_group_id, soon(), name="x"))
    assert account.calls == []


def test_an_update_of_nothing_is_refused_unsent(account: Served) -> None:
    """An empty PUT might empty the group."""
    with pytest.raises(Refused, match="nothing was sent"):
        account.use(lambda client: client.target_groups.update("f" * 24, soon()))


def test_a_create_is_sent_once_only(account: Served) -> None:
    """Its lost answer may hide a success."""
    account.sim.journal.rules.append(FaultRule("500"))
    with pytest.raises(Exception, match="500"):
        account.use(lambda client: client.target_groups.create("x", soon()))
    assert len(account.calls) == 1


CREATED = {
    "id": '“12341234ab70b40e0875f685"',
    "name": "New Portfolio",
    "is_named_target_group": True,
    "default": False,
}
"""Copied in form from S001's sample of POST /target_groups/, with its stray quotation marks."""


def test_the_documents_own_reply_is_read() -> None:
    """The id is the one that the other calls take."""
    with serving(answering(CREATED)) as url:
        made = use(url, lambda client: client.target_groups.create("New Portfolio", soon()))
    assert made == TargetGroup("12341234ab70b40e0875f685", "New Portfolio", True, False)


GROUP = {
    "count": 68520,
    "results": [
        {
            "business_id": "01032880",
            "company_name": "AAC Global Oy",
            "link": "http://www.aacglobal.com",
            "isic_industry_code": "85593",
            "turn_over": "13026000.0",
            "staff_number": "112",
            "profit": "5.9",
        }
    ],
}
"""Copied in form from S001's sample of GET /target_group/{id}/, shortened."""


def test_rows_are_read_with_and_without_the_frame() -> None:
    """S001 shows rows with their count only; without it they may come bare or framed."""
    for answer in (GROUP, GROUP["results"]):
        with serving(answering(answer)) as url:
            (row,) = use(url, lambda client: client.target_groups.prospects("a1", soon()))
        assert (row.isic_industry_code, row.turn_over, row.profit) == ("85593", 13026000.0, 5.9)


@pytest.mark.parametrize("answer", [None, {}, {"id": ""}, [{"name": "x"}], "x"])
def test_an_unknown_shape_is_no_group(answer: Any) -> None:
    """200 with something else is an unexpected reply."""
    with serving(answering(answer)) as url:
        with pytest.raises(UnexpectedReply):
            use(url, lambda client: client.target_groups.get("a1", soon(1)))
        with pytest.raises(UnexpectedReply):
            use(url, lambda client: client.target_groups.list(soon(1)))

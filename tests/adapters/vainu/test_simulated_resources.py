"""The simulator's prospects/filter, target groups and webhooks as the documents describe them, over real HTTP."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from adapters.vainu.simulator import FAKE_API_KEY
from tests.adapters.vainu.served import Served


@pytest.fixture
def vainu(account: Served) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{account.url}/api", headers={"API-Key": FAKE_API_KEY}, trust_env=False) as client:
        yield client


def test_the_filter_shows_s001s_keys(vainu: httpx.Client) -> None:
    """A bare list of basic information with municipalities; contacts and figures are not in it."""
    (row,) = vainu.get("/v1/prospects/filter/?business_ids=09704098").json()
    assert {"business_id", "company_name", "turn_over", "municipality", "visiting_municipality"} <= row.keys()
    assert {"contacts", "financial_statements", "description"}.isdisjoint(row)
    assert row["turn_over"] == "93116557.0"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("count=true&country=FI", {"count": 2}),
        ("country=FI&limit=0", []),
        ("country=FI&offset=2", []),
        ("country=FI&count=include&limit=0", {"count": 2, "results": []}),
        ("basic_modified__gt=2016-04-20T16:00:00&count=true", {"count": 6}),
        ("turn_over__gte=93116557&turn_over__lte=93116557&count=true", {"count": 1}),
        ("domain__exact=samlink.fi&count=true", {"count": 1}),
    ],
)
def test_the_filter_counts_limits_and_compares(vainu: httpx.Client, query: str, expected: Any) -> None:
    """S001, "Count" and "Limit and offset"."""
    assert vainu.get(f"/v1/prospects/filter/?{query}").json() == expected


@pytest.mark.parametrize(
    "query",
    ["foo=1", "city__near=x", "order=foo", "turn_over__gte=much", "limit=-1", "offset=x", "basic_modified__gt=then"],
)
def test_an_invalid_filter_is_refused(vainu: httpx.Client, query: str) -> None:
    """400, as an invalid query of customer data."""
    assert vainu.get(f"/v1/prospects/filter/?{query}").status_code == 400


def test_missing_values_come_first_in_ascending_order(vainu: httpx.Client) -> None:
    """S001, "Null value sort behaviour"; a leading `-` is ascending, as its text says."""
    ascending = vainu.get("/v1/prospects/filter/?order=-turn_over").json()
    descending = vainu.get("/v1/prospects/filter/?order=turn_over").json()
    assert ascending[0]["turn_over"] is None
    assert descending[-1]["turn_over"] is None
    known = [float(row["turn_over"]) for row in descending if row["turn_over"] is not None]
    assert known == sorted(known, reverse=True)


def test_a_target_group_shows_count_and_rows_as_asked(vainu: httpx.Client) -> None:
    """Both without `count`, the count alone with true, the rows alone with false; 20 rows by default, or all."""
    group = vainu.post("/v1/target_groups/", json={"name": "New Portfolio"}).json()
    assert group == {"id": group["id"], "name": "New Portfolio", "is_named_target_group": True, "default": False}
    added = {"business_ids": ["09704098"], "company_names": ["VAINU INC."]}
    assert vainu.put(f"/v1/target_groups/{group['id']}", json=added).status_code == 200
    path = f"/v1/target_group/{group['id']}/"
    whole = vainu.get(path).json()
    assert (whole["count"], len(whole["results"]), len(whole["results"][0])) == (3, 3, 12)
    assert vainu.get(f"{path}?count=true").json() == {"count": 3}
    assert len(vainu.get(f"{path}?count=false&limit=none&offset=1").json()) == 2
    assert vainu.get(f"{path}?count=perhaps").status_code == 400


@pytest.mark.parametrize("body", [{}, {"name": ""}, {"name": 1}, {"name": "x", "is_named_target_group": "yes"}, []])
def test_a_group_of_a_wrong_shape_is_refused(vainu: httpx.Client, body: Any) -> None:
    """400, and nothing is kept."""
    assert vainu.post("/v1/target_groups/", json=body).status_code == 400
    assert vainu.get("/v1/target_groups/").json() == []


def test_only_a_portfolio_takes_companies(vainu: httpx.Client) -> None:
    """S001: "Only for target groups that are portfolio type"."""
    made = vainu.post("/v1/target_groups/", json={"name": "x", "is_named_target_group": False}).json()
    vainu.put(f"/v1/target_groups/{made['id']}", json={"business_ids": ["09704098"]})
    assert vainu.get(f"/v1/target_group/{made['id']}/?count=true").json() == {"count": 0}
    assert vainu.put(f"/v1/target_groups/{made['id']}", json={"business_ids": "09704098"}).status_code == 400


@pytest.mark.parametrize("body", [{}, {"url": "https://x.example"}, {"url": "https://x.example", "type": "trigger"}])
def test_a_webhook_needs_an_address_and_the_one_type(vainu: httpx.Client, body: Any) -> None:
    """vdev: the only type is company_change_webhook."""
    assert vainu.post("/v2/webhook_configuration/", json=body).status_code == 400


def test_a_delete_of_webhooks_without_an_id_really_removes_all(vainu: httpx.Client) -> None:
    """As customer data's: a client that forgets the id is caught."""
    for number in range(2):
        body = {"url": f"https://x.example/{number}", "type": "company_change_webhook"}
        assert vainu.post("/v2/webhook_configuration/", json=body).status_code == 200
    assert vainu.delete("/v2/webhook_configuration/").status_code == 204
    assert vainu.get("/v2/webhook_configuration/").json() == []


def test_records_show_groups_and_webhooks(account: Served, vainu: httpx.Client) -> None:
    """The control path of every simulator; a reset forgets them."""
    vainu.post("/v1/target_groups/", json={"name": "x"})
    vainu.post("/v2/webhook_configuration/", json={"url": "https://x.example", "type": "company_change_webhook"})
    records = httpx.get(f"{account.url}/_records", trust_env=False).json()
    assert (len(records["target_groups"]), len(records["webhooks"])) == (1, 1)
    account.sim.state.reset()
    records = httpx.get(f"{account.url}/_records", trust_env=False).json()
    assert (records["target_groups"], records["webhooks"]) == ([], [])

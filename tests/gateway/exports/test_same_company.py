"""When two pushes are the same company (CONTRACT section 7, point 2), and when they are not, over HTTP."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.gateway.exports.conftest import Stage, new_company


def pushed_again(stage: Stage, connection: str, company: dict[str, Any]) -> str:
    """The unique_id of a push that must have found its company."""
    answer = stage.gateway.push(connection, company)
    assert (answer.status_code, answer.json()["status"]) == (200, "updated"), answer.text
    return str(answer.json()["unique_id"])


SPELLINGS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "vid": lambda one: {"vid": one["vid"]},
    "vid as text": lambda one: {"vid": str(one["vid"])},
    "business id": lambda one: {"business_id": one["business_id"], "country": "FI"},
    "with a dash, country in lower case": lambda one: {"business_id": dashed(one), "country": "fi"},
    "with blanks, no country": lambda one: {"business_id": f" {one['business_id'][:4]} {one['business_id'][4:]}"},
    "with prefix, no country": lambda one: {"business_id": f"FI{one['business_id']}"},
    "with prefix and country": lambda one: {"business_id": f"FI{one['business_id']}", "country": "FI"},
    "with prefix and dashes": lambda one: {"business_id": f"FI-{dashed(one)}", "country": "FI"},
    "with prefix and underscore": lambda one: {"business_id": f"fi_{one['business_id']}"},
    "business id without a name": lambda one: {
        "business_id": one["business_id"],
        "country": "FI",
        "company_name": None,
    },
    "domain": lambda one: {"domain": one["domain"]},
    "address of a page": lambda one: {"domain": f"https://WWW.{one['domain'].upper()}/contact?x=1"},
    "link": lambda one: {"link": f"www.{one['domain']}"},
    "name and country": lambda one: {"company_name": one["company_name"], "country": "FI"},
    "name in capitals": lambda one: {"company_name": f"  {one['company_name'].upper()} ", "country": "FI"},
    "name alone": lambda one: {"company_name": one["company_name"]},
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_any_identifier_is_enough(stage: Stage, spelling: str) -> None:
    """A push that shares any one identifier with an earlier one is the same company."""
    company = new_company()
    first = stage.created("acme", company)

    again = {"company_name": "Renamed Oy", **SPELLINGS[spelling](company)}
    assert pushed_again(stage, "acme", again) == first["unique_id"]


def dashed(company: dict[str, Any]) -> str:
    """A Finnish business id as people write it."""
    plain = str(company["business_id"])
    return f"{plain[:7]}-{plain[7:]}"


def test_aliases_add_up(stage: Stage, connection: str) -> None:
    """Each push adds its identifiers: a chain of pushes that share one thing with the one before is one company."""
    one, other = new_company(), new_company()
    chain = [
        {"company_name": one["company_name"], "vid": one["vid"]},
        {"company_name": "Second name Oy", "vid": one["vid"], "domain": one["domain"]},
        {"company_name": "Third name Oy", "domain": one["domain"], "business_id": one["business_id"], "country": "FI"},
        {"company_name": other["company_name"], "business_id": one["business_id"], "country": "FI"},
        {"company_name": other["company_name"], "country": "FI"},
    ]
    first = stage.created(connection, chain[0])

    found = [pushed_again(stage, connection, company) for company in chain[1:]]

    assert found == [first["unique_id"]] * 4


@pytest.mark.parametrize(
    "stranger",
    [
        lambda one, new: {**new, "domain": one["domain"]},
        lambda one, new: {**new, "company_name": one["company_name"]},
        lambda one, new: {**new, "company_name": one["company_name"], "domain": one["domain"]},
        lambda one, _new: {"company_name": one["company_name"], "country": "SE"},
        lambda one, new: {**new, "business_id": one["business_id"], "country": "SE", "vid": None},
    ],
    ids=["shared domain", "namesake", "namesake with shared domain", "same name abroad", "same number abroad"],
)
def test_strangers_stay_apart(stage: Stage, stranger: Any) -> None:
    """Companies whose strong identifiers differ are two, whatever else they share: two records, two unique_ids."""
    one, new = new_company(), new_company()
    first = stage.created("acme", one)

    second = stage.created("acme", stranger(one, new))

    assert second["unique_id"] != first["unique_id"]
    assert pushed_again(stage, "acme", one) == first["unique_id"]
    assert pushed_again(stage, "acme", stranger(one, new)) == second["unique_id"]


def test_connections_share_no_company(stage: Stage) -> None:
    """The same company on two connections is two: each has its own record and unique_id."""
    company = new_company()

    ids = {connection: stage.created(connection, company)["unique_id"] for connection in ("acme", "globex")}

    assert ids["acme"] != ids["globex"]
    assert stage.gateway.feed("acme", ids["globex"]).status_code == 404
    assert stage.gateway.feed("globex", ids["acme"]).status_code == 404


def test_a_record_that_was_deleted_in_the_crm_is_made_anew(stage: Stage) -> None:
    """The CRM's record is gone: the next push makes one, once; the old id leads to the new record."""
    company = new_company()
    first = stage.created("acme", company)
    stage.upstream.http.post(
        "/apptivo/app/dao/v6/customers",
        params={"a": "delete", "customerId": first["unique_id"]},
        data={"apiKey": "demo-apptivo-api-key", "accessKey": "demo-apptivo-access-key"},
    )
    assert stage.customers("acme", company["company_name"]) == []

    second = stage.created("acme", company)

    assert second["unique_id"] != first["unique_id"]
    assert len(stage.customers("acme", company["company_name"])) == 1
    assert stage.gateway.feed("acme", first["unique_id"]).json() != []

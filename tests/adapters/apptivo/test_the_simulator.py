"""The simulated Apptivo keeps the quirks that the documents show."""

import json
from typing import Any

import httpx
import pytest

from adapters.apptivo.simulator import DEMO_ACCESS_KEY, DEMO_API_KEY, simulator
from adapters.serving import serving

KEYS = {"apiKey": DEMO_API_KEY, "accessKey": DEMO_ACCESS_KEY}


def _ask(bench: Any, path: str, action: str, **form: str) -> Any:
    return httpx.post(
        f"{bench.url}/app/dao/{path}", params={"a": action}, data={**KEYS, **form}, trust_env=False
    ).json()


def _saved(bench: Any, name: str) -> dict[str, Any]:
    return _ask(bench, "v6/customers", "save", customerData=json.dumps({"customerName": name}))["customer"]


def test_a_bad_key_is_a_200_with_failure(bench):
    """`status` and `reason` as confirmed, "Key" inside the reason."""
    reply = httpx.post(f"{bench.url}/app/dao/v6/customers?a=getConfigData&apiKey=x", trust_env=False)
    assert (reply.status_code, reply.json()) == (200, {"status": "FAILURE", "reason": "Invalid API Key"})


def test_keys_are_taken_from_the_query_too(bench):
    """Apptivo accepts them in either place."""
    reply = httpx.get(f"{bench.url}/app/dao/v6/customers", params={"a": "getConfigData", **KEYS}, trust_env=False)
    assert "sections" in json.loads(reply.json()["webLayout"])


def test_the_same_name_twice_makes_two_customers(bench):
    """Nothing is unique but the number."""
    assert _saved(bench, "Twin Oy")["customerId"] != _saved(bench, "Twin Oy")["customerId"]
    found = _ask(bench, "v6/customers", "getAllByAdvancedSearch", searchData=json.dumps({"customerName": "twin"}))
    assert found["countOfRecords"] == 2


def test_a_customer_has_its_id_twice_and_a_readable_number(bench):
    """`id` is text, `customerId` a number (airbyte); getById gives it bare."""
    customer_id = _saved(bench, "One Oy")["customerId"]
    bare = _ask(bench, "v6/customers", "getById", customerId=str(customer_id))
    assert (bare["id"], bare["customerId"]) == (str(customer_id), customer_id)
    assert bare["lastContactedDate"] == "Not Contacted"


def test_update_replaces_only_the_named_fields(bench):
    """A field that is not in attributeName, or whose flag is missing, stays."""
    customer_id = str(_saved(bench, "Old Oy")["customerId"])
    data = {"customerName": "New Oy", "website": "new.example", "addresses": [{"city": "Turku"}]}
    _ask(
        bench,
        "v6/customers",
        "update",
        customerId=customer_id,
        customerData=json.dumps(data),
        attributeName='["customerName","addresses"]',
    )
    after = _ask(bench, "v6/customers", "getById", customerId=customer_id)
    assert (after["customerName"], after.get("website"), after.get("addresses")) == ("New Oy", None, None)


@pytest.mark.parametrize(
    ("action", "form"),
    [("save", {"customerData": "{"}), ("save", {}), ("getAll", {"startIndex": "x"}), ("save", {"customerData": "[]"})],
)
def test_unreadable_input_is_an_html_page(bench, action, form):
    """What a real server does is unknown; an HTML page with 200 is the worst of the guesses."""
    reply = httpx.post(
        f"{bench.url}/app/dao/v6/customers", params={"a": action}, data={**KEYS, **form}, trust_env=False
    )
    assert (reply.status_code, reply.headers["content-type"].partition(";")[0]) == (200, "text/html")


def test_deleting_and_resetting_empty_it(bench):
    """`delete` takes one customer, `/_reset` everything."""
    customer_id = str(_saved(bench, "Gone Oy")["customerId"])
    _ask(bench, "v6/customers", "delete", customerId=customer_id)
    assert _ask(bench, "v6/customers", "getById", customerId=customer_id)["reason"] == "Customer not found"
    httpx.post(f"{bench.url}/_reset", trust_env=False)
    assert all(rows == [] for rows in httpx.get(f"{bench.url}/_records", trust_env=False).json().values())


def test_a_simulator_can_be_without_feed_and_with_other_keys():
    """Options are those of the state."""
    app = simulator(api_key="other-key", seed=None)
    with serving(app) as url:
        form = {"apiKey": "other-key", "accessKey": DEMO_ACCESS_KEY, "customerData": '{"customerName": "x"}'}
        saved = httpx.post(f"{url}/app/dao/v6/customers?a=save", data=form, trust_env=False).json()["customer"]
    assert saved["customerNumber"] == "1"
    assert app.state.dump()["notes"] == []

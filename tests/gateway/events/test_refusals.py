"""What is refused, and that nothing of it was kept."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.gateway.events.conftest import Shop


def test_every_fault_of_every_row_is_told_and_nothing_is_kept(shop: Shop) -> None:
    """One bad row refuses the whole body with all the paths; the good rows beside it are not kept either."""
    bad = shop.purchase(2, performed_on="yesterday", products_set=[{"net_amount": "1"}])
    del bad["reference_number"]
    answer = shop.post([shop.purchase(1), bad, shop.purchase(1), 7])
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert {fault["path"] for fault in answer.json()["errors"]} == {
        "[1].performed_on",
        "[1].reference_number",
        "[1].products_set[0].product_identifier",
        "[1].products_set[0].net_amount",
        "[1].products_set[0].vat_amount",
        "[1].products_set[0].total_amount",
        "[2].request_unique_identifier",
        "[3]",
    }
    assert shop.there() == {}
    assert shop.calls() == []


def test_a_set_is_as_good_as_an_array(shop: Shop) -> None:
    """The rows under the kind's set; paths of faults begin with its name."""
    name = "purchases_customer_events_set"
    assert len(shop.post({name: [shop.purchase(1)]}).json()["processed"]) == 1
    faults = shop.post({name: [{**shop.purchase(1), "reference_number": 5}]}).json()["errors"]
    assert [fault["path"] for fault in faults] == [f"{name}[0].reference_number"]


@pytest.mark.parametrize(
    ("connection", "kind", "status"),
    [("acme", "purchases", 404), ("globex", "birthdays", 404), ("nobody", "purchases", 401)],
)
def test_where_there_are_no_events(shop: Shop, connection: str, kind: str, status: int) -> None:
    """404 for a connection to another CRM and for a kind that there is not, both ways; 401 for no connection."""
    request_id = "evt_01k9y3v4m2f8q7t5r6w1x0z9ab"
    assert shop.post([], kind, connection).status_code == status
    assert shop.get(request_id, kind, connection).status_code == status


def test_an_id_is_good_for_its_own_kind_only(shop: Shop) -> None:
    """404 for another kind's id, for one that is not ours, and for no id at all."""
    request_id = shop.post([shop.purchase(1)]).json()["id"]
    assert shop.get(request_id).status_code == 200
    assert shop.get(request_id, "web").status_code == 404
    for unknown in ("evt_01k9y3v4m2f8q7t5r6w1x0z9ab", "evt_", "whk_1", "%00", "é" * 200):
        assert shop.get(unknown).status_code == 404, unknown


def test_bodies_that_are_no_json(shop: Shop) -> None:
    """400, 413 and 415, as everywhere; nobody without credentials gets that far."""
    path = "/crm/globex/customer-events/purchases"
    post = shop.gateway.http.post
    json_type = {"Content-Type": "application/json"}
    assert post(path, content=b"[", headers=json_type).status_code == 400
    assert post(path, content=b"x" * 4_000_001, headers=json_type).status_code == 413
    assert post(path, content=b"[]", headers={"Content-Type": "text/csv"}).status_code == 415
    assert post(path, content=b"[", headers={"API-Key": "wrong"}).status_code == 401


@pytest.mark.parametrize("body", [None, {}, [], {"purchases_customer_events_set": []}, "x", {"web": [{}]}])
def test_bodies_without_rows(shop: Shop, body: Any) -> None:
    """422, never an empty success."""
    answer = shop.gateway.http.post(
        "/crm/globex/customer-events/purchases",
        content=json.dumps(body),
        headers={"Content-Type": "application/json"},
    )
    assert answer.status_code == 422


def test_a_store_that_cannot_keep_is_503(shop: Shop, tmp_path: Path) -> None:
    """Never a 2xx for rows that are not on disk, and none of them reaches the CRM."""
    store = tmp_path / "gateway.db"
    store.rename(tmp_path / "elsewhere.db")
    answer = shop.post([shop.purchase(1)])
    assert answer.status_code == 503, answer.text
    assert answer.headers["retry-after"]
    (tmp_path / "elsewhere.db").rename(store)
    assert len(shop.post([shop.purchase(2)]).json()["processed"]) == 1
    assert list(shop.there()) == ["POS-2"]

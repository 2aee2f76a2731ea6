"""The same sync on PostgreSQL: runs, leases and what was sent are kept there as on SQLite."""

from collections.abc import Iterator

import pytest

from gateway.sync.order import Order
from tests.gateway.sync.conftest import World
from tests.postgres import Cluster, running_cluster


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """A private PostgreSQL."""
    with running_cluster() as running:
        yield running


def test_a_sync_on_postgresql(world: World, cluster: Cluster) -> None:
    """Everything once, then nothing, then what changed and what was deleted; Aixon beside it."""
    world.crm.add_customers(230)
    world.configure(storage={"url": cluster.create_database("sync")})
    assert world.patiently(Order("acme"))[0].created == 230
    assert world.patiently(Order("acme"))[0].unchanged == 230
    changed, gone = world.ids()[:2]
    world.upstream.http.post("/apptivo/_webhook", json={"customer": changed, "deals": {"won": 1}})
    world.delete_customers(gone)
    counts, _heard = world.patiently(Order("acme", delete=True))
    assert (counts.updated, counts.unchanged, counts.deleted) == (1, 228, 1)
    assert world.patiently(Order("acme", "aixon"))[0].created == 229
    assert world.patiently(Order("acme", "aixon"))[0].unchanged == 229
    assert world.patiently(Order("acme", full=True))[0].updated == 229
    assert len(world.customer_data()) == 229


def test_a_refusal_on_postgresql(world: World, cluster: Cluster) -> None:
    """It is remembered, told again, and forgotten once Vainu takes the customer, or all is sent again."""
    world.configure(storage={"url": cluster.create_database("refusals")}, vainu={"api_version": 1})
    world.customer("VAINU INC.", country="US")
    world.customer("Nobody \x00 Knows Oy")
    assert world.patiently(Order("acme"))[0].failed == 2
    calls = len(world.upstream.calls("vainu"))
    counts, heard = world.patiently(Order("acme"))
    assert (counts.failed, counts.remembered, len(world.upstream.calls("vainu"))) == (2, 2, calls)
    assert {each.reason: len(each.candidates) for each in heard.rows} == {"multiple_matches": 2, "no_match": 0}
    world.crm.tables["customers"][0]["customAttributes"][0]["customAttributeValue"] = "0970409-8"
    world.crm.tables["customers"][0]["addresses"][0]["countryCode"] = "FI"
    counts, _heard = world.patiently(Order("acme"))
    assert (counts.created, counts.failed, counts.remembered) == (1, 1, 1)
    assert world.patiently(Order("acme", full=True))[0].remembered == 0

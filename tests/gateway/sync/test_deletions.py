"""Customers that the CRM has deleted are told, and deleted at Vainu only where that is asked for."""

from gateway.sync.order import Order
from tests.gateway.sync.conftest import World


def test_deletions_are_told_and_nothing_else(world: World) -> None:
    """Without --delete Vainu keeps the customer data, and every sync says so again."""
    world.crm.add_customers(130)
    world.summary()
    gone = world.ids()[5]
    world.delete_customers(gone)
    for _again in range(2):
        code, customers, summary = world.report()
        assert (code, summary["gone"], summary["deleted"]) == (0, 1, 0)
        assert [(each["record_id"], each["outcome"]) for each in customers] == [(gone, "gone")]
        assert len(world.customer_data()) == 130
    assert "--delete" in world.sync().stdout


def test_delete_deletes_what_the_crm_deleted_and_no_more(world: World) -> None:
    """One DELETE by id for each; customer data that never came from the CRM stays."""
    world.crm.add_customers(30)
    world.summary()
    kept, gone = world.ids()[2:], world.ids()[:2]
    world.delete_customers(*gone)
    dry = world.summary("--delete", "--dry-run")
    assert (dry["gone"], dry["deleted"], len(world.customer_data())) == (2, 0, 30)
    found = world.summary("--delete")
    assert (found["code"], found["gone"], found["deleted"]) == (0, 0, 2)
    assert sorted(each["unique_id"] for each in world.customer_data()) == sorted(kept)
    deletes = [line for line in world.writes() if line.startswith("DELETE")]
    assert len(deletes) == 2
    assert all(len(line.split("?")[0].rstrip("/").rpartition("/")[2]) == 24 for line in deletes)
    assert world.summary("--delete")["deleted"] == 0


def test_a_listing_that_lacks_a_customer_proves_nothing(world: World) -> None:
    """A customer that is only missing from the list is asked for, and stays when the CRM has it."""
    world.crm.add_customers(3)
    world.patiently(Order("acme"))
    hidden = world.crm.tables["customers"][0]
    name, hidden["customerName"] = hidden["customerName"], ""
    counts, _heard = world.patiently(Order("acme", delete=True))
    assert (counts.deleted, counts.failed) == (0, 1)
    hidden["customerName"] = name
    assert len(world.customer_data()) == 3


def test_a_customer_that_comes_back_is_made_again(world: World) -> None:
    """After a deletion at both ends nothing is remembered of it."""
    world.crm.add_customers(2)
    world.patiently(Order("acme"))
    row = world.crm.tables["customers"][0]
    world.delete_customers(row["id"])
    assert world.patiently(Order("acme", delete=True))[0].deleted == 1
    world.crm.tables["customers"].append(row)
    world.crm.kept_lists.clear()
    assert world.patiently(Order("acme"))[0].created == 1
    assert len(world.customer_data()) == 2

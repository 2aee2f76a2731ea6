"""`gateway sync`: the CRM's customers are Vainu's customer data, and only what changed is sent."""

from tests.gateway.sync.conftest import World


def test_1200_customers_in_three_date_formats(world: World) -> None:
    """Each is one customer data object with its CRM id, its deals, its owner and its last change; none twice."""
    world.customers(1200)
    found = world.summary()
    assert {key: found[key] for key in ("code", "complete", "customers", "created", "failed")} == {
        "code": 0,
        "complete": True,
        "customers": 1200,
        "created": 1200,
        "failed": 0,
    }
    held = {each["unique_id"]: each for each in world.customer_data()}
    assert len(world.customer_data()) == 1200
    assert sorted(held) == sorted(row["id"] for row in world.in_crm())
    sample = held[world.in_crm()[11]["id"]]
    assert (sample["open_deals_count"], sample["won_deals_count"], sample["lost_deals_count"]) == (0, 2, 1)
    assert sample["owner_email"] == "sales@example.com"
    assert sample["notes"] == "Made up, number 11"
    assert all(each["last_update"] for each in held.values())
    posted = next(call["line"] for call in world.writes() if "Customer 000011 Oy" in call["line"])
    assert '"business_id":"10000119"' in posted.replace(" ", "")
    assert '"country":"FI"' in posted.replace(" ", "")


def test_a_second_run_sends_nothing(world: World) -> None:
    """Nothing changed in the CRM, so Vainu hears nothing."""
    world.customers(250)
    assert world.summary()["created"] == 250
    before = world.writes()
    found = world.summary()
    assert (found["code"], found["unchanged"], found["created"], found["updated"]) == (0, 250, 0, 0)
    assert world.writes() == before

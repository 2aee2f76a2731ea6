"""`gateway sync`: the CRM's customers are Vainu's customer data, and only what changed is sent."""

import json
import time
import tomllib

from adapters.vainu.samples import samples
from adapters.vainu.simulator import FAKE_API_KEY
from gateway.sync.order import Order
from tests.gateway.sync.conftest import World
from tests.harness import running_gateway, toml, wait_until


def test_1200_customers_in_three_date_formats(world: World) -> None:
    """Each is one customer data object with its CRM id, its deals, its owner and its last change; none twice."""
    world.crm.add_customers(1200)
    found = world.summary()
    told = {key: found[key] for key in ("code", "complete", "customers", "created", "failed")}
    assert told == {"code": 0, "complete": True, "customers": 1200, "created": 1200, "failed": 0}
    held = {each["unique_id"]: each for each in world.customer_data()}
    assert len(world.customer_data()) == 1200
    assert sorted(held) == sorted(world.ids())
    sample = held[world.ids()[11]]
    assert (sample["open_deals_count"], sample["won_deals_count"], sample["lost_deals_count"]) == (0, 2, 1)
    assert (sample["owner_email"], sample["notes"]) == ("sales@example.com", "Made up, number 11")
    assert all(each["last_update"] for each in held.values())
    (posted,) = (line for line in world.writes() if "Customer 000011 Oy" in line)
    match = json.loads(posted.partition("? ")[2])["match_data"]
    assert match == {"company_name": "Customer 000011 Oy", "business_id": "10000119", "country": "FI"}


def test_a_second_run_sends_nothing(world: World) -> None:
    """Nothing changed in the CRM, so Vainu hears nothing, and is not listed anew."""
    world.crm.add_customers(250)
    assert world.summary()["created"] == 250
    before = world.upstream.calls("vainu")
    found = world.summary()
    assert (found["code"], found["unchanged"], found["created"], found["updated"]) == (0, 250, 0, 0)
    assert world.upstream.calls("vainu") == before


def test_what_changed_is_patched(world: World) -> None:
    """One customer's new deal and one's new owner are two patches."""
    world.crm.add_customers(150)
    world.summary()
    before = len(world.writes())
    first, last = world.ids()[0], world.ids()[-1]
    change = {"customer": first, "deals": {"won": 1}}
    world.upstream.http.post("/apptivo/_webhook", json=change).raise_for_status()
    owner = {"assigneeObjectRefName": "else@example.com"}
    world.upstream.http.post("/apptivo/_webhook", json={"customer": last, "set": owner}).raise_for_status()
    found = world.summary()
    assert (found["updated"], found["unchanged"]) == (2, 148)
    assert [line.split(" ")[0] for line in world.writes()[before:]] == ["PATCH", "PATCH"]
    held = {each["unique_id"]: each for each in world.customer_data()}
    assert held[first]["won_deals_count"] == 1
    assert held[last]["owner_email"] == "else@example.com"


def test_customer_data_that_vainu_has_already_is_patched(world: World) -> None:
    """Known by its unique_id or by its company, it is brought up to date, not doubled."""
    by_id = world.customer("Known by its id Oy")
    by_company = world.customer("Oy Samlink Ab", "0970409-8")
    for body in (
        {"match_data": {"company_name": "Another Name Oy"}, "unique_id": by_id},
        {"match_data": {"business_id": "0970409-8", "country": "FI"}, "unique_id": "of-an-older-crm"},
    ):
        made = world.upstream.http.post("/vainu/api/v2/customer_data/", json=body, headers={"API-Key": FAKE_API_KEY})
        made.raise_for_status()
    found = world.summary()
    assert (found["code"], found["created"], found["updated"]) == (0, 0, 2)
    assert sorted(each["unique_id"] for each in world.customer_data()) == sorted([by_id, by_company])
    assert world.summary()["unchanged"] == 2


def test_an_exported_company_keeps_its_customer_data(world: World) -> None:
    """What an export linked is what the sync patches; and the link learns of customer data that the sync made."""
    body = samples()["samlink"].push_body()
    document = tomllib.loads(world.config.read_text(encoding="utf-8"))
    with running_gateway(document) as gateway:
        unique_id = gateway.push("acme", body).json()["unique_id"]
        assert world.patiently(Order("acme"))[0].created == 1
        event = {"customer": unique_id, "deals": {"open": 2}}
        world.upstream.http.post("/apptivo/_webhook", json=event).raise_for_status()
    (held,) = world.customer_data()
    assert held["unique_id"] == unique_id
    assert world.patiently(Order("acme"))[0].updated == 1
    (held,) = world.customer_data()
    assert held["open_deals_count"] >= 2


def test_customer_data_made_since_the_first_sync_is_found(world: World) -> None:
    """A customer that is new to a later sync is looked for at Vainu by its unique_id before it is made."""
    world.crm.add_customers(3)
    world.summary()
    new = world.customer("Made Meanwhile Oy")
    body = {"match_data": {"company_name": "Another Name Oy"}, "unique_id": new}
    made = world.upstream.http.post("/vainu/api/v2/customer_data/", json=body, headers={"API-Key": FAKE_API_KEY})
    made.raise_for_status()
    found = world.summary()
    assert (found["updated"], found["created"], len(world.customer_data())) == (1, 0, 4)


def test_crm_com_s_customers(world: World) -> None:
    """The other CRM goes the same way."""
    document = tomllib.loads(world.config.read_text(encoding="utf-8"))
    document["connections"]["globex"]["vainu"] = document["connections"]["acme"]["vainu"]
    world.config.write_text(toml(document), encoding="utf-8")
    world.upstream.http.post("/crmcom/_customers", json={"count": 230}).raise_for_status()
    counts, heard = world.patiently(Order("globex"))
    assert (counts.created, counts.failed, [row for row in heard.rows if row.outcome == "failed"]) == (230, 0, [])
    assert len({each["unique_id"] for each in world.customer_data()}) == 230
    assert world.patiently(Order("globex"))[0].unchanged == 230


def test_a_webhook_s_customer_is_not_sent_again(world: World) -> None:
    """What a webhook has told Vainu of, the next sync need not tell."""
    world.crm.add_customers(2)
    world.configure(webhooks={"api_keys": ["hook"]})
    assert world.patiently(Order("acme"))[0].created == 2
    document = tomllib.loads(world.config.read_text(encoding="utf-8"))
    change = {"customer": world.ids()[0], "deals": {"won": 3}}
    pushed = world.upstream.http.post("/apptivo/_webhook", json=change).json()["body"]
    with running_gateway(document) as gateway:
        gateway.http.post("/crm/acme/webhooks", json=pushed, headers={"API-Key": "hook"}).raise_for_status()
        wait_until(lambda: any(each["won_deals_count"] == 3 for each in world.customer_data()), "Vainu is told")
    assert world.patiently(Order("acme"))[0].unchanged == 2


def test_a_business_id_that_comes_later_finds_the_company(world: World) -> None:
    """Customer data without a company gets it once the CRM has the business id; a new name alone moves nothing."""
    customer = world.customer("Our Friends of Software")
    world.summary()
    (held,) = world.customer_data()
    assert held["company_vid"] == -1
    row = world.crm.tables["customers"][0]
    row["customAttributes"][0]["customAttributeValue"] = "0970409-8"
    assert world.summary()["updated"] == 1
    (held,) = world.customer_data()
    assert (held["company_vid"], held["unique_id"]) == (253870, customer)
    row["customerName"] = "Nobody knows this name"
    assert world.summary()["updated"] == 1
    assert world.customer_data()[0]["company_vid"] == 253870


def test_a_business_id_of_another_customer_s_company_is_told(world: World) -> None:
    """The company has customer data already: the numbers are sent, the row fails until it is mended."""
    world.customer("Oy Samlink Ab", "0970409-8")
    other = world.customer("Our Friends of Software")
    assert world.summary()["created"] == 2
    row = world.crm.tables["customers"][1]
    row["customAttributes"][0]["customAttributeValue"] = "0970409-8"
    row["description"] = "new notes"
    for _again in range(2):
        counts, heard = world.patiently(Order("acme"))
        assert (counts.failed, counts.unchanged) == (1, 1)
        assert [(each.record_id, each.reason) for each in heard.rows] == [(other, "already_exists")]
    held = {each["unique_id"]: each for each in world.customer_data()}
    assert (held[other]["notes"], held[other]["company_vid"]) == ("new notes", -1)


def test_a_dry_run_changes_nothing(world: World) -> None:
    """It tells what would be done, at Vainu and in the store nothing happens."""
    world.crm.add_customers(120)
    found = world.summary("--dry-run")
    assert (found["code"], found["dry_run"], found["created"]) == (0, True, 120)
    assert world.writes() == []
    assert world.summary()["created"] == 120
    dry = world.summary("--dry-run", "--full")
    assert (dry["updated"], dry["unchanged"]) == (120, 0)


def test_the_connection_s_pace_is_kept(world: World) -> None:
    """With 40 deliveries a second allowed, 30 customers take three quarters of a second at least."""
    world.crm.add_customers(30)
    world.configure(deliveries={"per_second": 40})
    started = time.monotonic()
    assert world.patiently(Order("acme"))[0].created == 30
    assert time.monotonic() - started >= 30 / 40


def test_full_sends_everything_again(world: World) -> None:
    """--full patches every customer, changed or not, and doubles none."""
    world.crm.add_customers(30)
    world.summary()
    found = world.summary("--full")
    assert (found["updated"], found["created"], len(world.customer_data())) == (30, 0, 30)


def test_since_leaves_out_the_older_ones(world: World) -> None:
    """--since reads only what changed since then, and takes nobody for deleted."""
    world.crm.add_customers(60)
    world.summary()
    changed, deleted = world.ids()[0], world.ids()[1]
    world.upstream.http.post("/apptivo/_webhook", json={"customer": changed, "set": {"description": "new"}})
    world.delete_customers(deleted)
    found = world.summary("--since", "12h")
    assert (found["customers"], found["updated"], found["gone"]) == (1, 1, 0)


def test_v1_of_vainu_s_api_is_one_import_a_page(world: World) -> None:
    """With api_version 1 new customers go as batch imports, one after the other."""
    world.configure(vainu={"api_version": 1})
    ids = [world.customer("Oy Samlink Ab", "0970409-8"), world.customer("Norrsken Exempelverktyg AB", country="SE")]
    found = world.summary()
    assert (found["code"], found["created"]) == (0, 2)
    assert sorted(each["unique_id"] for each in world.customer_data()) == sorted(ids)
    assert [line.split("?")[0] for line in world.writes()] == ["POST /api/v1/customer_data/"]

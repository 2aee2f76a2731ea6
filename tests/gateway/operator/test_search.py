"""What operators type into the search: ids of every kind, and what a company is known by."""

from tests.gateway.operator.conftest import Desk


def test_a_company_is_found_by_whatever_it_is_known_by(desk: Desk) -> None:
    """Its name or how that begins, business id in any spelling, domain, vid, unique_ids, the export, its number."""
    told = desk.push(
        "acme",
        company_name="Oy Samlink Ab",
        business_id="09704098",
        vid=253870,
        domain="samlink.fi",
        contacts=[{"first_name": "Jane", "last_name": "Doe"}],
    )
    desk.push("acme", company_name="Samling Oy", business_id="01120389")
    (export,) = desk.get("exports", q=told["export_id"])["items"]
    delivery = desk.get(f"deliveries/{export['delivery_id']}")
    names = ["oy samlink ab", "Oy Saml", "OY  SAMLINK"]
    numbers = ["09704098", "FI09704098", "0970409-8", "FI 0970409-8"]
    ids = [*delivery["company"]["unique_ids"], export["company_id"], str(export["delivery_id"])]

    assert len(delivery["company"]["unique_ids"]) == 2
    for text in [*names, *numbers, "samlink.fi", "https://www.samlink.fi/", "253870", *ids]:
        if text != export["company_id"]:
            assert [each["id"] for each in desk.get("exports", q=text)["items"]] == [told["export_id"]], text
        kinds = sorted(each["kind"] for each in desk.get("deliveries", q=text)["items"])
        assert kinds == (["export"] if text == str(export["delivery_id"]) else ["export", "export_details"]), text
    assert desk.get("exports", q="sam", state="dead")["items"] == []
    assert len(desk.get("exports", q="samling")["items"]) == 1
    assert desk.get("exports", q="ab samlink")["items"] == []


def test_a_webhook_is_found_by_its_id_and_by_the_crms_record(desk: Desk) -> None:
    """The id that its sender was told, and the record that it is about."""
    desk.upstream.fault("apptivo", "503")
    hook_id = desk.hook("acme", {"customerId": 4711})
    desk.hook("globex", {"event": 1})

    for text in (hook_id, "4711"):
        assert [each["event_id"] for each in desk.get("webhooks", q=text)["items"]] == [hook_id]
    assert desk.get("webhooks", q="4712")["items"] == []


ODD = ["%", "_", "'; DROP TABLE deliveries; --", "exp_", "whk_" + "z" * 26, "9" * 300, "ä😀"]


def test_whatever_is_typed_is_only_a_text(desk: Desk) -> None:
    """Wildcards, quotes and ids that are none find nothing, and break nothing."""
    desk.push("acme", company_name="Oy Samlink Ab")
    for text in ODD:
        assert desk.get("exports", q=text)["items"] == desk.get("deliveries", q=text)["items"] == []

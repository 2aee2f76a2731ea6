"""Creating, updating and detailing a customer, on the simulator over real HTTP."""

from typing import Any

import pytest

from adapters.apptivo.simulator import BUSINESS_ID_ATTRIBUTE, BUSINESS_ID_TAG
from adapters.contract import Contact, Lead, NotFound, Refused, UnexpectedReply


def _customers(bench: Any) -> list[dict[str, Any]]:
    return bench.state.tables["customers"]


def test_create_writes_the_documented_fields_and_gives_the_customer_id(bench, pushed):
    """A new customer has Vainu's values under Apptivo's names, with the ids of the firm's own lists."""

    async def act(adapter, deadline):
        await adapter.find(pushed(), deadline)
        return await adapter.create(pushed(), deadline)

    record_id = bench.run(act, business_id_attribute=BUSINESS_ID_ATTRIBUTE)
    (customer,) = _customers(bench)
    assert record_id == str(customer["customerId"])
    expected = {
        "customerName": "Oy Samlink Ab",
        "website": "www.samlink.fi",
        "annualRevenue": 93116557,
        "annualRevenueCurrencyCode": "EUR",
        "employeeRange": "100 - 499",
        "employeeRangeId": 403,
        "industryName": "Computer Software",
        "industryId": 300,
        "description": "https://app.vainu.io/vainu/prospect/253870/",
        "statusName": "Active",
        "statusId": 10000,
        "isUnsubscribed": "N",
    }
    assert expected == {name: customer[name] for name in expected}
    assert [(row["phoneNumber"], row["phoneTypeCode"]) for row in customer["phoneNumbers"]] == [
        ("09548050", "PHONE_BUSINESS")
    ]
    (address,) = customer["addresses"]
    assert (
        address["addressLine1"],
        address["city"],
        address["zipCode"],
        address["countryCode"],
        address["addressType"],
    ) == ("Linnoitustie 9", "ESPOO", "02600", "FI", "Billing Address")
    (attribute,) = customer["customAttributes"]
    assert {
        "customAttributeId": BUSINESS_ID_ATTRIBUTE,
        "customAttributeValue": "09704098",
        "customAttributeType": "input",
        "customAttributeTagName": BUSINESS_ID_TAG,
    }.items() <= attribute.items()


def test_a_description_and_vainus_page_stand_on_lines_of_their_own(bench, pushed):
    """What joins the two is a line's end, not the letters that spell one."""
    company = pushed(document={"description": "Runs banks' computers."})

    bench.run(lambda adapter, deadline: adapter.create(company, deadline))
    (customer,) = _customers(bench)
    assert customer["description"] == "Runs banks' computers.\nhttps://app.vainu.io/vainu/prospect/253870/"


def test_save_carries_the_flags_of_the_documents(bench, pushed):
    """`save` is sent with isLeadConvert, isDuplicate and the number that Apptivo replaces."""
    bench.run(lambda adapter, deadline: adapter.create(pushed(), deadline))
    (line,) = bench.lines("a=save")
    assert "isLeadConvert=N" in line
    assert "isDuplicate=false" in line
    assert "Auto+generated+number" in line


def test_keys_never_stand_in_an_address(bench, pushed):
    """Neither key shows in the query of any call, whatever is called."""

    async def act(adapter, deadline):
        await adapter.check(deadline)
        record_id = await adapter.create(pushed(contacts=(Contact("Jane", "Doe"),)), deadline)
        await adapter.add_details(record_id, pushed(contacts=(Contact("Jane", "Doe"),)), deadline)
        await adapter.find(pushed(), deadline)
        for source in adapter.sources:
            await adapter.activities(source, record_id, 200, deadline)

    bench.run(act)
    assert len(bench.app.journal.calls) >= 14
    assert all("demo-apptivo" not in call["query"] for call in bench.app.journal.calls)
    assert all("apiKey=demo-apptivo-api-key" in call["line"] for call in bench.app.journal.calls)


def test_create_goes_on_without_ids_when_the_lists_cannot_be_had(bench, pushed):
    """A getConfigData that breaks or hangs costs the ids, not the customer."""
    bench.fault("503", "getConfigData")
    bench.run(lambda adapter, deadline: adapter.create(pushed(), deadline))
    (customer,) = _customers(bench)
    assert (customer["industryName"], customer["industryId"]) == ("Computer software", None)
    assert customer["employeeRange"] == ""


def test_a_hanging_getconfigdata_does_not_eat_the_budget(bench, pushed):
    """Within a budget of two seconds the customer is made although getConfigData takes three."""
    bench.fault("delay", "getConfigData", seconds=3)
    assert bench.run(lambda adapter, deadline: adapter.create(pushed(), deadline), seconds=2)


def test_getconfigdata_is_asked_once_for_many_writes(bench, pushed):
    """The firm's lists are kept: three creates ask for them once."""

    async def act(adapter, deadline):
        for number in range(3):
            await adapter.create(pushed(f"Company {number}"), deadline)

    bench.run(act)
    assert len(bench.lines("getConfigData")) == 1


def test_update_changes_what_differs_and_keeps_the_rest(bench, pushed):
    """A user's own phone, e-mail, description and attributes stay; ours are added; only changed fields are named."""
    bench.state.insert_customer(
        {
            "customerName": "Samlink",
            "description": "Call before noon",
            "phoneNumbers": [{"phoneNumber": "+358 40 1", "phoneTypeCode": "PHONE_MOBILE"}],
            "emailAddresses": [{"emailAddress": "Info@Samlink.fi", "emailTypeCode": "BUSINESS"}],
            "addresses": [{"addressLine1": "Other 1", "city": "Turku", "countryCode": "FI"}],
            "customAttributes": [{"customAttributeId": "input_1", "customAttributeValue": "kept"}],
            "creditRating": "AAA",
        }
    )
    (before,) = _customers(bench)
    update = pushed(document={"email": "info@samlink.fi", "turn_over": None})
    bench.run(
        lambda adapter, deadline: adapter.update(before["id"], update, deadline),
        business_id_attribute=BUSINESS_ID_ATTRIBUTE,
    )
    (after,) = _customers(bench)
    assert after["customerName"] == "Oy Samlink Ab"
    assert (after["description"], after["creditRating"]) == ("Call before noon", "AAA")
    assert [row["phoneNumber"] for row in after["phoneNumbers"]] == ["+358 40 1", "09548050"]
    assert [row["emailAddress"] for row in after["emailAddresses"]] == ["Info@Samlink.fi"]
    assert [row["addressLine1"] for row in after["addresses"]] == ["Other 1", "Linnoitustie 9"]
    assert [row["customAttributeValue"] for row in after["customAttributes"]] == ["kept", "09704098"]
    (line,) = bench.lines("a=update")
    assert "isAddressUpdate=true" in line
    assert "isEmailAddressUpdate=false" in line
    assert "isCustomAttributesUpdate=true" in line
    assert "objectId=3" in line
    assert "attributeNames" not in line


def test_a_repeated_update_sends_nothing(bench, pushed):
    """The second update with the same values reads, finds nothing to change, and writes nothing."""

    async def act(adapter, deadline):
        record_id = await adapter.create(pushed(), deadline)
        await adapter.update(record_id, pushed(), deadline)
        changed = pushed(document={"phone": "+358 9 1234", "visiting_city": "Ignored"})
        await adapter.update(record_id, changed, deadline)
        await adapter.update(record_id, changed, deadline)

    bench.run(act, business_id_attribute=BUSINESS_ID_ATTRIBUTE)
    assert len(bench.lines("a=update")) == 1
    (customer,) = _customers(bench)
    assert len(customer["phoneNumbers"]) == 2


def test_an_empty_value_never_blanks_a_field(bench, pushed):
    """A push without phone, website and revenue leaves the customer's own alone."""

    async def act(adapter, deadline):
        record_id = await adapter.create(pushed(), deadline)
        bare = pushed(document=dict.fromkeys(("phone", "link", "turn_over", "address", "city", "postal"), ""))
        await adapter.update(record_id, bare, deadline)

    bench.run(act)
    (customer,) = _customers(bench)
    assert (customer["website"], customer["annualRevenue"]) == ("www.samlink.fi", 93116557)


def test_the_address_that_only_holds_a_country_is_filled(bench, pushed):
    """Apptivo's own empty billing address (S003) takes ours instead of getting a sister."""
    bench.state.insert_customer(
        {
            "customerName": "Oy Samlink Ab",
            "addresses": [{"addressId": 12937411, "addressLine1": "", "countryCode": "IN"}],
        }
    )
    (before,) = _customers(bench)
    bench.run(lambda adapter, deadline: adapter.update(before["id"], pushed(), deadline))
    (address,) = _customers(bench)[0]["addresses"]
    assert (
        address["addressId"],
        address["addressLine1"],
        address["countryCode"],
    ) == (12937411, "Linnoitustie 9", "FI")


@pytest.mark.parametrize("record_id", ["4711", "not/an/id", "gw_abc"])
def test_update_of_a_customer_that_is_gone_is_not_found(bench, pushed, record_id):
    """`NotFound` tells the gateway that the link leads nowhere."""
    with pytest.raises(NotFound):
        bench.run(lambda adapter, deadline: adapter.update(record_id, pushed(), deadline))


def test_a_custom_field_is_written_by_its_id(bench, pushed):
    """The target `custom:<customAttributeId>` writes any field of the firm's own, and a repeat changes nothing."""

    async def act(adapter, deadline):
        record_id = await adapter.create(pushed(), deadline)
        await adapter.update(record_id, pushed(), deadline)

    bench.run(act, fields={"custom:number_77_1": "staff_number", "website": ""})
    (customer,) = _customers(bench)
    assert (
        customer["customAttributes"][0]["customAttributeValue"],
        customer["customAttributes"][0]["customAttributeType"],
    ) == ("399", "number")
    assert customer["website"] == ""
    assert bench.lines("a=update") == []


def test_contacts_and_leads_arrive_once(bench, pushed):
    """Repeating add_details doubles neither contacts nor notes, and compares e-mail addresses without case."""
    details = pushed(
        contacts=(
            Contact("Jane", "Doe", "Jane@Example.com", "+358 1", "CEO"),
            Contact("John", "Roe"),
            Contact("john", "ROE"),
            Contact(),
        ),
        leads=(
            Lead("Samlink hires 20 & grows", "https://news.example/1", "2018-05-04T07:11:26", ("hr", "growth")),
            Lead(),
        ),
    )

    async def act(adapter, deadline):
        record_id = await adapter.create(pushed(), deadline)
        bench.state.tables["notes"].clear()
        await adapter.add_details(record_id, details, deadline)
        await adapter.add_details(record_id, details, deadline)
        more = pushed(contacts=(Contact("J.", "Doe", "jane@example.COM"), Contact("Ann", "Poe", "ann@example.com")))
        await adapter.add_details(record_id, more, deadline)
        return record_id

    record_id = bench.run(act)
    contacts = bench.state.tables["contacts"]
    assert [row["lastName"] for row in contacts] == ["Doe", "Roe", "Poe"]
    assert {int(record_id)} == {row["accountId"] for row in contacts}
    (note,) = bench.state.tables["notes"]
    assert note["noteText"].split("\n") == [
        "Samlink hires 20 & grows",
        "https://news.example/1",
        "Added: 2018-05-04T07:11:26",
        "Tags: hr, growth",
    ]


def test_a_note_that_apptivo_turned_into_markup_is_still_the_same_note(bench, pushed):
    """Line breaks that became <br> and & that became &amp; do not double a note."""
    details = pushed(leads=(Lead("A & B", "https://x.example/?a=1&b=2"),))

    async def act(adapter, deadline):
        record_id = await adapter.create(pushed(), deadline)
        bench.state.tables["notes"].clear()
        await adapter.add_details(record_id, details, deadline)
        (note,) = bench.state.tables["notes"]
        note["noteText"] = "<p>" + note["noteText"].replace("&", "&amp;").replace("\n", "<br/>") + "</p>"
        await adapter.add_details(record_id, details, deadline)

    bench.run(act)
    assert len(bench.state.tables["notes"]) == 1


def test_a_contact_that_accountid_does_not_tie_is_tied_by_addcontact(bench, pushed, monkeypatch):
    """Where Apptivo ignores accountId, the contact is associated by the documented action."""
    insert = type(bench.state).insert

    def untied(state, table, row):
        return insert(state, table, {**row, "accountId": None} if table == "contacts" else row)

    monkeypatch.setattr(type(bench.state), "insert", untied)

    async def act(adapter, deadline):
        record_id = await adapter.create(pushed(), deadline)
        await adapter.add_details(record_id, pushed(contacts=(Contact("Jane", "Doe"),)), deadline)
        return record_id

    record_id = bench.run(act)
    (contact,) = bench.state.tables["contacts"]
    assert int(record_id) == contact["accountId"]


def test_a_refused_save_tells_apptivos_reason(bench, pushed):
    """A validation error, which Apptivo sends as a 200, is Refused with its reason."""
    nameless = pushed(" ", document={"company_name": "", "name": None})
    with pytest.raises(Refused, match="Customer Name is mandatory"):
        bench.run(lambda adapter, deadline: adapter.create(nameless, deadline))


@pytest.mark.parametrize("fault", ["html", "empty", "nonsense"])
def test_a_save_that_is_not_understood_is_never_sent_twice(bench, pushed, fault):
    """The outcome is unknown: one save, an UnexpectedReply, and the gateway searches before it tries again."""
    bench.fault(fault, "a=save")
    with pytest.raises(UnexpectedReply) as raised:
        bench.run(lambda adapter, deadline: adapter.create(pushed(), deadline))
    assert not raised.value.outcome_known
    assert len(bench.lines("a=save")) == 1


def test_a_company_of_unknown_size_and_trade_gets_neither(bench, pushed):
    """Without staff_number and industry no range and no industry are chosen."""
    unknown = pushed(document={"staff_number": None, "industry": ""})
    bench.run(lambda adapter, deadline: adapter.create(unknown, deadline))
    (customer,) = _customers(bench)
    assert (customer["employeeRange"], customer["employeeRangeId"]) == ("", None)
    assert (customer["industryName"], customer["industryId"]) == ("", None)

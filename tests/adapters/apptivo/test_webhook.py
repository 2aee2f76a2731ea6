"""Apptivo's webhooks. No payload of one is published (upstream-apis 1.10): the bodies here are made from records in
the documents (S003, apdoc, airbyte's schemas, phpmt) and from nothing that was ever received."""

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.apptivo.simulator import BUSINESS_ID_ATTRIBUTE
from adapters.apptivo.webhook import read_events
from adapters.contract import CrmEvent, CustomerSummary, CustomerWebhooks, NotFound, UnexpectedReply

TASK = {"id": "77", "objectId": 6, "activityType": "Task", "subject": "Call", "eventId": "77"}
AT_CUSTOMER = {"objectId": 3, "objectRefId": 1090590, "objectName": "Customer", "objectRefName": "Samlink"}
AT_CONTACT = {"objectId": 2, "objectRefId": 5, "objectName": "Contact"}
OPPORTUNITY = {"id": "901", "opportunityId": 901, "opportunityName": "Licence", "opportunityCustomerId": 1090590}
ONE = ["1090590"]


@pytest.mark.parametrize(
    ("body", "customers"),
    [
        ({"customerId": 1090590}, ONE),
        ({"customerId": "1090590", "id": "1090590", "customerName": "Samlink"}, ONE),
        ({"customerId": 1090590.0}, ONE),
        ({"data": {"customerId": "1090590"}}, ONE),
        ({"customer": {"customerId": 1090590}}, ONE),
        ({"customer": {"id": "1090590"}}, ONE),
        ({"event": "customer.updated", "data": {"customer": {"customerId": 1090590}}}, ONE),
        ({"payload": {"customerId": 1090590}}, ONE),
        ({"record": {"id": "1090590", "customerName": "Samlink", "customerNumber": "9"}}, ONE),
        ({"objectId": 3, "objectRefId": 1090590}, ONE),
        ({"objectId": "3", "objectRefId": "1090590"}, ONE),
        ({"objectId": 3, "id": 1090590}, ONE),
        ({"objectId": 3, "data": {"id": 1090590}}, ONE),
        ({"objectRefId": 1090590}, ONE),
        ({"objectName": "Customer", "objectRefId": 1090590}, ONE),
        ({"type": "customer", "id": 1090590}, ONE),
        ({"event": "customer.updated", "data": {"id": 1090590}}, ONE),
        ({"event": "Customer Updated", "id": 1090590}, ONE),
        (OPPORTUNITY, ONE),
        ({"objectId": 11, "objectRefId": 901, "data": OPPORTUNITY}, ONE),
        ({**TASK, "associatedObjects": [AT_CONTACT, AT_CUSTOMER]}, ONE),
        ({"noteText": "x", "associations": [AT_CUSTOMER]}, ONE),
        ({"objectId": 59, "objectRefId": 5, "customerId": 1090590}, ONE),
        ([{"customerId": 1}, {"customerId": 2}, {"customerId": 1}], ["1", "2"]),
        ({"data": [{"customerId": 2}, {"objectId": 3, "objectRefId": 1}]}, ["2", "1"]),
        ({**TASK, "associatedObjects": [AT_CUSTOMER, {**AT_CUSTOMER, "objectRefId": 7}]}, ["1090590", "7"]),
    ],
)
def test_the_customer_is_found(body: object, customers: list[str]) -> None:
    """The record itself, an id with its type, a list, or any of these one level down."""
    assert customers == [event.record_id for event in read_events(body)]


@pytest.mark.parametrize(
    "body",
    [
        None,
        "customerId",
        1090590,
        {},
        [],
        {"hello": "world"},
        {"customerId": None},
        {"customerId": True},
        {"customerId": 0},
        {"customerId": -5},
        {"customerId": "../1"},
        {"customerId": "1 OR 1"},
        {"customerId": "x" * 129},
        {"customerId": {"id": 5}},
        {"objectId": 4, "objectRefId": 5},
        {"objectId": 11, "objectRefId": 901},
        {"objectId": 3},
        {"objectName": "Lead", "objectRefId": 5},
        {"event": "lead.updated", "data": {"id": 5}},
        {"id": 5},
        {"event": "customer.updated", "id": "evt_5"},
        {**TASK, "associatedObjects": [AT_CONTACT]},
        [[{"customerId": 5}]],
        {"data": {"data": {"customerId": 5}}},
    ],
    ids=lambda body: str(body)[:60],
)
def test_what_names_no_customer_is_no_event(body: object) -> None:
    """Other kinds of records, ids that can be none, and anything else."""
    assert read_events(body) == []


@pytest.mark.parametrize(
    ("body", "event_id"),
    [
        ({"eventId": "e-1", "customerId": 5}, "e-1"),
        ({"event_id": 17, "data": {"customerId": 5}}, "17"),
        ({"data": {"customerId": 5, "eventId": "e-2"}, "eventId": "e-1"}, "e-2"),
        ({"id": "evt_1", "event": "customer.updated", "data": {"customerId": 5}}, "evt_1"),
        ({"id": "evt_1", "type": "customer.updated", "data": {"customerId": 5}}, "evt_1"),
        ({"id": "901", "event": "updated", "data": {"opportunityCustomerId": 5}}, None),
        ({"id": "evt_1", "type": "New business", "customerId": 5}, None),
        ({"id": "5", "customerId": 5}, None),
        ({"eventId": "a b", "customerId": 5}, None),
        ({"eventId": "x" * 257, "customerId": 5}, None),
        ({**TASK, "associatedObjects": [{**AT_CUSTOMER, "objectRefId": 5}]}, None),
        ([{"eventId": "1", "customerId": 5}, {"eventId": "2", "customerId": 5}], None),
    ],
)
def test_the_event_s_id_is_only_what_can_be_no_record_s(body: object, event_id: str | None) -> None:
    """A record's id taken for the event's would make its next change a repeat, and lose it."""
    assert read_events(body) == [CrmEvent("5", event_id)]


_names = st.sampled_from(
    ["customerId", "customer", "data", "payload", "record", "event", "objectId", "objectRefId", "objectName", "type",
     "opportunityCustomerId", "associatedObjects", "id", "eventId", "customerName", "customerNumber"]
) | st.text(max_size=5)  # fmt: skip
_scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from([3, "3"])
_json = st.recursive(
    _scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_names, inner, max_size=6),
    max_leaves=25,
)


@given(_json)
def test_no_body_is_too_odd(body: object) -> None:
    """Any JSON is read without an exception; what is found are ids that can be ids, each once."""
    ids = [event.record_id for event in read_events(body)]
    assert len(ids) == len(set(ids))
    assert all(0 < len(each) <= 128 and each.replace("-", "").replace("_", "").isalnum() for each in ids)


def changed(bench: Any, **parts: Any) -> str:
    """A customer in the simulated firm, changed by hand; its id."""
    return str(bench.state.insert_customer({"customerName": "Oy Samlink Ab", **parts})["customerId"])


def summary(bench: Any, customer_id: str, **settings: Any) -> CustomerSummary:
    async def act(adapter: Any, deadline: Any) -> CustomerSummary:
        assert isinstance(adapter, CustomerWebhooks)
        return await adapter.summary(customer_id, deadline)

    found: CustomerSummary = bench.run(act, **settings)
    return found


def test_a_summary_is_what_the_crm_has_now(bench: Any) -> None:
    """Name, number, country, owner, time in the zone, notes as text, and the deals counted."""
    customer_id = changed(
        bench,
        assigneeObjectRefName="sam.sales@example.com",
        description="<p>Big &amp; old</p>",
        addresses=[{"countryCode": ""}, {"countryCode": "fi"}],
        customAttributes=[{"customAttributeId": BUSINESS_ID_ATTRIBUTE, "customAttributeValue": "FI-0970409-8"}],
    )
    bench.state.one("customers", customer_id)["lastUpdateDate"] = "2026-03-02 14:00:00"
    expected = CustomerSummary(
        record_id=customer_id,
        name="Oy Samlink Ab",
        business_id="09704098",
        country="FI",
        owner_email="sam.sales@example.com",
        last_update=datetime(2026, 3, 2, 12, 0, tzinfo=UTC),
        notes="Big & old",
        open_deals=1,
        won_deals=1,
        lost_deals=1,
        last_won_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    assert expected == summary(bench, customer_id, business_id_attribute=BUSINESS_ID_ATTRIBUTE)


def test_what_the_crm_does_not_tell_is_none(bench: Any) -> None:
    """A name is no e-mail address, "Not Contacted" no time, a blank description no note."""
    customer_id = changed(bench, assigneeObjectRefName="Sam Sales", description=" ")
    bench.state.one("customers", customer_id).update(lastUpdateDate="Not Contacted", creationDate=None)
    found = summary(bench, customer_id)
    assert (
        found.owner_email, found.last_update, found.notes, found.business_id, found.country
    ) == (None, None, None, None, None)  # fmt: skip


def test_a_number_in_an_attribute_that_is_not_configured_is_not_taken(bench: Any) -> None:
    """Without the setting no custom attribute is the business id, unless it is called one."""
    attribute = {"customAttributeId": BUSINESS_ID_ATTRIBUTE, "customAttributeValue": "09704098"}
    assert summary(bench, changed(bench, customAttributes=[attribute])).business_id is None


def named(name: str, value: object, key: str = "customAttributeName") -> dict[str, object]:
    return {"customAttributeId": 4711, "customAttributeType": "input", key: name, "customAttributeValue": value}


@pytest.mark.parametrize("name", ["Business ID", "business_id", "Y-tunnus", "VAT number", "Org. nr", "Company no."])
def test_an_attribute_that_is_called_a_business_id_is_one(bench: Any, name: str) -> None:
    """By its name or its tag name, whatever the spelling, where the setting says nothing; cleaned as always."""
    addresses = [{"countryCode": "FI"}]
    for key in ("customAttributeName", "customAttributeTagName"):
        custom = [named("Colour", "12345 red"), named(name, "FI-0970409-8", key)]
        found = summary(bench, changed(bench, addresses=addresses, customAttributes=custom))
        assert (found.business_id, found.country) == ("09704098", "FI")


@pytest.mark.parametrize(
    "custom",
    [
        [named("Company ID", "12345")],
        [named("VAT rate", "25.500")],
        [named("Business ID", "none")],
        [named("Business ID", "0970409-8"), named("VAT number", "FI28229966")],
    ],
)
def test_what_may_be_another_number_is_no_business_id(bench: Any, custom: list[dict[str, object]]) -> None:
    """A number of the firm's own, a word, or two that differ: none, rather than another company's."""
    assert summary(bench, changed(bench, customAttributes=custom)).business_id is None


def test_the_attribute_s_id_may_be_a_number(bench: Any) -> None:
    """The setting is text, Apptivo's JSON may hold a number."""
    custom = [named("Colour", "0970409-8")]
    found = summary(bench, changed(bench, customAttributes=custom), business_id_attribute="4711")
    assert found.business_id == "09704098"


def test_long_notes_are_cut(bench: Any) -> None:
    """2,000 characters are enough for a card."""
    assert len(summary(bench, changed(bench, description="n" * 5_000)).notes or "") == 2_000


def test_deals_are_counted_over_all_pages_by_the_firm_s_stages(bench: Any) -> None:
    """250 opportunities on three pages; another firm's words for won and lost."""
    customer_id = changed(bench)
    bench.state.tables["opportunities"].clear()
    for number in range(250):
        stage = ("Kauppa", "Ei kauppaa", "Neuvottelu", "Closed Won")[number % 4]
        bench.state.insert("opportunities", {"opportunityCustomerId": int(customer_id), "salesStageName": stage})
    bench.state.insert("opportunities", {"opportunityCustomerId": 1, "salesStageName": "Kauppa"})
    found = summary(bench, customer_id, won_stages=["kauppa"], lost_stages=["ei kauppaa"])
    assert (found.won_deals, found.lost_deals, found.open_deals) == (63, 63, 124)


def test_deals_that_are_not_asked_for_are_not_counted_as_none(bench: Any) -> None:
    """With the source switched off the numbers are unknown, not zero."""
    found = summary(bench, changed(bench), actions={"opportunities": {"action": ""}})
    assert (found.won_deals, found.lost_deals, found.open_deals) == (None, None, None)
    assert bench.lines("opportunities") == []


@pytest.mark.parametrize("customer_id", ["999", "../1", "a b"])
def test_a_customer_that_is_gone_is_not_found(bench: Any, customer_id: str) -> None:
    """Deleted in the CRM, or never there."""
    with pytest.raises(NotFound):
        summary(bench, customer_id)


@pytest.mark.parametrize(("fault", "error"), [("nonsense", UnexpectedReply), ("html", UnexpectedReply)])
def test_opportunities_that_cannot_be_read_are_never_no_deals(bench: Any, fault: str, error: type[Exception]) -> None:
    """The summary fails as a whole, so that Vainu keeps the numbers it has."""
    customer_id = changed(bench)
    bench.fault(fault, "opportunities")
    with pytest.raises(error):
        summary(bench, customer_id)


def test_the_simulated_firm_tells_of_a_change(bench: Any) -> None:
    """The body that it would push is read as this customer, and the change is in the CRM."""
    customer_id = changed(bench)
    change = {"set": {"assigneeObjectRefName": "new.owner@example.com"}, "deals": {"won": 2, "open": 1}}
    answer = httpx.post(f"{bench.url}/_webhook", json={"customer": customer_id, **change})
    (event,) = read_events(answer.json()["body"])
    found = summary(bench, event.record_id)
    assert (200, customer_id) == (answer.status_code, event.record_id)
    assert (
        found.owner_email, found.won_deals, found.lost_deals, found.open_deals
    ) == ("new.owner@example.com", 3, 1, 2)  # fmt: skip


def test_two_changes_are_two_events(bench: Any) -> None:
    """Each has an event id of its own."""
    customer_id = changed(bench)
    bodies = [httpx.post(f"{bench.url}/_webhook", json={"customer": customer_id}).json()["body"] for _ in range(2)]
    assert len({event.event_id for body in bodies for event in read_events(body)}) == 2

"""CRM.COM's webhooks. None is published (upstream-apis 2.7): the bodies here are made from records in the documents
(S004, wiki, the captured replies of the public mock) and from nothing that was ever received."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.contract import CrmEvent, CustomerSummary, CustomerWebhooks, NotFound, Refused, UnexpectedReply
from adapters.crmcom.webhook import read_events
from adapters.deadline import Deadline

CONTACT = "5B5A2F0C5D2D4F1C8E7A1B2C3D4E5F60"
ACCOUNT = "0A1B2C3D4E5F60718293A4B5C6D7E8F9"
COMPANY = {"id": CONTACT, "number": "CI000111", "type": "COMPANY", "company_name": "Vainu Oy"}
PERSON = {"id": CONTACT, "type": "PERSON", "first_name": "Jane", "last_name": "Doe"}
OWNED = {"id": ACCOUNT, "number": "ACR0000000164", "account_owner": COMPANY}
PURCHASE = {"id": "F" * 32, "number": "45", "type": "PURCHASE", "total_amount": 240.0}


@pytest.mark.parametrize(
    ("body", "customers"),
    [
        ({"contact_information": {"id": CONTACT}}, [CONTACT]),
        ({"contact_information": COMPANY}, [CONTACT]),
        ({"contact_information": CONTACT}, [CONTACT]),
        ({"contact_information_id": CONTACT}, [CONTACT]),
        ({"contact_information_identifier": {"id": CONTACT}}, [CONTACT]),
        ({"contact_information": 4711}, ["4711"]),
        ({"data": {"contact_information": {"id": CONTACT}}}, [CONTACT]),
        ({"customer": {"contact_information": {"id": CONTACT}}}, [CONTACT]),
        ({"payload": [{"contact_information": {"id": "A"}}, {"contact_information": {"id": "B"}}]}, ["A", "B"]),
        ({"contact_information": [{"id": "A"}, "B", {"id": "A"}]}, ["A", "B"]),
        (COMPANY, [CONTACT]),
        ({"event": "contact_information.updated", "data": COMPANY}, [CONTACT]),
        ({"type": "contact_information", "id": CONTACT}, [CONTACT]),
        ({"type": "contact_information.updated", "data": {"id": CONTACT}}, [CONTACT]),
        ({"object": "Contact Information", "record": {"id": CONTACT}}, [CONTACT]),
        ({"accounts_receivable": OWNED}, [CONTACT]),
        ({"accounts_receivable": {"account_owner": {"contact_information": {"id": CONTACT}}}}, [CONTACT]),
        ({"accounts_receivable": {"id": ACCOUNT, "number": "ACR0000000164"}}, [f"ar:{ACCOUNT}"]),
        ({"accounts_receivable": ACCOUNT}, [f"ar:{ACCOUNT}"]),
        ({"data": {"accounts_receivable_id": ACCOUNT}}, [f"ar:{ACCOUNT}"]),
        ({"type": "accounts_receivable", "id": ACCOUNT}, [f"ar:{ACCOUNT}"]),
        (OWNED, [CONTACT]),
        ({**PURCHASE, "accounts_receivable": OWNED}, [CONTACT]),
        ({**PURCHASE, "contact_information": {"id": "A"}, "accounts_receivable": {"id": "B"}}, ["A"]),
    ],
)
def test_the_customer_is_found(body: object, customers: list[str]) -> None:
    """The record itself, what refers to it, an account by its owner or marked, one level down and in lists."""
    assert [event.record_id for event in read_events(body)] == customers


@pytest.mark.parametrize(
    "body",
    [
        None,
        CONTACT,
        [],
        {},
        {"hello": "world"},
        {"id": CONTACT},
        {"type": "PURCHASE", "id": CONTACT},
        {"contact_information": None},
        {"contact_information": {"number": "CI000111"}},
        {"contact_information": {"id": "../x"}},
        {"contact_information": {"id": "x" * 129}},
        {"contact_information": True},
        {"contact_information": PERSON},
        {"accounts_receivable": {"account_owner": PERSON}},
        {"accounts_receivable": {"id": "a:b"}},
        PERSON,
        {"event": "contact_information.updated", "id": "6f9619ff-8b86-d011-b42d-00c04fc964ff"},
        {"data": {"data": {"contact_information": {"id": CONTACT}}}},
    ],
    ids=lambda body: str(body)[:60],
)
def test_what_names_no_company_is_no_event(body: object) -> None:
    """Persons, other records, ids that can be none, and anything else."""
    assert read_events(body) == []


@pytest.mark.parametrize(
    ("body", "event_id"),
    [
        ({"event_id": "e-1", "contact_information": {"id": "A"}}, "e-1"),
        ({"eventId": 7, "data": {"contact_information": {"id": "A"}}}, "7"),
        ({"id": "evt-1", "event": "updated", "contact_information": {"id": "A"}}, "evt-1"),
        ({"id": "evt-1", "type": "contact_information.updated", "data": {"id": "A"}}, "evt-1"),
        ({**PURCHASE, "contact_information": {"id": "A"}}, None),
        ({"id": CONTACT, "event": "lead won", "contact_information": {"id": "A"}}, None),
        ({"id": "45", "event": "lead won", "contact_information": {"id": "A"}}, None),
    ],
)
def test_the_event_s_id_is_only_what_can_be_no_record_s(body: object, event_id: str | None) -> None:
    """A lead's own id is the same at its next change, which must not pass for a repeat."""
    assert read_events(body) == [CrmEvent("A", event_id)]


_names = st.sampled_from(
    ["contact_information", "contact_information_id", "accounts_receivable", "account_owner", "owner", "id", "type",
     "data", "payload", "record", "event", "event_id", "object"]
) | st.text(max_size=5)  # fmt: skip
_scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["COMPANY", "PERSON"])
)
_json = st.recursive(
    _scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_names, inner, max_size=6),
    max_leaves=25,
)


@given(_json)
def test_no_body_is_too_odd(body: object) -> None:
    """Any JSON is read without an exception; what is found are ids that can be ids, marked or not, each once."""
    ids = [event.record_id for event in read_events(body)]
    bare = [each.removeprefix("ar:") for each in ids]
    assert len(ids) == len(set(ids))
    assert all(0 < len(each) <= 128 and each.replace("-", "").replace("_", "").isalnum() for each in bare)


def summary(server: Any, record_id: str) -> CustomerSummary:
    async def act(adapter: Any) -> CustomerSummary:
        assert isinstance(adapter, CustomerWebhooks)
        return await adapter.summary(record_id, Deadline.after(5))

    found: CustomerSummary = server.run(act)
    return found


def contact(server: Any, **parts: Any) -> str:
    """A company in the simulated CRM, made by hand; its id."""
    return str(server.state.create_contact({"type": "COMPANY", "company_name": "Vainu Oy", **parts})["id"])


def leads(server: Any, contact_id: str, *states: str) -> None:
    for state in states:
        row = {"id": server.state.new_id(), "life_cycle_state": state, "contact_information": {"id": contact_id}}
        server.state.tables["leads"].append(row)


def test_a_summary_is_what_the_crm_has_now(server: Any) -> None:
    """Name, number, country, owner, time in the zone, notes as text, and leads by state however it is spelled."""
    record_id = contact(
        server,
        registration_number="2822996-6",
        notes="Sales <b>intelligence</b>",
        assigned_to_user={"person_name": "Anna", "email": "anna@example.com"},
        address_set=[{"type": "BUSINESS", "country": {"name": "Finland", "alternative_code": "FI"}}],
    )
    server.state.tables["contact_information"][0]["log_information"]["updated_date"] = "2026-07-01T15:00:00"
    leads(server, record_id, "Won", "WON", "LOST", "Cancelled", "In Progress", "PENDING", "Somehow")
    assert summary(server, record_id) == CustomerSummary(
        record_id=record_id,
        name="Vainu Oy",
        business_id="28229966",
        country="FI",
        owner_email="anna@example.com",
        last_update=datetime(2026, 7, 1, 12, 0, tzinfo=UTC),
        notes="Sales intelligence",
        open_deals=3,
        won_deals=2,
        lost_deals=2,
    )


def test_what_the_crm_does_not_tell_is_none(server: Any) -> None:
    """A user name is no e-mail address, who made the record is not its owner, our stand-in is no business id."""
    record_id = contact(server, registration_number="VAINU-" + "A" * 24, owner="anna", notes=None)
    server.state.tables["contact_information"][0]["log_information"] = {"created_by_user": {"email": "x@example.com"}}
    found = summary(server, record_id)
    assert (found.owner_email, found.last_update, found.notes) == (None, None, None)
    assert (found.business_id, found.country, found.open_deals) == (None, None, 0)


def test_a_prefixed_number_tells_its_country(server: Any) -> None:
    """FI28229966 is Finland's; HRB 12345 is nobody's prefix."""
    finnish = contact(server, vat_registration_number="FI28229966")
    german = contact(server, registration_number="HRB 12345")
    found = [summary(server, each) for each in (finnish, german)]
    assert [(each.business_id, each.country) for each in found] == [("28229966", "FI"), ("HRB12345", None)]


def test_an_account_stands_for_its_owner(server: Any) -> None:
    """The marked form is looked up, and the summary names the contact information."""
    record_id = contact(server)
    account_id = server.state.create_account({"account_owner_identifier": {"id": record_id}, "name": "Vainu Oy"})["id"]
    (event,) = read_events({"accounts_receivable": {"id": account_id}})
    assert summary(server, event.record_id).record_id == record_id


@pytest.mark.parametrize("record_id", ["F" * 32, "ar:" + "F" * 32])
def test_a_customer_that_is_gone_is_not_found(server: Any, record_id: str) -> None:
    """No such contact information, and no such account."""
    with pytest.raises(NotFound):
        summary(server, record_id)


def test_a_person_is_no_company_of_vainu(server: Any) -> None:
    """A body that named only an id may turn out to be about a person."""
    person = server.state.create_contact({"type": "PERSON", "first_name": "Jane", "last_name": "Doe"})["id"]
    with pytest.raises(NotFound, match="person"):
        summary(server, person)


@pytest.mark.parametrize("fault", ["nonsense", "html"])
def test_leads_that_cannot_be_read_are_never_no_deals(server: Any, fault: str) -> None:
    """The summary fails as a whole, so that Vainu keeps the numbers it has."""
    record_id = contact(server)
    server.fault(fault, "leads/list")
    with pytest.raises(UnexpectedReply):
        summary(server, record_id)


def test_a_server_without_leads_is_told_as_such(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """An HTTP 404 of the method is no missing customer: `Refused`, and not `NotFound`."""
    record_id = contact(server)
    monkeypatch.delitem(server.state.tables, "leads")
    with pytest.raises(Refused, match="does not know leads/list") as caught:
        summary(server, record_id)
    assert not isinstance(caught.value, NotFound)


def test_the_simulated_crm_tells_of_a_change(server: Any) -> None:
    """The body that it would push is read as this company, with an id of its own; the change is in the CRM."""
    record_id = contact(server)
    change = {"set": {"notes": "Bigger now"}, "deals": {"won": 2, "lost": 1, "open": 3}}
    bodies = [server.control("POST", "/_webhook", customer=record_id, **change)["body"] for _ in range(2)]
    events = [event for body in bodies for event in read_events(body)]
    found = summary(server, record_id)
    assert [event.record_id for event in events] == [record_id, record_id]
    assert len({event.event_id for event in events}) == 2
    assert (found.notes, found.won_deals, found.lost_deals, found.open_deals) == ("Bigger now", 4, 2, 6)


def test_an_export_is_summed_up(server: Any, company: Callable[..., Any]) -> None:
    """What `create` wrote comes back: the number as Vainu pushed it, whatever its spelling there."""
    record_id = server.run(lambda adapter: adapter.create(company(), Deadline.after(5)))
    found = summary(server, record_id)
    assert (found.record_id, found.name, found.business_id) == (record_id, "Vainu Oy", "28229966")

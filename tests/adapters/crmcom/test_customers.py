"""Finding, creating and updating customers; their accounts, contacts and leads."""

import asyncio
from typing import Any

import pytest

from adapters.contract import Company, Match, NotFound, Refused, RemoteError
from adapters.crmcom.adapter import CrmcomAdapter
from adapters.deadline import Deadline


def soon() -> Deadline:
    return Deadline.after(10)


def create(server: Any, company: Company, **settings: Any) -> str:
    made: str = server.run(lambda adapter: adapter.create(company, soon()), **settings)
    return made


def find(server: Any, company: Company, **settings: Any) -> list[Match]:
    return list(server.run(lambda adapter: adapter.find(company, soon()), **settings))


def add_details(server: Any, record_id: str, company: Company, **settings: Any) -> None:
    server.run(lambda adapter: adapter.add_details(record_id, company, soon()), **settings)


def test_create_is_one_write_with_the_companys_fields(server: Any, company: Any) -> None:
    """The push arrives in CRM.COM's own words, by one POST."""
    record_id = create(server, company(), category="Prospects")
    (row,) = server.rows("contact_information")
    assert row["id"] == record_id
    assert (row["type"], row["company_name"]) == ("COMPANY", "Vainu Oy")
    assert row["vat_registration_number"] == row["registration_number"] == "28229966"
    assert row["demographics"]["phone_set"] == [{"type": "BUSINESS", "number": "+358 9 548 050"}]
    assert row["demographics"]["email_set"] == [{"type": "BUSINESS", "email": "info@vainu.example"}]
    assert row["address_set"] == [
        {"type": "BUSINESS", "street_name": "Linnoitustie 9", "postal_code": "02600", "town_city": "ESPOO"}
    ]
    assert row["notes"] == "Sales intelligence\nWeb: www.vainu.example\nTurnover: 93116557.0\nStaff: 399"
    assert row["category_identifier"] == {"name": "Prospects"}
    assert len(server.sent("POST /crmapi/rest/v2/contact_information")) == 1


def test_the_same_create_twice_makes_two_records(server: Any, company: Any) -> None:
    """CRM.COM does not refuse doubles, so the simulator does not either."""
    assert create(server, company()) != create(server, company())


@pytest.mark.parametrize("written", ["28229966", "2822996-6", "FI28229966"])
@pytest.mark.parametrize("field", ["vat_registration_number", "registration_number"])
def test_a_record_made_by_hand_is_found_by_business_id(server: Any, company: Any, written: str, field: str) -> None:
    """Dashes and the country's prefix do not matter, nor which of the two numbers it is."""
    made = server.state.create_contact({"type": "COMPANY", "company_name": "Other name", field: written})
    assert find(server, company()) == [Match(made["id"], "business_id")]


def test_a_record_is_found_by_exact_name(server: Any, company: Any) -> None:
    """Case and spaces do not matter; a part of the name is no match."""
    made = server.state.create_contact({"type": "COMPANY", "company_name": "VAINU  oy"})
    server.state.create_contact({"type": "COMPANY", "company_name": "Vainu Oyj"})
    assert find(server, company()) == []  # the simulator's search does not find two spaces
    row = server.state.tables["contact_information"][0]
    row["company_name"] = "VAINU oy"
    assert find(server, company()) == [Match(made["id"], "name")]


def test_another_business_id_is_no_match_by_name(server: Any, company: Any) -> None:
    """A namesake is another company."""
    server.state.create_contact({"type": "COMPANY", "company_name": "Vainu Oy", "registration_number": "0970409-8"})
    assert find(server, company()) == []


def test_a_person_is_no_company(server: Any, company: Any) -> None:
    """A person with the same number or name is left alone."""
    server.state.create_contact({"type": "PERSON", "last_name": "X", "registration_number": "28229966"})
    server.state.create_contact({"type": "PERSON", "last_name": "X", "company_name": "Vainu Oy"})
    assert find(server, company()) == []


def test_business_id_comes_before_name_and_old_before_new(server: Any, company: Any) -> None:
    """Matches are ordered: by business id first, then by name, each oldest first."""
    made = [
        server.state.create_contact({"type": "COMPANY", "company_name": "Vainu Oy", **numbers})["id"]
        for numbers in ({}, {"registration_number": "28229966"}, {"vat_registration_number": "FI28229966"}, {})
    ]
    for day, row in enumerate(server.state.tables["contact_information"]):
        row["log_information"]["created_date"] = f"2020-01-0{9 - day}T00:00:00"
    matches = [(made.index(match.record_id), match.by) for match in find(server, company())]
    assert matches == [(2, "business_id"), (1, "business_id"), (3, "name"), (0, "name")]


def test_an_account_leads_to_its_owner_where_names_cannot_be_searched(start: Any, company: Any) -> None:
    """Without contact_information/list the account, which we name after the company, is the way."""
    server = start(demo_feed=False, name_search=False)
    named = company(business_id=None, document={"company_name": "Vainu Oy"}, vid=None)
    by_hand = server.state.create_contact({"type": "COMPANY", "company_name": "Vainu Oy"})["id"]
    assert find(server, named) == []
    server.state.create_account({"name": "Vainu Oy", "contact_information_identifier": {"id": by_hand}})
    assert find(server, named) == [Match(by_hand, "name")]
    assert find(server, named, search_accounts=False) == []


@pytest.mark.parametrize("fault", ["lost_reply", "cut"])
@pytest.mark.parametrize("business_id", ["28229966", None])
@pytest.mark.parametrize("name_search", [True, False])
def test_a_create_whose_answer_was_lost_is_found(
    start: Any, company: Any, fault: str, business_id: str | None, name_search: bool
) -> None:
    """With a business id or without, whether or not the server can search names."""
    server = start(demo_feed=False, name_search=name_search)
    pushed = company() if business_id else company(business_id=None, document={"company_name": "Vainu Oy"})
    server.fault(fault, "contact_information/create", times=1)
    with pytest.raises(RemoteError) as caught:
        create(server, pushed)
    assert not caught.value.outcome_known
    (row,) = server.rows("contact_information")
    assert find(server, pushed) == [Match(row["id"], "business_id")]


@pytest.mark.parametrize("fault", ["html", "empty", "nonsense", "429", "503", "drop"])
@pytest.mark.parametrize("match", ["vat_registration_number", "accounts_receivable/show", "contact_information/list"])
def test_a_search_that_fails_is_never_an_empty_one(server: Any, company: Any, fault: str, match: str) -> None:
    """One look-up that breaks fails the whole search: else a create would follow."""
    server.fault(fault, match)
    with pytest.raises(RemoteError) as caught:
        find(server, company())
    assert caught.value.retryable


def test_update_sends_what_differs_and_doubles_nothing(server: Any, company: Any) -> None:
    """The same push twice changes nothing; a new phone is added beside the old one."""
    record_id = create(server, company())
    before = server.rows("contact_information")
    server.run(lambda adapter: adapter.update(record_id, company(), soon()))
    assert server.rows("contact_information") == before
    assert server.sent("contact_information/update") == []

    moved = company(document={**company().document, "phone": "+358 40 1", "company_name": "Vainu Oyj"})
    for _repeat in range(2):
        server.run(lambda adapter: adapter.update(record_id, moved, soon()))
    (row,) = server.rows("contact_information")
    assert row["company_name"] == "Vainu Oyj"
    assert [phone["number"] for phone in row["demographics"]["phone_set"]] == ["+358 9 548 050", "+358 40 1"]
    assert len(row["demographics"]["email_set"]) == len(row["address_set"]) == 1
    assert len(server.sent("contact_information/update")) == 1


def test_update_never_overwrites_what_people_wrote(server: Any, company: Any) -> None:
    """Notes and numbers that are there stay."""
    notes = {"notes": "Call Anna first", "vat_registration_number": "FI12345671"}
    made = server.state.create_contact({"type": "COMPANY", "company_name": "Vainu Oy", **notes})
    server.run(lambda adapter: adapter.update(made["id"], company(), soon()))
    (row,) = server.rows("contact_information")
    assert (row["notes"], row["vat_registration_number"]) == ("Call Anna first", "FI12345671")
    assert row["registration_number"] == "28229966"


def test_a_real_number_replaces_the_stand_in(server: Any, company: Any) -> None:
    """A company first pushed without a business id gets it later."""
    record_id = create(server, company(business_id=None, document={"company_name": "Vainu Oy"}))
    assert server.rows("contact_information")[0]["registration_number"].startswith("VAINU-")
    server.run(lambda adapter: adapter.update(record_id, company(), soon()))
    assert server.rows("contact_information")[0]["registration_number"] == "28229966"


def test_update_of_a_gone_record_is_not_found(server: Any, company: Any) -> None:
    """NotFound, before anything is written."""
    with pytest.raises(NotFound):
        server.run(lambda adapter: adapter.update("NONE", company(), soon()))
    assert server.sent("contact_information/update") == []


def test_details_bring_account_contacts_and_leads(server: Any, rich_company: Company) -> None:
    """An account named after the company, two persons, two web events on the firm's clocks."""
    record_id = create(server, rich_company)
    add_details(server, record_id, rich_company, currency="EUR", classification="Retail")
    (account,) = server.rows("accounts_receivable")
    assert (account["name"], account["account_owner"]["id"]) == ("Vainu Oy", record_id)
    john, jane = (row for row in server.rows("contact_information") if row["type"] == "PERSON")
    assert (john["first_name"], john["last_name"], john["notes"]) == ("John", "Doe", "CTO, Vainu Oy")
    assert john["demographics"]["email_set"] == [{"type": "PERSONAL", "email": "john@example.com"}]
    assert jane["demographics"]["phone_set"] == [{"type": "MOBILE", "number": "+123123123123"}]
    events = server.rows("customer_events/web")
    assert [event["performed_on"] for event in events] == ["2018-06-15T11:47:39", "2018-06-16T00:00:00"]
    assert [event["website"] for event in events] == ["https://news.example/1", "https://news.example/2"]
    assert {event["external_system"] for event in events} == {"Vainu"}
    assert events[0]["performed_by_unit"] == {"name": "Admin Unit"}


def test_details_repeated_double_nothing(server: Any, rich_company: Company) -> None:
    """Neither by another process nor by the same."""
    record_id = create(server, rich_company)

    async def twice(adapter: CrmcomAdapter) -> None:
        for _repeat in range(2):
            await adapter.add_details(record_id, rich_company, soon())

    server.run(twice)
    server.run(twice)
    counted = {table: len(server.rows(table)) for table in ("contact_information", "accounts_receivable")}
    assert counted == {"contact_information": 3, "accounts_receivable": 1}
    assert len(server.rows("customer_events/web")) == 2


@pytest.mark.parametrize("match", ["accounts_receivable/create", "contact_information/create", "bulk/web/create"])
def test_details_whose_answer_was_lost_are_not_doubled(server: Any, rich_company: Company, match: str) -> None:
    """A repeat after the loss finds what was made."""
    record_id = create(server, rich_company)
    server.fault("lost_reply", match, times=1)
    with pytest.raises(RemoteError):
        add_details(server, record_id, rich_company)
    add_details(server, record_id, rich_company)
    assert len(server.rows("contact_information")) == 3
    assert len(server.rows("accounts_receivable")) == 1
    assert len(server.rows("customer_events/web")) == 2


def test_refused_leads_are_told_after_all_else_is_done(server: Any, rich_company: Company) -> None:
    """Without the unit that S004 makes mandatory the leads fail; account and contacts are there."""
    record_id = create(server, rich_company)
    with pytest.raises(Refused, match=r"MandatoryFieldMissingException: .*performed_by_unit_identifier"):
        add_details(server, record_id, rich_company, unit=None)
    assert len(server.rows("contact_information")) == 3
    assert len(server.rows("accounts_receivable")) == 1


def test_a_write_that_names_something_unknown_is_refused_not_not_found(server: Any, company: Any) -> None:
    """NotFound is about the record; an unknown account owner is a refusal."""
    with pytest.raises(Refused) as caught:
        server.run(lambda adapter: adapter.add_details("NONE", company(), soon()))
    assert not isinstance(caught.value, NotFound)


def test_exists_and_record_url(server: Any, company: Any) -> None:
    """The record's id is known; its page is configured."""
    record_id = create(server, company())

    async def ask(adapter: CrmcomAdapter) -> tuple[bool, bool, str | None]:
        known, unknown = await asyncio.gather(adapter.exists(record_id, soon()), adapter.exists("A=B&c", soon()))
        return known, unknown, adapter.record_url("A/B")

    assert server.run(ask, record_url="https://crm.example/ci/{}") == (True, False, "https://crm.example/ci/A%2FB")


def test_identifiers_in_get_are_nested_and_encoded(server: Any) -> None:
    """`contact_information_identifier=id=…`, the inner equals sign percent-encoded."""
    server.run(lambda adapter: adapter.exists("ABC", soon()))
    (call,) = server.sent("contact_information/show")
    assert call["query"].endswith("contact_information_identifier=id%3DABC")

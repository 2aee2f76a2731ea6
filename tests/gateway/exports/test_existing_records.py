"""A record that a person made in the CRM is updated, not doubled (CONTRACT section 7, point 2)."""

import json
from typing import Any

import pytest

from adapters.apptivo.simulator import BUSINESS_ID_ATTRIBUTE, DEMO_ACCESS_KEY, DEMO_API_KEY
from tests.gateway.exports.conftest import Stage, crmcom_call, new_company


def made_by_hand(stage: Stage, connection: str, name: str, business_id: str | None = None) -> str:
    """Make a customer in the CRM as a person would; its id."""
    if connection == "globex":
        body: dict[str, Any] = {"type": "COMPANY", "company_name": name, "notes": "made by hand"}
        if business_id:
            body["demographics"] = {"registration_number": business_id}
        return str(crmcom_call(stage.upstream, "contact_information/create", body)["id"])
    customer: dict[str, Any] = {"customerName": name, "description": "made by hand"}
    if business_id:
        attribute = {"customAttributeId": BUSINESS_ID_ATTRIBUTE, "customAttributeValue": business_id}
        customer["customAttributes"] = [attribute]
    keys = {"apiKey": DEMO_API_KEY, "accessKey": DEMO_ACCESS_KEY}
    answer = stage.upstream.http.post(
        "/apptivo/app/dao/v6/customers", params={"a": "save"}, data={**keys, "customerData": json.dumps(customer)}
    )
    return str(answer.json()["customer"]["customerId"])


@pytest.mark.parametrize("spelling", [str, str.upper, lambda name: f" {name}  "], ids=["exact", "capitals", "blanks"])
def test_found_by_name(stage: Stage, connection: str, spelling: Any) -> None:
    """A customer of exactly this name, whatever its case, is updated; what people wrote stays."""
    company = new_company(phone="09 123 456")
    name = spelling(company["company_name"])
    by_hand = made_by_hand(stage, connection, name)

    answer = stage.gateway.push(connection, company)

    assert (answer.status_code, answer.json()["status"]) == (200, "updated")
    assert answer.json()["unique_id"] == by_hand
    kept = json.dumps(stage.upstream.records("apptivo" if connection == "acme" else "crmcom"))
    assert kept.count("made by hand") >= 1
    assert "09 123 456" in kept


@pytest.mark.parametrize("spelling", ["{0}", "{1}-{2}", "FI{0}", "FI {1}-{2}"])
def test_found_by_business_id_in_apptivo(stage: Stage, spelling: str) -> None:
    """A customer of another name with the business id in its attribute, as people write it, is updated."""
    company = new_company()
    plain = company["business_id"]
    by_hand = made_by_hand(stage, "acme", "A name of old Oy", spelling.format(plain, plain[:7], plain[7:]))

    answer = stage.gateway.push("acme", company)

    assert (answer.status_code, answer.json()["unique_id"]) == (200, by_hand)
    assert len(stage.customers("acme", company["company_name"])) == 1


@pytest.mark.parametrize("spelling", ["{0}", "{1}-{2}", "FI{0}"])
def test_found_by_registration_number_in_crmcom(stage: Stage, spelling: str) -> None:
    """A company of another name with the registration number, as people write it, is updated."""
    company = new_company()
    plain = company["business_id"]
    by_hand = made_by_hand(stage, "globex", "A name of old Oy", spelling.format(plain, plain[:7], plain[7:]))

    answer = stage.gateway.push("globex", company)

    assert (answer.status_code, answer.json()["unique_id"]) == (200, by_hand)


def test_the_business_id_goes_before_the_name(stage: Stage, connection: str) -> None:
    """Of a namesake and a record with the business id, the one with the business id is the company."""
    company = new_company()
    made_by_hand(stage, connection, company["company_name"])
    by_number = made_by_hand(stage, connection, "A name of old Oy", company["business_id"])

    answer = stage.gateway.push(connection, company)

    assert (answer.status_code, answer.json()["unique_id"]) == (200, by_number)


def test_a_longer_name_is_no_match(stage: Stage, connection: str) -> None:
    """The CRM's search matches parts of names; the gateway does not: "X Holding" is not "X"."""
    company = new_company()
    longer = made_by_hand(stage, connection, f"{company['company_name']} Holding")

    assert stage.created(connection, company)["unique_id"] != longer


def test_a_namesake_with_another_business_id_is_no_match(stage: Stage, connection: str) -> None:
    """A customer of this name that holds another business id is another company."""
    company = new_company()
    namesake = made_by_hand(stage, connection, company["company_name"], "01120389")

    assert stage.created(connection, company)["unique_id"] != namesake


def test_the_oldest_of_several_is_taken(stage: Stage) -> None:
    """Where people have made two of one name already, the oldest is updated, and no third is made."""
    company = new_company()
    oldest = made_by_hand(stage, "acme", company["company_name"])
    made_by_hand(stage, "acme", company["company_name"])

    answer = stage.gateway.push("acme", company)

    assert (answer.status_code, answer.json()["unique_id"]) == (200, oldest)
    assert len(stage.customers("acme", company["company_name"])) == 2


def test_a_record_belongs_to_one_company_only(stage: Stage, connection: str) -> None:
    """A namesake, strange by its vid, does not take over the record that a company already has."""
    company = new_company(business_id=None)
    by_hand = made_by_hand(stage, connection, company["company_name"])
    assert stage.gateway.push(connection, company).json()["unique_id"] == by_hand

    stranger = stage.created(connection, {**company, "vid": company["vid"] + 500_000, "domain": None})

    assert stranger["unique_id"] != by_hand

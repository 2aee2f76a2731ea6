"""Settings and field table of a CRM.COM connection, and the spec that hands them to the gateway."""

from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from adapters.contract import AdapterSpec, Opening
from adapters.crmcom import SPEC
from adapters.crmcom.mapping import FIELDS, amendment, company_body, spellings
from adapters.crmcom.models import CrmcomSettings
from adapters.registry import spec

GIVEN: dict[str, Any] = {
    "base_url": "https://crm.example/crmapi/rest/v2",
    "username": "u",
    "password": "secret-pw",
    "organisation": "o",
}


def test_the_contracts_example_is_enough() -> None:
    """The keys of CONTRACT section 3, with the password from the environment."""
    settings = CrmcomSettings.model_validate(
        {**GIVEN, "password": {"env": "PW"}, "unit": "Admin Unit"}, context={"environ": {"PW": "from-env"}}
    )
    assert settings.password.get_secret_value() == "from-env"
    assert "from-env" not in repr(settings)


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"base_url": "http://crm.example/crmapi/rest/v2"}, "allow_http"),
        ({"base_url": "crm.example"}, "expected an address"),
        ({"unknown": 1}, "Extra inputs"),
        ({"organisation": " "}, "at least 1 character"),
        ({"record_url": "https://crm.example/"}, "expected {}"),
        ({"address_type": "OFFICE"}, "HOME"),
        ({"search_method": "http://evil/x"}, "pattern"),
    ],
)
def test_wrong_settings_say_what_is_wrong(changes: dict[str, Any], fault: str) -> None:
    """Each fault is told, and no secret with it."""
    with pytest.raises(ValidationError, match=fault) as caught:
        CrmcomSettings.model_validate({**GIVEN, **changes})
    assert "secret-pw" not in "; ".join(error["msg"] for error in caught.value.errors())


def test_http_is_allowed_on_loopback_and_where_it_is_said() -> None:
    """CONTRACT section 3."""
    CrmcomSettings.model_validate({**GIVEN, "base_url": "http://127.0.0.1:8/crmapi/rest/v2"})
    CrmcomSettings.model_validate({**GIVEN, "base_url": "http://crm.example/x", "allow_http": True})


def test_the_registry_knows_the_adapter() -> None:
    """`crm = "crmcom"` opens it."""
    found = spec("crmcom")
    assert isinstance(found, AdapterSpec)
    assert found is SPEC
    assert found.open(Opening(CrmcomSettings.model_validate(GIVEN), ZoneInfo("UTC"))).sources


def test_field_tables_are_checked() -> None:
    """Unknown targets and broken expressions are told; CRM.COM's user-defined fields are known."""
    assert SPEC.check_fields({"udf_string_1": "industry_code_2", "phone": ""}) == []
    faults = SPEC.check_fields({"colour": "x", "notes": "[["})
    assert [fault.partition(":")[0] for fault in faults] == ["colour", "notes"]


def test_user_defined_fields_and_the_country_are_sent_when_configured(company: Any) -> None:
    """udf_* by the connection's table; the country by the setting that names its identifier."""
    table = {**FIELDS, "udf_float_1": "turn_over", "udf_string_1": "link", "phone": ""}
    settings = CrmcomSettings.model_validate(
        {**GIVEN, "country_identifier": "alternative_code", "numbers_in": ["record"]}
    )
    body = company_body(company(), table, settings)
    assert (body["udf_float_1"], body["udf_string_1"]) == (93116557, "www.vainu.example")
    assert body["address_set"][0]["country_identifier"] == {"alternative_code": "FI"}
    assert "phone_set" not in body["demographics"]
    assert "registration_number" not in body["demographics"]


def test_what_was_sent_lacks_nothing(company: Any) -> None:
    """A record that holds a body needs no amendment by the same body."""
    for changes in ({}, {"business_id": None, "document": {"company_name": "Vainu Oy"}}):
        body = company_body(company(**changes), FIELDS, CrmcomSettings.model_validate(GIVEN))
        assert amendment({"id": "X", **body}, body) == {}


def test_numbers_are_looked_up_in_every_spelling(company: Any) -> None:
    """The clean form first, because that is what we write."""
    assert spellings(company(), FIELDS) == ["28229966", "2822996-6", "FI28229966"]
    swedish = company(business_id="5560125790", country="SE", document={"business_id": "556012-5790"})
    assert spellings(swedish, FIELDS) == ["5560125790", "SE5560125790", "556012-5790"]
    nameless = spellings(company(business_id=None, document={}), FIELDS)
    assert len(nameless) == 1
    assert nameless[0].startswith("VAINU-")


def test_every_setting_and_target_is_documented() -> None:
    """NOTES.md names each of them."""
    notes = files("adapters.crmcom").joinpath("NOTES.md").read_text(encoding="utf-8")
    missing = [name for name in (*CrmcomSettings.model_fields, *FIELDS) if name not in notes]
    assert missing == []

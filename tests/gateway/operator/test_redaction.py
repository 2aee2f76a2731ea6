"""No secret and no personal data leaves through /api, wherever either was planted."""

import json
from pathlib import Path

import pytest

from gateway.operator.redacted import Redaction
from gateway.settings import read
from tests.gateway.operator.conftest import Desk
from tests.harness import KEY, configuration

PLANTED = "planted-secret-0123456789"
CRM_SECRET = "fake-access-key-of-acme-4711"
PERSON = {
    "first_name": "Zacharias",
    "last_name": "Quistgaard",
    "email": "zacharias.quistgaard@example.com",
    "phone": "+358401234567",
    "title": "Chief Herring Officer",
}


def test_a_push_is_shown_without_people_and_secrets(desk: Desk) -> None:
    """Contacts, e-mail addresses in any text, and whatever is named like a secret, in lists and in details."""
    told = desk.push(
        "acme",
        company_name="Oy Samlink Ab",
        contacts=[PERSON],
        api_key=PLANTED,
        nested={"Authorization": f"Bearer {PLANTED}", "note": f"mail {PERSON['email']}"},
    )
    desk.hook("globex", {"contactName": "Zacharias Quistgaard", "owner": "Quistgaard", "access_token": PLANTED})
    (line,) = desk.get("webhooks")["items"]

    shown = [
        desk.ask(path).text
        for path in (
            f"exports/{told['export_id']}",
            "exports",
            "deliveries",
            f"deliveries/{line['id']}",
            "configuration",
            "overview",
            "audit",
        )
    ]
    for text in shown:
        for secret in (PLANTED, KEY, *(value for name, value in PERSON.items() if name != "title"), "Herring"):
            assert secret not in text
    assert "Oy Samlink Ab" in shown[0]
    assert "[personal]" in shown[0]


def test_a_crms_answer_is_shown_without_secrets(sqlite_desk: Desk) -> None:
    """Neither a key that the CRM echoes nor an address in its words reaches the operator."""
    sqlite_desk.dead("Dead Oy")
    settings = sqlite_desk.gateway.service and sqlite_desk.gateway.service.runtime.settings
    assert settings
    known = settings.connections["acme"].secret_values()
    assert known
    text = sqlite_desk.ask("deliveries").text + sqlite_desk.ask("dead-letters").text
    assert [secret for secret in known if secret in text] == []


@pytest.fixture
def redaction(tmp_path: Path) -> Redaction:
    document = configuration("http://127.0.0.1:9", tmp_path)
    document["connections"]["acme"]["apptivo"]["access_key"] = CRM_SECRET
    document["storage"] = {"url": "postgresql://gateway:pass-of-the-store@db/gateway"}
    return Redaction(read(document))


@pytest.mark.parametrize(
    "body",
    [
        {"contacts": [{"name": "Jane Doe"}]},
        {"contact": {"name": "Jane Doe", "link": "https://people.example/jane-doe"}},
        {"people": ["Jane Doe"]},
        {"owner": "Jane Doe"},
        {"data": [{"firstName": "Jane", "lastName": "Doe"}]},
        {"E-Mail": "jane.doe@example.com"},
        {"emailAddresses": [{"emailAddress": "jane.doe@example.com"}]},
        {"phoneNumbers": [{"phoneNumber": "040 Jane"}]},
        {"Mobile Phone": "Jane"},
        {"text": "ask jane.doe@example.com about it"},
        {"jane.doe@example.com": 1},
        {"date_of_birth": "Jane"},
        {"password": "Jane"},
        {"client_secret": {"value": "Jane"}},
        {"X-Api-Key": "Jane"},
        {"note": f"key {CRM_SECRET}"},
        {"note": "pass-of-the-store"},
        {"note": "the old password: Jane1Doe2"},
        {"note": "sent Authorization: Bearer Jane.Doe.4711"},
        [{"user": {"full name": "Jane Doe"}}],
    ],
    ids=str,
)
def test_what_tells_of_a_person_or_opens_a_door_is_masked(redaction: Redaction, body: object) -> None:
    """By its key, by the list it stands in, or by its shape; as JSON and as bare text."""
    for text in (redaction.request(json.dumps(body).encode()), redaction.answer(json.dumps(body))):
        for word in ("Jane", "Doe", "jane.doe", CRM_SECRET, "pass-of-the-store"):
            assert word not in str(text)


def test_a_telephone_number_in_a_text_is_masked(redaction: Redaction) -> None:
    """In the international form; what else has many digits is shown."""
    assert redaction.text("call +358 40 123-4567, or +1 (555) 010 9999.") == "call [personal], or [personal]."
    for shown in ("2026-11-21 20:58:22", "business id 1000124-4", "customer 201332", "1+1 is 2", "UTC+02:00"):
        assert redaction.text(shown) == shown


@pytest.mark.parametrize(
    "body", [{"company_name": "Jane Oy", "link": "https://jane.example", "title": "New office", "value": 7}, 7, "Jane"]
)
def test_what_tells_of_a_company_is_shown(redaction: Redaction, body: object) -> None:
    """Masking everything would be no help to an operator."""
    assert json.loads(redaction.request(json.dumps(body).encode())) == body


def test_a_body_that_is_no_json_is_shown_as_text_and_a_long_one_is_cut(redaction: Redaction) -> None:
    """Masked all the same."""
    assert redaction.request(b"\xff jane.doe@example.com") == "\\xff [personal]"
    assert redaction.request(b'"' + b"a" * 30_000 + b'"').endswith("… (cut: 10,002 more characters)")

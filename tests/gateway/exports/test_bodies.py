"""Every shape in which a company may be pushed (CONTRACT section 7, point 1), over HTTP."""

import json
import sqlite3
from typing import Any

import pytest

from adapters.apptivo.simulator import BUSINESS_ID_ATTRIBUTE
from adapters.vainu.samples import samples
from tests.gateway.exports.conftest import Stage, new_company, problem

PEOPLE = [{"first_name": "Maija", "last_name": "Meikäläinen", "email": "maija@example.com"}]
NEWS = [{"title": "Uusi tehdas", "link": "https://news.example.com/1", "added": "2026-01-02T03:04:05"}]
SHAPES: dict[str, Any] = {
    "top level": lambda company, details: {**company, **details},
    "prospect": lambda company, details: {"prospect": company, **details},
    "prospects": lambda company, details: {"prospects": [company], **details},
    "company": lambda company, details: {"company": company, **details},
    "data": lambda company, details: {"data": company, **details},
    "details inside prospect": lambda company, details: {"prospect": {**company, **details}},
    "details inside prospects": lambda company, details: {"prospects": [{**company, **details}]},
    "details inside company": lambda company, details: {"company": {**company, **details}},
    "details inside data": lambda company, details: {"data": {**company, **details}},
    "prospects inside data": lambda company, details: {"data": {"prospects": [company]}, **details},
    "identifiers beside the wrapper": lambda company, details: {
        "vid": company["vid"],
        "business_id": company["business_id"],
        "prospect": {"company_name": company["company_name"], "country": "FI"},
        **details,
    },
}


def details_of(stage: Stage, connection: str, record_id: str) -> tuple[list[str], list[str]]:
    """Last names of contacts, and links of leads, that the CRM holds for one customer."""
    if connection == "acme":
        held = stage.upstream.records("apptivo")
        people = [row["lastName"] for row in held["contacts"] if str(row["accountId"]) == record_id]
        notes = [row["noteText"] for row in held["notes"] if str(_tie(row)["objectRefId"]) == record_id]
        return people, [line for text in notes for line in text.splitlines() if line.startswith("https://news")]
    held = stage.upstream.records("crmcom")
    [company] = [row for row in held["contact_information"] if row["id"] == record_id]
    persons = [row for row in held["contact_information"] if row["type"] == "PERSON"]
    people = [row["last_name"] for row in persons if company["company_name"] in row["notes"]]
    news = [
        row["website"]
        for row in held["customer_events/web"]
        if row["accounts_receivable"]["account_owner"]["id"] == record_id and row.get("external_system") == "Vainu"
    ]
    return people, news


def _tie(row: dict[str, Any]) -> dict[str, Any]:
    return dict(row["associatedObjects"][0])


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_is_read(stage: Stage, connection: str, shape: str) -> None:
    """The company, its contacts and its leads arrive, wherever in the body they stand."""
    company = new_company()

    answer = stage.created(connection, SHAPES[shape](company, {"contacts": PEOPLE, "leads": NEWS}))

    assert len(stage.customers(connection, company["company_name"])) == 1
    assert details_of(stage, connection, answer["unique_id"]) == (["Meikäläinen"], ["https://news.example.com/1"])


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_is_the_same_company(stage: Stage, shape: str) -> None:
    """A company pushed at the top level and then in another shape is one company."""
    company = new_company()
    first = stage.created("acme", company)

    again = stage.gateway.push("acme", SHAPES[shape](company, {}))

    assert (again.status_code, again.json()["unique_id"]) == (200, first["unique_id"])


def test_numbers_may_be_text_and_text_numbers(stage: Stage) -> None:
    """Turnover, staff and ids may be numbers or text; a business id as a number gets its lost zero back."""
    company = new_company()
    number = {**company, "business_id": 1120389, "vid": str(company["vid"]), "staff_number": 12, "turn_over": 5.5}
    first = stage.created("acme", number)
    text = {"company_name": "Another spelling Oy", "business_id": "01120389", "country": "FI", "staff_number": "12"}

    again = stage.gateway.push("acme", {**text, "turn_over": "5.5"})

    assert (again.status_code, again.json()["unique_id"]) == (200, first["unique_id"])


def test_a_prospect_as_vainu_documents_it(stage: Stage, connection: str) -> None:
    """The sample of Vainu's documents arrives with name, business id, address and contacts."""
    sample = samples()["samlink"]

    answer = stage.created(connection, sample.push_body("prospect"))

    [row] = stage.customers(connection, "Oy Samlink Ab")
    address = row["addresses"][0] if connection == "acme" else row["address_set"][0]
    assert "09704098" in json.dumps(row)
    assert "02600" in address.values()
    assert len(details_of(stage, connection, answer["unique_id"])[1]) == len(sample.leads)


def test_a_company_without_a_name_goes_by_its_domain(stage: Stage) -> None:
    """A push with nothing but a domain makes a customer of that name."""
    stage.created("acme", {"domain": "https://www.nameless.example/about"})

    assert len(stage.customers("acme", "nameless.example")) == 1


def test_the_raw_body_is_stored(stage: Stage) -> None:
    """The body is kept byte for byte, unknown fields, blanks, order and all."""
    body = json.dumps({**new_company(), "züge": [1, {"x": None}], "custom": {"deep": "value"}}, indent=3).encode()

    answer = stage.gateway.http.post("/vainu/acme/exports?source=test", content=body)

    assert answer.status_code == 201, answer.text
    url = stage.gateway.service.store.url if stage.gateway.service else ""
    with sqlite3.connect(url.removeprefix("sqlite:///")) as store:
        [(kept, query)] = store.execute(
            "SELECT body, query FROM exports WHERE id = ?", [answer.json()["export_id"]]
        ).fetchall()
    store.close()
    assert (kept, query) == (body, "source=test")


@pytest.mark.parametrize("where", ["query", "body", "number in body", "both"])
def test_the_customer_data_id_is_read(stage: Stage, where: str) -> None:
    """`id` comes in the query or the body, as text or number; the query's is taken where both are."""
    company, options = new_company(), {}
    if where in ("query", "both"):
        options["params"] = {"id": "5f2a"}
    if where != "query":
        company["id"] = 4711 if where == "number in body" else "5f2a" if where == "body" else "other"

    answer = stage.created("acme", company, **options)

    url = stage.gateway.service.store.url if stage.gateway.service else ""
    with sqlite3.connect(url.removeprefix("sqlite:///")) as store:
        [(kept,)] = store.execute("SELECT customer_data_id FROM exports WHERE id = ?", [answer["export_id"]]).fetchall()
    store.close()
    assert kept == ("4711" if where == "number in body" else "5f2a")


@pytest.mark.parametrize("content_type", [None, "application/json", "application/json; charset=utf-8", "text/x+json"])
def test_json_is_json_under_each_of_its_names(stage: Stage, content_type: str | None) -> None:
    """A push without a content type is read as JSON too."""
    headers = {"Content-Type": content_type} if content_type else {}

    answer = stage.gateway.http.post("/vainu/acme/exports", content=json.dumps(new_company()), headers=headers)

    assert answer.status_code == 201


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"", 400), (b"{", 400), (b"\xff\xfe{}", 400), (b'{"company_name": NaN}', 400), (b"[" * 100_000, 400)],
    ids=["empty", "half", "not UTF-8", "NaN", "deep"],
)
def test_what_is_not_json_is_refused(stage: Stage, body: bytes, status: int) -> None:
    """Bodies that are not JSON, not UTF-8 or too deep are 400."""
    problem(stage.gateway.http.post("/vainu/acme/exports", content=body), status)


def test_another_content_type_is_refused(stage: Stage) -> None:
    """A form is 415."""
    problem(stage.gateway.http.post("/vainu/acme/exports", data={"company_name": "A"}), 415)


def test_hostile_text_does_no_harm(stage: Stage, connection: str) -> None:
    """Control characters, markup, quotes and very long text arrive as plain text, and the company is found again."""
    number = new_company()["vid"]
    name = f"  <b>Hostile</b>\u0000\u202e & 'Söns' \"{number}\" 株式会社 \\ %00 {'x' * 3000}"
    company = {"company_name": name, "country": "FI", "contacts": [{"last_name": "'; DROP TABLE exports; --"}]}
    first = stage.created(connection, company)

    again = stage.gateway.push(connection, company)

    assert (again.status_code, again.json()["unique_id"]) == (200, first["unique_id"])


def test_the_business_id_stands_in_its_attribute(stage: Stage) -> None:
    """Apptivo's configured custom attribute holds the business id."""
    company = new_company()
    stage.created("acme", company)

    [row] = stage.customers("acme", company["company_name"])

    held = {each["customAttributeId"]: each["customAttributeValue"] for each in row["customAttributes"]}
    assert held == {BUSINESS_ID_ATTRIBUTE: company["business_id"]}

"""The document describes the routes, no more and no less, and everything it shows is true to its own schemas."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import schemathesis
import yaml

import gateway.problems
from adapters.crmcom import models as crmcom
from gateway.app import ROUTES
from gateway.openapi import document_yaml
from gateway.openapi.page import METHODS
from gateway.openapi.references import resolved

FILE = Path(__file__).parents[3] / "openapi" / "gateway.yaml"
Document = dict[str, Any]
Faults = Callable[[dict[str, Any], Any], list[str]]


def operations(openapi: Document) -> Iterator[tuple[str, str, dict[str, Any], dict[str, Any]]]:
    for path, item in openapi["paths"].items():
        for method in METHODS:
            if method in item:
                yield method.upper(), path, item, item[method]


def answers(openapi: Document) -> Iterator[tuple[str, dict[str, Any]]]:
    for _method, _path, _item, operation in operations(openapi):
        for status, answer in operation["responses"].items():
            yield status, resolved(openapi, answer)


def refusals_of_the_table() -> set[str]:
    return set(re.findall(r"^(\d{3}) ", gateway.problems.__doc__ or "", re.MULTILINE))


def test_the_committed_file_is_what_the_command_prints() -> None:
    """`gateway openapi > openapi/gateway.yaml` is all it takes when this fails."""
    assert FILE.read_text(encoding="utf-8") == document_yaml()


def test_the_yaml_reads_back_as_the_document(openapi: Document) -> None:
    """The YAML says the same as the JSON, without aliases."""
    text = document_yaml()

    assert openapi == yaml.safe_load(text)
    assert not re.search(r"(?m)[:-] [&*]\w+$", text)


def routes() -> list[tuple[str, str]]:
    """Method and path of each route; that of customer events once for each kind, for each has fields of its own."""
    return sorted({
        (method, path.replace("{kind}", kind)) for method, path, _endpoint in ROUTES for kind in crmcom.EVENT_KINDS
    })  # fmt: skip


def test_it_describes_every_route_and_nothing_else(openapi: Document) -> None:
    """Each method and path of ROUTES is an operation, once for each kind of event, and there is no other."""
    described = [(method, path) for method, path, _item, _operation in operations(openapi)]

    assert routes() == sorted(described)


def test_every_operation_has_a_name_of_its_own(openapi: Document) -> None:
    """Tools name functions by `operationId`: a verb and a noun in camel case, none twice."""
    names = [operation["operationId"] for _method, _path, _item, operation in operations(openapi)]

    assert len(set(names)) == len(names)
    assert [name for name in names if not re.fullmatch("[a-z]+(?:[A-Z][a-z]+)+", name)] == []


def test_every_refusal_appears(openapi: Document) -> None:
    """Each status of the table in `gateway.problems` is an answer of some operation, as a problem."""
    problems = {
        status for status, answer in answers(openapi) if "application/problem+json" in answer.get("content", {})
    }

    assert refusals_of_the_table() <= problems


def test_every_answer_carries_the_request_id(openapi: Document) -> None:
    """No answer is without X-Request-ID, and each 401, 405, 429 and problem 503 has the header that goes with it."""
    needed = {"401": "WWW-Authenticate", "405": "Allow", "429": "Retry-After"}
    for status, answer in answers(openapi):
        assert "X-Request-ID" in answer["headers"]
        if status in needed:
            assert needed[status] in answer["headers"]
        if status == "503" and "application/problem+json" in answer["content"]:
            assert "Retry-After" in answer["headers"]


def test_paths_and_parameters_agree(openapi: Document) -> None:
    """Each `{name}` of a path is a path parameter, and there is no other."""
    for _method, path, item, operation in operations(openapi):
        given = [resolved(openapi, each) for each in [*item["parameters"], *operation.get("parameters", [])]]
        assert re.findall(r"{(\w+)}", path) == [each["name"] for each in given if each["in"] == "path"]


def test_credentials_are_the_schemes_of_the_document(openapi: Document) -> None:
    """Each operation names its credentials, and each scheme that it names exists."""
    known = set(openapi["components"]["securitySchemes"])
    for _method, _path, _item, operation in operations(openapi):
        assert {name for requirement in operation["security"] for name in requirement} <= known


def test_every_schema_is_a_json_schema(openapi: Document) -> None:
    """Each component schema is valid by the meta-schema of JSON Schema 2020-12, OpenAPI 3.1's dialect."""
    for schema in openapi["components"]["schemas"].values():
        jsonschema_rs.meta.validate(schema)


def test_every_reference_leads_somewhere_and_every_component_is_used(openapi: Document) -> None:
    """No reference is dangling, and no component lies there unused."""
    text = document_yaml()
    used = set(re.findall(r"#/components/\w+/[\w-]+", text))
    kinds = ("parameters", "headers", "responses", "schemas", "examples")

    assert used == {f"#/components/{kind}/{name}" for kind in kinds for name in openapi["components"][kind]}


def test_schemathesis_loads_it(openapi: Document) -> None:
    """A tool that generates requests from OpenAPI documents reads every operation."""
    loaded = schemathesis.openapi.from_dict(openapi)

    assert len(routes()) == len([each.ok() for each in loaded.get_all_operations()])


def contents(openapi: Document) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every media type with a schema: bodies of requests and of answers."""
    for method, path, _item, operation in operations(openapi):
        for content in operation.get("requestBody", {}).get("content", {}).values():
            yield f"{method} {path}", content
        for status, answer in operation["responses"].items():
            for content in resolved(openapi, answer).get("content", {}).values():
                yield f"{method} {path} {status}", content


def test_examples_are_true_to_their_schemas(openapi: Document, faults: Faults) -> None:
    """Each example of a body, an answer, a parameter and a header validates against its schema."""
    for place, content in contents(openapi):
        shown = [content["example"]] if "example" in content else []
        shown += [resolved(openapi, each)["value"] for each in content.get("examples", {}).values()]
        for value in shown:
            assert faults(content["schema"], value) == [], place
    for kind in ("parameters", "headers"):
        for name, each in openapi["components"][kind].items():
            if "example" in each:
                assert faults(each["schema"], each["example"]) == [], name


@pytest.mark.parametrize(
    "change",
    [
        {"probability_percent": 101},
        {"icon": "case"},
        {"type": "task"},
        {"extra": 1},
        {"timestamp": "2018-04-28T12:00:00Z"},
    ],
)
def test_an_event_that_breaks_the_contract_is_no_activity_event(
    change: dict[str, Any], openapi: Document, faults: Faults
) -> None:
    """The schema of an event refuses what CONTRACT section 6 does not allow: a task with a value among it."""
    deal = openapi["components"]["examples"]["feed"]["value"][-1]

    assert faults({"$ref": "#/components/schemas/ActivityEvent"}, deal) == []
    assert faults({"$ref": "#/components/schemas/ActivityEvent"}, {**deal, **change}) != []

"""The document as its readable page shows it: references resolved, schemas in words; the template only lays out."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from gateway.openapi.references import Node, resolved

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


@dataclass(frozen=True, slots=True)
class Row:
    """A parameter, a header or a property."""

    name: str
    place: str
    """`path`, `query`, `header`; "" for a property."""
    required: bool
    kind: str
    """The schema in words."""
    description: str
    links: tuple[str, ...]
    """The schemas that it is made of."""
    example: str = ""


@dataclass(frozen=True, slots=True)
class Sample:
    """Something to copy: a command line, or a body."""

    label: str
    source: str


@dataclass(frozen=True, slots=True)
class Answer:
    """One status that an operation may answer."""

    status: str
    phrase: str
    description: str
    media_type: str
    links: tuple[str, ...]
    headers: tuple[Row, ...]
    examples: tuple[Sample, ...]


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path."""

    anchor: str
    method: str
    path: str
    summary: str
    description: str
    credentials: tuple[str, ...]
    """Names of security schemes, any one of which admits; a scope follows in brackets."""
    parameters: tuple[Row, ...]
    samples: tuple[Sample, ...]
    body: str
    """What the request's body is; "" where there is none."""
    body_links: tuple[str, ...]
    bodies: tuple[Sample, ...]
    answers: tuple[Answer, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """The operations of one tag."""

    name: str
    description: str
    operations: tuple[Operation, ...]


@dataclass(frozen=True, slots=True)
class SchemaView:
    """One named schema."""

    name: str
    kind: str
    description: str
    links: tuple[str, ...]
    rows: tuple[Row, ...]
    source: str


def groups(document: Node) -> list[Group]:
    """The operations, by tag, in the document's order."""
    operations = [
        (operation["tags"][0], _operation(document, method, path, item, operation))
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method in METHODS
    ]
    return [
        Group(tag["name"], tag["description"], tuple(one for name, one in operations if name == tag["name"]))
        for tag in document["tags"]
    ]


def schema_views(document: Node) -> list[SchemaView]:
    """Every named schema."""
    return [_schema_view(name, node) for name, node in document["components"]["schemas"].items()]


def _operation(document: Node, method: str, path: str, item: Node, operation: Node) -> Operation:
    parameters = [resolved(document, each) for each in [*item["parameters"], *operation.get("parameters", [])]]
    body = operation.get("requestBody", {})
    content: Node = next(iter(body.get("content", {}).values()), {})
    return Operation(
        anchor=operation["operationId"],
        method=method.upper(),
        path=path,
        summary=operation["summary"],
        description=operation.get("description", ""),
        credentials=tuple(map(_credential, operation["security"])),
        parameters=tuple(_parameter(each) for each in parameters),
        samples=tuple(Sample(each["label"], each["source"]) for each in operation["x-codeSamples"]),
        body=body.get("description", ""),
        body_links=_links(content.get("schema", {})),
        bodies=_examples(document, content),
        answers=tuple(
            _answer(document, status, each)
            for status, each in sorted(operation["responses"].items(), key=lambda pair: pair[0])
        ),
    )


def _credential(requirement: Mapping[str, list[str]]) -> str:
    (name, scopes), *_ = requirement.items()
    return f"{name} ({', '.join(scopes)})" if scopes else name


def _parameter(node: Node) -> Row:
    schema = node["schema"]
    example = node.get("example", "")
    return Row(
        name=node["name"],
        place=node["in"],
        required=node.get("required", False),
        kind=in_words(schema),
        description=node.get("description", ""),
        links=(),
        example=" ".join(map(str, example)) if isinstance(example, list) else str(example),
    )


def _answer(document: Node, status: str, node: Node) -> Answer:
    node = resolved(document, node)
    media_type = next(iter(node.get("content", {})), "")
    content: Node = node.get("content", {}).get(media_type, {})
    headers = [(name, resolved(document, each)) for name, each in node.get("headers", {}).items()]
    return Answer(
        status=status,
        phrase=HTTPStatus(int(status)).phrase,
        description=node["description"],
        media_type=media_type,
        links=_links(content.get("schema", {})),
        headers=tuple(
            Row(name, "header", each["required"], "", each["description"], (), str(each["example"]))
            for name, each in headers
        ),
        examples=_examples(document, content),
    )


def _examples(document: Node, content: Node) -> tuple[Sample, ...]:
    if "example" in content:
        return (Sample("Example", _pretty(content["example"])),)
    named = (resolved(document, each) for each in content.get("examples", {}).values())
    return tuple(Sample(each["summary"], _pretty(each["value"])) for each in named)


def _schema_view(name: str, node: Node) -> SchemaView:
    properties = node.get("properties", {})
    for part in node.get("allOf", ()):
        properties = {**properties, **part.get("properties", {})}
    required = [*node.get("required", ()), *(key for part in node.get("allOf", ()) for key in part.get("required", ()))]
    rows = tuple(
        Row(key, "", key in required, in_words(each), each.get("description", ""), _links(each))
        for key, each in properties.items()
    )
    described = node.get("description", "")
    return SchemaView(name, "" if rows else in_words(node), described, _links(node), rows, _pretty(node))


def in_words(schema: Any) -> str:
    """A schema in a few words: its type, values, pattern and bounds."""
    if "$ref" in schema:
        return str(schema["$ref"].rpartition("/")[2])
    if "anyOf" in schema and "type" not in schema:
        return " or ".join(dict.fromkeys(filter(None, map(in_words, schema["anyOf"]))))
    if "enum" in schema:
        return "one of " + ", ".join(map(str, schema["enum"]))
    if "const" in schema:
        return json.dumps(schema["const"])
    if schema.get("type") == "array" and "items" in schema:
        return f"array of: {in_words(schema['items'])}"
    kinds = schema.get("type", "")
    kind = " or ".join(kinds) if isinstance(kinds, list) else kinds
    return ", ".join(filter(None, [kind, *_limits(schema)]))


def _limits(schema: Node) -> Iterator[str]:
    if "format" in schema:
        yield str(schema["format"])
    if "pattern" in schema:
        yield f"`{schema['pattern']}`"
    words = {"minimum": "at least", "maximum": "at most", "maxLength": "at most this many characters:"}
    for key, word in words.items():
        if key in schema:
            yield f"{word} {schema[key]:,}"


def _links(schema: Node) -> tuple[str, ...]:
    """Names of the schemas that this one refers to, each once."""
    return tuple(dict.fromkeys(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(schema))))


def _pretty(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)

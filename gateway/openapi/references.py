"""References to the document's own components, and the type of its parts."""

from typing import Any

Node = dict[str, Any]
"""Any object of the document: a schema, a response, an operation."""


def schema(name: str) -> Node:
    """A reference to `components/schemas`."""
    return {"$ref": f"#/components/schemas/{name}"}


def parameter(name: str) -> Node:
    """A reference to `components/parameters`."""
    return {"$ref": f"#/components/parameters/{name}"}


def header(name: str) -> Node:
    """A reference to `components/headers`."""
    return {"$ref": f"#/components/headers/{name}"}


def response(name: str) -> Node:
    """A reference to `components/responses`."""
    return {"$ref": f"#/components/responses/{name}"}


def example(name: str) -> Node:
    """A reference to `components/examples`."""
    return {"$ref": f"#/components/examples/{name}"}


def resolved(document: Node, node: Node) -> Node:
    """What `node` refers to, or `node` itself; references to references are followed."""
    while "$ref" in node:
        found: Node = document
        for key in node["$ref"].removeprefix("#/").split("/"):
            found = found[key]
        node = found
    return node

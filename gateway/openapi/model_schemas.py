"""Schemas of dataclasses: types become JSON Schema, docstrings become descriptions, so that both say the same."""

import ast
import inspect
import sys
import types
from collections.abc import Iterable, Iterator
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from itertools import pairwise
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

from gateway.openapi.references import Node, schema

_SCALARS: dict[object, Node] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    datetime: {"type": "string", "format": "date-time"},
}


def schemas_of(models: Iterable[type]) -> Node:
    """`components/schemas` of these dataclasses, and of the dataclasses that they hold."""
    found: Node = {}
    waiting = list(models)
    while waiting:
        model = waiting.pop(0)
        if model.__name__ not in found:
            found[model.__name__], inner = _object(model)
            waiting += inner
    return found


def _object(model: type) -> tuple[Node, list[type]]:
    hints, told = get_type_hints(model), field_docs(model)
    properties: Node = {}
    inner: list[type] = []
    for field in fields(model):
        described, held = _of(hints[field.name])
        inner += held
        if field.name in told:
            # beside a reference a description stands in OpenAPI 3.1
            described = {**described, "description": told[field.name]}
        properties[field.name] = described
    description = " ".join((model.__doc__ or "").split())
    return {"type": "object", "description": description, "required": list(properties), "properties": properties}, inner


def _of(hint: Any) -> tuple[Node, list[type]]:
    if hint in _SCALARS:
        return dict(_SCALARS[hint]), []
    if get_origin(hint) in (Union, types.UnionType):
        return _optional(hint)
    if get_origin(hint) is Literal:
        return {"enum": list(get_args(hint))}, []
    if get_origin(hint) is tuple:
        items, held = _of(get_args(hint)[0])
        return {"type": "array", "items": items}, held
    if get_origin(hint) is dict:
        values, held = _of(get_args(hint)[1])
        return {"type": "object", "additionalProperties": values}, held
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return {"enum": [str(member) for member in hint]}, []
    if isinstance(hint, type) and is_dataclass(hint):
        return schema(hint.__name__), [hint]
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        # described elsewhere, under its own name
        return schema(hint.__name__), []
    return {}, []


def _optional(hint: Any) -> tuple[Node, list[type]]:
    (value,) = (part for part in get_args(hint) if part is not type(None))
    described, held = _of(value)
    if "type" in described:
        return {**described, "type": [described["type"], "null"]}, held
    return {"anyOf": [described, {"type": "null"}]}, held


def field_docs(model: type) -> dict[str, str]:
    """The docstring under each field of a class, as its source has it."""
    return _docs_of(model.__module__).get(model.__name__, {})


@cache
def _docs_of(module: str) -> dict[str, dict[str, str]]:
    """The docstrings under fields, by class."""
    tree = ast.parse(inspect.getsource(sys.modules[module]))
    return {node.name: dict(_documented(node)) for node in tree.body if isinstance(node, ast.ClassDef)}


def _documented(node: ast.ClassDef) -> Iterator[tuple[str, str]]:
    for field, after in pairwise(node.body):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(after, ast.Expr):
            text = after.value
            if isinstance(text, ast.Constant) and isinstance(text.value, str):
                yield field.target.id, " ".join(text.value.split())

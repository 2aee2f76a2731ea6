"""Everything that can be wrong with a configuration, said with its path and what was expected; never with a value."""

import difflib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

_BARE = re.compile(r"[A-Za-z0-9_-]+")
"""A key that TOML lets stand without quotes."""

_EXPECTED: Mapping[str, str] = {
    "missing": "is required",
    "string_type": "expected a text in quotes",
    "int_type": "expected a whole number",
    "float_type": "expected a number",
    "bool_type": "expected true or false",
    "tuple_type": "expected a list in [ ]",
    "list_type": "expected a list in [ ]",
    "dict_type": "expected a table",
    "mapping_type": "expected a table",
    "model_type": "expected a table",
    "literal_error": "expected {expected}",
    "greater_than": "expected more than {gt}",
    "greater_than_equal": "expected at least {ge}",
    "less_than": "expected less than {lt}",
    "less_than_equal": "expected at most {le}",
    "string_too_short": "cannot be empty",
    "value_error": "{error}",
    "json_invalid": "is nested too deep, or holds text that is no Unicode",
}
"""pydantic's kind of error → our words for it, filled from the error's context."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with the configuration. Never holds a secret."""

    path: str
    """Where in the file, such as `connections.acme.apptivo.api_key`; "" for the file itself."""
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


class InvalidSettings(Exception):
    """The configuration cannot be used; `faults` holds everything that is wrong with it."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("\n".join(map(str, faults)))
        self.faults = faults


def path_text(steps: Iterable[str | int]) -> str:
    """A path as TOML spells it: `connections.acme.auth.basic[0].password`, odd keys in quotes."""
    text = ""
    for step in steps:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            text += ("." if text else "") + (step if _BARE.fullmatch(step) else json.dumps(step))
    return text


def unknown_key(key: str, known: Iterable[str]) -> str:
    """What is said of a key that nothing reads."""
    close = difflib.get_close_matches(key, list(known), 1)
    return f"unknown key; did you mean {close[0]}?" if close else "unknown key"


def faults_of(error: ValidationError, model: type[BaseModel], path: Sequence[str]) -> list[Fault]:
    """The faults of a table that `model` refused; `path` is where the table stands."""
    # include_input stays off: an input may be a secret
    found = error.errors(include_url=False, include_input=False)
    return [Fault(path_text((*path, *one["loc"])), _message(model, one)) for one in found]


def _message(model: type[BaseModel], error: Any) -> str:
    if error["type"] == "extra_forbidden":
        *outer, key = error["loc"]
        return unknown_key(str(key), _keys_at(model, outer))
    if error["type"] in _EXPECTED:
        return _EXPECTED[error["type"]].format_map({key: _whole(value) for key, value in error.get("ctx", {}).items()})
    message = str(error["msg"])
    return message[:1].lower() + message[1:]


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _keys_at(model: type[BaseModel], location: Sequence[str | int]) -> Iterable[str]:
    """The keys of the table at a location inside a model."""
    fields = model.model_fields
    for step in location:
        # an index, and a key of a free-form table, name no field
        if isinstance(step, str) and step in fields:
            nested = _model_in(fields[step].annotation)
            fields = nested.model_fields if nested else {}
    return fields


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _model_in(part))), None)

"""What the tests of the document share."""

from collections.abc import Callable
from typing import Any

import jsonschema_rs
import pytest

from gateway.openapi import document

Faults = Callable[[dict[str, Any], Any], list[str]]


@pytest.fixture(scope="session")
def openapi() -> dict[str, Any]:
    """The document."""
    return document()


@pytest.fixture(scope="session")
def faults(openapi: dict[str, Any]) -> Faults:
    """What is wrong with a value, by a schema of the document."""

    def found(schema: dict[str, Any], value: Any) -> list[str]:
        bundled = {**schema, "components": openapi["components"]}
        validator = jsonschema_rs.Draft202012Validator(bundled, validate_formats=True)
        return [str(error.message) for error in validator.iter_errors(value)]

    return found

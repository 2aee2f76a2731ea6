"""Field tables: which part of a pushed company goes where, as JMESPath, per adapter and per connection.

The language is JMESPath (jmespath.org).
"""

from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError
from jmespath.visitor import TreeInterpreter

from adapters.contract import Company
from adapters.plain_text import plain_text

# `search` makes an interpreter each time, which costs more than what it then interprets; it holds no state
_INTERPRETER = TreeInterpreter()


@lru_cache(maxsize=4096)
def _compiled(expression: str) -> Any:
    return jmespath.compile(expression)


def faults(overrides: Mapping[str, str], targets: Collection[str], prefixes: Collection[str] = ()) -> list[str]:
    """What is wrong with an override table, each as `target: reason`; empty when nothing is.

    A target is one of `targets`, or begins with one of `prefixes`. An empty expression switches a target off.
    """
    found = []
    for target, expression in overrides.items():
        if target not in targets and not any(target.startswith(prefix) for prefix in prefixes):
            known = ", ".join([*sorted(targets), *(f"{prefix}…" for prefix in sorted(prefixes))])
            found.append(f"{target}: unknown field; expected one of {known}")
        elif expression:
            try:
                _compiled(expression)
            except (JMESPathError, ValueError) as error:
                found.append(f"{target}: not a JMESPath expression: {str(error).splitlines()[0]}")
    return found


def evaluate(table: Mapping[str, str], company: Company) -> dict[str, Any]:
    """Every target with the value its expression finds in the company's document; nulls and blanks are left out.

    An expression that fails on this document (a function given a wrong type) counts as finding nothing.
    """
    values: dict[str, Any] = {}
    for target, expression in table.items():
        if not expression:
            continue
        try:
            value = _INTERPRETER.visit(_compiled(expression).parsed, company.document)
        except (JMESPathError, TypeError, ValueError):
            continue
        if value is not None and value != "" and value != [] and value != {}:
            values[target] = value
    return values


def text(value: object, limit: int = 10_000) -> str:
    """A field's value as text: lists are joined by ", ", objects give "", all else as `plain_text`."""
    if isinstance(value, list | tuple):
        return ", ".join(part for part in (text(item, limit) for item in value) if part)[:limit]
    return plain_text(value, limit)

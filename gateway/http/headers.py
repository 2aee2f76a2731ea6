"""A request's headers by name."""

from collections.abc import MutableMapping
from typing import Any

_BY_NAME = "gateway.headers"


def header(scope: MutableMapping[str, Any], name: bytes) -> bytes:
    """The first header of this name, in lower case as servers hand them over; empty where there is none."""
    by_name = scope.get(_BY_NAME)
    if by_name is None:
        # several look into them; the first of a name wins
        by_name = scope[_BY_NAME] = dict(reversed(scope["headers"]))
    value: bytes = by_name.get(name, b"")
    return value

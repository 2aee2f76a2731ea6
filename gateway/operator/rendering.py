"""Operators' models as JSON: field by field, times as CONTRACT section 5 writes them."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from typing import Any

import msgspec

from adapters.timestamps import render


def to_json(value: Any) -> Any:
    """What `msgspec.json.encode` or `json.dumps` may write of a model."""
    if isinstance(value, datetime):
        return render(value)
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_json(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, msgspec.Struct):
        return msgspec.to_builtins(value)
    if isinstance(value, Mapping):
        return {str(key): to_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_json(item) for item in value]
    return value

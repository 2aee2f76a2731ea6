"""Templates: their environment, and the filters by which pages show times, numbers and what others sent."""

import json
import re
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment

from gateway.console import assets, times, words
from gateway.templates import environment

_TEMPLATES = Path(__file__).parent / "templates"
_UNSHOWN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def render(template: str, **context: Any) -> str:
    """A template as HTML; everything in `context` is escaped."""
    return _environment().get_template(template).render(context)


@cache
def _environment() -> Environment:
    made = environment(_TEMPLATES)
    made.filters.update(
        stamp=times.stamp,
        iso=times.iso,
        span=times.span,
        duration=times.duration,
        number=_number,
        size=_size,
        cut=cut,
        plain=plain,
        tone=words.tone,
        kind=words.kind_title,
        local=_local,
        json=_json,
    )
    made.globals.update(ago=times.ago, static=assets.address)
    return made


def plain(text: object) -> str:
    """Text of others without the control characters that HTML does not know; line ends and tabs stay."""
    return _UNSHOWN.sub("\N{REPLACEMENT CHARACTER}", str(text))


def cut(text: object, longest: int) -> str:
    """Text of others on one line of at most `longest` characters."""
    line = " ".join(plain(text).split())
    return line if len(line) <= longest else line[: longest - 1].rstrip() + "…"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:,.1f}"


def _local(at: datetime | None) -> str:
    """A time as `<input type="datetime-local">` wants it, in UTC."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M}" if at else ""


def _json(value: object) -> str:
    return plain(value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False, default=str))


def _size(count: float) -> str:
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:,.0f} {unit}" if unit == "bytes" else f"{count:,.1f} {unit}"
        count /= 1000
    return f"{count:,.1f} TB"

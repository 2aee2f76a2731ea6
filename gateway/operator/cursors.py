"""Cursors: where a page of a list ended, as text that callers hand back and need not understand.

Keyset, not offset: what comes in meanwhile shifts nothing. Numbers travel as 16 hex digits, ids as they are, so every
text of a cursor's pattern is a valid cursor: the OpenAPI document says exactly what is accepted.
"""

import re

from gateway.ids import ID_DIGITS
from gateway.operator.errors import BadQuery
from gateway.pushed import BodyFault

Cursor = tuple[int, int]
"""The time (Unix milliseconds) and the id of a page's last entry."""
ExportCursor = tuple[int, str]

_NUMBER = "[0-7][0-9a-f]{15}"
_ID = f"[{ID_DIGITS}]{{26}}"
DELIVERIES_PATTERN = f"^d{_NUMBER}{_NUMBER}$"
EXPORTS_PATTERN = f"^x{_NUMBER}{_ID}$"
SYNCS_PATTERN = f"^s{_NUMBER}$"
AUDIT_PATTERN = f"^a{_NUMBER}$"
_FAULT = BodyFault("cursor", "expected the next_cursor of this list's last answer")


def of_delivery(place: Cursor) -> str:
    """The cursor of a list of deliveries."""
    return f"d{place[0]:016x}{place[1]:016x}"


def read_delivery(text: str) -> Cursor:
    """The place that a cursor of deliveries names; `BadQuery` if it is none."""
    _check(text, DELIVERIES_PATTERN)
    return int(text[1:17], 16), int(text[17:33], 16)


def of_export(place: ExportCursor) -> str:
    """The cursor of a list of exports."""
    return f"x{place[0]:016x}{place[1].removeprefix('exp_')}"


def read_export(text: str) -> ExportCursor:
    """The place that a cursor of exports names; `BadQuery` if it is none."""
    _check(text, EXPORTS_PATTERN)
    return int(text[1:17], 16), f"exp_{text[17:]}"


def of_sync(run_id: int) -> str:
    """The cursor of a list of sync runs."""
    return f"s{run_id:016x}"


def read_sync(text: str) -> int:
    """The run that a cursor names; `BadQuery` if it is none."""
    _check(text, SYNCS_PATTERN)
    return int(text[1:], 16)


def of_audit(entry_id: int) -> str:
    """The cursor of the audit log."""
    return f"a{entry_id:016x}"


def read_audit(text: str) -> int:
    """The entry that a cursor names; `BadQuery` if it is none."""
    _check(text, AUDIT_PATTERN)
    return int(text[1:], 16)


def _check(text: str, pattern: str) -> None:
    if not re.fullmatch(pattern.strip("^$"), text):
        raise BadQuery([_FAULT])

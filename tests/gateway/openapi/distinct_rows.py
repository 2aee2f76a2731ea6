"""What no schema can say of customer events, for schemathesis' command line to load (`SCHEMATHESIS_HOOKS`)."""

from typing import Any

import schemathesis


@schemathesis.hook
def filter_body(_context: Any, body: Any) -> bool:
    """Pass over bodies in which a `request_unique_identifier` comes twice: they are refused, rightly."""
    arrays = [body, *(body.values() if isinstance(body, dict) else ())]
    rows = [row for each in arrays if isinstance(each, list) for row in each if isinstance(row, dict)]
    given = [row["request_unique_identifier"] for row in rows if "request_unique_identifier" in row]
    return all(each not in given[:place] for place, each in enumerate(given))

"""What an HTTP answer of a remote system is: a reply with its body, or the `RemoteError` it stands for. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from adapters.contract import (
    BadCredentials,
    NotFound,
    Refused,
    RemoteError,
    ServerFault,
    Throttled,
    UnexpectedReply,
)
from adapters.json_text import decoded

EXCERPT_CHARACTERS = 200
"""How much of a remote's own words goes into an error."""
_MAX_REFUSAL_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class Reply:
    """A complete answer with a 2xx status."""

    status: int
    content_type: str
    content: bytes
    system: str

    def json(self) -> Any:
        """The body as JSON; `UnexpectedReply` if it is none."""
        try:
            return decoded(self.content)
        except ValueError:
            kind = self.content_type.partition(";")[0] or "no content type"
            raise UnexpectedReply(
                f"{self.system} answered {self.status} with {kind} ({len(self.content)} bytes), expected JSON"
            ) from None


def refusal(reply: Reply, retry_after: str | None, redact: Callable[[str], str]) -> RemoteError:
    """The error that an answer without a 2xx status stands for; `retry_after` is that header."""
    status = reply.status
    said = _excerpt(reply.content, redact)
    detail = f"{reply.system} answered {status}" + (f": {said}" if said else "")
    wait = retry_after_seconds(retry_after, datetime.now(UTC))
    body = reply.content[:_MAX_REFUSAL_BYTES]
    if status == 429:
        return Throttled(detail, retry_after=wait)
    if status >= 500 or status in (408, 425):
        return ServerFault(detail, retry_after=wait)
    if status in (401, 403):
        return BadCredentials(detail, status=status, body=body)
    if status in (404, 410):
        return NotFound(detail, status=status, body=body)
    if status < 400:
        return UnexpectedReply(detail)
    return Refused(detail, status=status, body=body)


def _excerpt(content: bytes, redact: Callable[[str], str]) -> str:
    """The beginning of a body as one line of text, without markup; what a person may be shown."""
    text = content[:20_000].decode("utf-8", "replace").strip()
    if text[:1] == "<":
        return "an HTML page"
    # redacted before it is cut: a secret that the cut goes through would no longer be found
    return " ".join(redact(text).split())[:EXCERPT_CHARACTERS]


def retry_after_seconds(header: str | None, now: datetime) -> float | None:
    """`Retry-After` (RFC 9110 section 10.2.3) in seconds from `now`: a number or an HTTP date; else None."""
    if header is None:
        return None
    text = header.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError, OverflowError):
        # a year of twenty digits is the last
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())

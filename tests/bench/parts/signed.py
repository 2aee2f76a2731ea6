"""Signed webhooks of 1 kB as whole HTTP requests, made before the clock runs."""

import base64
import hmac
import json
import time
from collections.abc import Sequence

from tests.bench.parts.wire import post

SECRET = base64.b64encode(b"bench-webhook-secret-32-bytes-ok").decode()
KEY = base64.b64decode(SECRET)
MOST_PER_SECOND = 12_000
"""More requests than this are not made for a second of load; a server that is quicker ends its round early."""
PATHS = ("/crm/acme/webhooks",)


def body(number: int, customers: int) -> bytes:
    """About 1 kB, of its own, about one of so many customers."""
    return json.dumps({"customerId": number % customers, "n": number, "pad": "x" * 960}).encode()


def standard(first: int, count: int, *, customers: int = 1000, paths: Sequence[str] = PATHS) -> list[bytes]:
    """By Standard Webhooks: an id, a time, and the digest of both and the body. The paths take turns."""
    made = []
    at = str(int(time.time()))
    for number in range(first, first + count):
        content = body(number, customers)
        digest = hmac.digest(KEY, f"msg_{number}.{at}.".encode() + content, "sha256")
        proof = (
            f"webhook-id: msg_{number}",
            f"webhook-timestamp: {at}",
            f"webhook-signature: v1,{base64.b64encode(digest).decode()}",
        )
        made.append(post(paths[number % len(paths)], content, *proof))
    return made


def by_header(first: int, count: int, path: str) -> list[bytes]:
    """By a header with the digest of the body alone, as GitHub does it and every peer understands."""
    made = []
    for number in range(first, first + count):
        content = body(number, 1000)
        digest = hmac.digest(KEY, content, "sha256").hex()
        made.append(post(path, content, f"X-Signature: sha256={digest}", f"X-Delivery: {number}"))
    return made


class Supply:
    """Requests that never come twice, whoever asks for them."""

    def __init__(self, paths: Sequence[str] = PATHS) -> None:
        self._next = 0
        self._paths = paths

    def of(self, seconds: float) -> list[bytes]:
        """Enough for so many seconds."""
        count = int(seconds * MOST_PER_SECOND)
        self._next += count
        return standard(self._next - count, count, paths=self._paths)

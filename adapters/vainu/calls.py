"""Calls to Vainu's API as all its resources make them: ids checked, 401 and 403 explained, "slow down" waited out."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar, Unpack
from urllib.parse import quote

from adapters.contract import BadCredentials, Refused, Throttled, UnexpectedReply
from adapters.deadline import Deadline
from adapters.http import CallOptions, Method, RemoteClient
from adapters.http_replies import Reply

T = TypeVar("T")
ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
"""What an id that goes into a path may be; Vainu's are hex (customer data, target groups) or UUIDs (jobs)."""
SHORTEST_WAIT = 1.0
"""Seconds to wait after a `Throttled` that does not say how long: no number is documented."""
_LONGEST_WAIT = 30.0


class Calls:
    """The calls of one account. Paths begin with the version: `v2/customer_data/`."""

    def __init__(self, remote: RemoteClient) -> None:
        self._remote = remote
        self.redact = remote.redact
        """Takes the account's secrets out of what Vainu answered with a 2xx, before anybody sees it."""

    async def ask(self, method: Method, path: str, parse: Callable[[Reply], T], **options: Unpack[CallOptions]) -> T:
        """One call; what `parse` makes of the reply. `RemoteError`s as those of `RemoteClient.ask`."""
        try:
            return await self._remote.ask(method, path, parse, **options)
        except BadCredentials as error:
            advice = "check the credentials, and that Vainu has enabled the API for the account"
            raise BadCredentials(f"{error.detail}; {advice}", status=error.status) from None


async def patiently(act: Callable[[], Awaitable[T]], deadline: Deadline) -> T:
    """What `act` gives; where Vainu asks to slow down, waits as long as it says and acts again, if time allows.

    A `Throttled` means that nothing happened, so a create may be sent again after one, and only after one.
    """
    wait = SHORTEST_WAIT
    while True:
        try:
            return await act()
        except Throttled as error:
            pause = wait if error.retry_after is None else error.retry_after
            if deadline.remaining() <= pause:
                raise
        await asyncio.sleep(pause)
        wait = min(2 * wait, _LONGEST_WAIT)


def path_of(collection: str, what: str, identity: object, end: str = "/") -> str:
    """The path of one object; `Refused` for whatever could end in the path of all of them."""
    if not isinstance(identity, str) or not ID.fullmatch(identity):
        shown = ascii(identity)[:60]
        raise Refused(f"{what} id: expected letters, digits, _ and -, got {shown}; nothing was sent")
    return f"{collection}{quote(identity, safe='')}{end}"


def rows_of(value: object, what: str, key: str = "results") -> Sequence[Any]:
    """The rows of a list: a bare array, or an object that holds one under `key`; `UnexpectedReply` otherwise."""
    if isinstance(value, dict):
        value = value.get(key)
    if not isinstance(value, list):
        raise UnexpectedReply(f"vainu answered a list of {what} without rows")
    return value

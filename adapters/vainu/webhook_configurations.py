"""Where Vainu sends company changes: webhook configuration, v2 of the API (vdev, "Configure Webhooks").

Confirmed are POST, GET and DELETE, the fields url, query and type, and the one type. Unknown are the end of the path
(a setting), the answers, and how one configuration is named for DELETE: read tolerantly, and deleted by its id only.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

from adapters.contract import Refused, RemoteError, UnexpectedReply
from adapters.deadline import Deadline
from adapters.http_replies import Reply
from adapters.redaction import Redactor
from adapters.vainu.calls import ID, Calls, path_of, rows_of
from adapters.vainu.models import text

COMPANY_CHANGE = "company_change_webhook"
"""The only type there is (vdev)."""


@dataclass(frozen=True, slots=True)
class WebhookConfiguration:
    """One target of webhooks. Address and query may hold a token, so neither is in its repr."""

    id: str
    url: str = field(default="", repr=False)
    query: str = field(default="", repr=False)
    type: str = ""
    document: Mapping[str, object] = field(default_factory=dict, repr=False, compare=False)
    """The whole object as it came, its status among it."""


class WebhookConfigurations:
    """`/api/v2/webhook_conf…`. Raises only `RemoteError`s."""

    def __init__(self, calls: Calls, path: str) -> None:
        self._calls = calls
        self._root = f"v2/{path.strip('/')}/"

    async def list(self, deadline: Deadline) -> Sequence[WebhookConfiguration]:
        """What is configured."""
        return await self._calls.ask(
            "GET", self._root, _configurations, action="list_webhooks", deadline=deadline, safe=True
        )

    async def create(self, url: str, deadline: Deadline, query: str = "") -> WebhookConfiguration:
        """Have company changes sent to `url`, with `query` appended ("token=…"). Not repeated by itself.

        `Refused`, unsent, for an address that is not https.
        """
        if urlsplit(url).scheme != "https" or not urlsplit(url).hostname:
            raise Refused("webhook: expected an address that begins with https://; nothing was sent")
        body = {"url": url, "type": COMPANY_CHANGE} | ({"query": query} if query else {})
        with _hidden(url, query):
            return await self._calls.ask(
                "POST", self._root, _created, action="create_webhook", deadline=deadline, safe=False, json_body=body
            )

    async def delete(self, webhook_id: str, deadline: Deadline) -> None:
        """Remove the configuration with this id; `NotFound` if there is none, `Refused`, unsent, for no id."""
        path = path_of(self._root, "webhook", webhook_id)
        await self._calls.ask("DELETE", path, _deleted, action="delete_webhook", deadline=deadline, safe=False)


@contextmanager
def _hidden(url: str, query: str) -> Iterator[None]:
    """Takes tokens of the address out of an error in which Vainu repeats them."""
    secrets = [value for text in (urlsplit(url).query, query) for _, value in parse_qsl(text)]
    try:
        yield
    except RemoteError as error:
        error.detail = Redactor(secrets)(error.detail)
        error.args = (error.detail,)
        raise


def _read(value: object) -> WebhookConfiguration:
    if not isinstance(value, Mapping) or not text(value.get("url")):
        raise UnexpectedReply("vainu answered something that is no webhook: expected an object with a url")
    told = (value.get(key) for key in ("id", "_id", "webhook_id"))
    identity = next((str(each) for each in told if isinstance(each, str | int) and ID.fullmatch(str(each))), "")
    return WebhookConfiguration(identity, value["url"], text(value.get("query")), text(value.get("type")), value)


def _created(reply: Reply) -> WebhookConfiguration:
    return _read(reply.json())


def _configurations(reply: Reply) -> Sequence[WebhookConfiguration]:
    value = reply.json()
    if isinstance(value, Mapping) and "url" in value:
        value = [value]
    return tuple(map(_read, rows_of(value, "webhooks")))


def _deleted(reply: Reply) -> None:
    answer = reply.json() if reply.content.strip() else None
    if not isinstance(answer, Mapping | None):
        raise UnexpectedReply("vainu answered a DELETE of a webhook with something else")

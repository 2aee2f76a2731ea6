"""Aixon's API as this gateway calls it: for now the read-only sign-in of `gateway check` (S002)."""

from collections.abc import Mapping

from adapters.aixon.models import AixonSettings
from adapters.contract import Account, Observer, UnexpectedReply
from adapters.deadline import Deadline
from adapters.http import RemoteClient
from adapters.http_replies import Reply

BASE_PATH = "api_upload/v1/csv-upload"


class AixonClient:
    """Calls one Aixon account. Every method raises only `RemoteError`s."""

    def __init__(self, settings: AixonSettings, observe: Observer = lambda _record: None) -> None:
        key = settings.api_key.get_secret_value()
        self._http = RemoteClient(
            "aixon", settings.base_url, secrets=[key], observe=observe, headers={"x-api-key": key}
        )

    async def check(self, deadline: Deadline) -> Account:
        """List the cells, which needs a good key and changes nothing."""
        cells = await self._http.ask("GET", BASE_PATH, _cells, action="csv-upload.list", deadline=deadline, safe=True)
        return Account(f"Appier Aixon: {len(cells)} upload resources")

    async def aclose(self) -> None:
        """Close connections."""
        await self._http.aclose()


def _cells(reply: Reply) -> list[object]:
    answer = reply.json()
    cells = answer.get("message") if isinstance(answer, Mapping) else None
    if not isinstance(cells, list):
        raise UnexpectedReply("aixon answered a list of cells in a shape that S002 does not show")
    return cells

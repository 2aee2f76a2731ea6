"""Aixon's csv-upload as this gateway calls it: list the cells, create one, update and widen it (S002)."""

from collections.abc import Mapping
from typing import Literal
from urllib.parse import quote

from adapters.aixon import cells
from adapters.aixon.cells import Listed
from adapters.aixon.models import AixonSettings
from adapters.aixon.spool import Body
from adapters.contract import Account, NotFound, Observer, UnexpectedReply
from adapters.deadline import Deadline
from adapters.http import RemoteClient

BASE_PATH = "api_upload/v1/csv-upload"
UPLOAD_SECONDS = 300.0
"""The longest one upload may take: 32 MB at 1 Mbit/s take 256 s."""


class AixonClient:
    """Calls one Aixon account. Every method raises only `RemoteError`s, and ends by its deadline.

    An upload is one call and never repeated here; `adapters.aixon.upload` decides about repeats.
    """

    def __init__(self, settings: AixonSettings, observe: Observer = lambda _record: None) -> None:
        key = settings.api_key.get_secret_value()
        self._http = RemoteClient(
            "aixon",
            settings.base_url,
            secrets=[key],
            observe=observe,
            headers={"x-api-key": key},
            call_seconds=UPLOAD_SECONDS,
            upstream=settings,
        )

    async def check(self, deadline: Deadline) -> Account:
        """List the cells, which needs a good key and changes nothing."""
        count = len(await self.list(deadline))
        cells_there = f"{count} customer data cell{'' if count == 1 else 's'}"
        # S002 knows no question about rights
        return Account(f"Appier Aixon: {cells_there}; whether the key may upload shows only when it does")

    async def list(self, deadline: Deadline) -> list[Listed]:
        """The account's customer data cells."""
        action = "csv-upload.list"
        return await self._http.ask("GET", BASE_PATH, cells.listed_cells, action=action, deadline=deadline, safe=True)

    async def create(self, description: str, body: Body, content_type: str, deadline: Deadline) -> str:
        """Make a cell of these rows; its resource id. S002: PUT, the description in `x-node-description`."""
        return await self._http.ask(
            "PUT",
            BASE_PATH,
            cells.created,
            action="csv-upload.create",
            deadline=deadline,
            safe=False,
            content=body,
            headers={**_headers(body, content_type), "x-node-description": description},
        )

    async def update(self, cell: str, body: Body, content_type: str, deadline: Deadline) -> None:
        """PATCH: known customers change, new ones are added; the columns are exactly the cell's."""
        await self._send("PATCH", cell, body, content_type, "csv-upload.update", deadline)

    async def overwrite(self, cell: str, body: Body, content_type: str, deadline: Deadline) -> None:
        """PUT: as `update`, with columns that the cell does not have yet."""
        await self._send("PUT", cell, body, content_type, "csv-upload.overwrite", deadline)

    async def _send(
        self,
        method: Literal["PATCH", "PUT"],
        cell: str,
        body: Body,
        content_type: str,
        action: str,
        deadline: Deadline,
    ) -> None:
        try:
            answered = await self._http.ask(
                method,
                f"{BASE_PATH}/{quote(cell, safe='')}",
                cells.received,
                action=action,
                deadline=deadline,
                safe=False,
                content=body,
                headers=_headers(body, content_type),
            )
        except NotFound as error:
            raise NotFound(
                f"aixon has no cell {cell} any more ({error.detail}); to begin a new one, have the gateway forget it",
                status=error.status,
                body=error.body,
            ) from None
        if answered != cell:
            raise UnexpectedReply(f"aixon answered for cell {answered[:60]}, not {cell}")

    async def aclose(self) -> None:
        """Close connections."""
        await self._http.aclose()


def _headers(body: Body, content_type: str) -> Mapping[str, str]:
    return {"Content-Type": content_type, "Content-Length": str(body.size)}

"""Aixon's csv-upload over HTTP (S002): customer data cells, created, updated and overwritten by upload.

What the document leaves open is marked in NOTES.md. Faults, journal and control paths: `adapters.simulation`.
"""

import csv
import hmac
import io
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from itertools import count
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from adapters.aixon.columns import header_faults, row_faults
from adapters.simulation import Simulator, build

FAKE_API_KEY = "not-a-real-aixon-key"
BASE_PATH = "/api_upload/v1/csv-upload"
MAX_BODY_BYTES = 32_000_000
"""S002: "32mb"; whether MB or MiB is unknown, so the smaller one."""


class UploadRefused(Exception):
    """An upload that Aixon does not take; the faults, a sentence each."""

    def __init__(self, status: int, *faults: str) -> None:
        super().__init__(*faults)
        self.status = status
        self.faults = faults


@dataclass(frozen=True, slots=True)
class Upload:
    """A table as sent: column names, and rows of as many values."""

    header: list[str]
    rows: list[list[Any]]


@dataclass(slots=True)
class Cell:
    """A customer data cell: its columns, and its rows by customuid."""

    id: str
    description: str
    header: list[str]
    rows: dict[str, dict[str, Any]]


class AixonState:
    """One Aixon account.

    `put_drops_missing` decides what S002 leaves open: whether PUT removes the rows that it does not name.
    """

    def __init__(
        self,
        *,
        api_key: str = FAKE_API_KEY,
        max_body_bytes: int = MAX_BODY_BYTES,
        put_drops_missing: bool = False,
    ) -> None:
        self.api_key = api_key
        self.max_body_bytes = max_body_bytes
        self._put_drops_missing = put_drops_missing
        self.reset()

    def reset(self) -> None:
        """No cells."""
        self.cells: dict[str, Cell] = {}
        self._numbers = count(1)

    def dump(self) -> dict[str, Any]:
        """Every cell: description, header, and rows by customuid."""
        return {
            cell.id: {"description": cell.description, "header": cell.header, "rows": cell.rows}
            for cell in self.cells.values()
        }

    def create(self, description: str, upload: Upload) -> Cell:
        """A new cell with the upload's rows."""
        cell = Cell(f"simulated{next(self._numbers):04d}cell", description, upload.header, {})
        self.cells[cell.id] = cell
        _lay_over(cell, upload)
        return cell

    def update(self, cell: Cell, upload: Upload) -> None:
        """PATCH: known customuids change, new ones are added; the columns must be exactly the same."""
        if upload.header != cell.header:
            raise UploadRefused(400, "header: column counts, names and orders must be the same as uploaded before")
        _lay_over(cell, upload)

    def overwrite(self, cell: Cell, upload: Upload) -> None:
        """PUT: as PATCH, and columns may be added, never removed or renamed."""
        lost = [name for name in cell.header if name not in upload.header]
        if lost:
            raise UploadRefused(400, f"header: original columns must be kept: {', '.join(lost)[:200]}")
        cell.header = upload.header
        kept = {} if self._put_drops_missing else cell.rows
        cell.rows = {uid: {name: row.get(name, "") for name in cell.header} for uid, row in kept.items()}
        _lay_over(cell, upload)


def _lay_over(cell: Cell, upload: Upload) -> None:
    for row in upload.rows:
        values = {name: "" if value is None else value for name, value in zip(upload.header, row, strict=True)}
        cell.rows[str(values["customuid"])] = values


Endpoint = Callable[[AixonState, Request], Awaitable[Response]]


def simulator(**options: Any) -> Simulator:
    """An Aixon of its own; `options` are those of `AixonState`."""
    state = AixonState(**options)
    endpoints: list[tuple[str, str, Endpoint]] = [
        ("GET", BASE_PATH, _list),
        ("PUT", BASE_PATH, _create),
        ("PATCH", BASE_PATH + "/{id}", _update),
        ("PUT", BASE_PATH + "/{id}", _overwrite),
    ]
    return build(state, [Route(path, _guarded(state, act), methods=[method]) for method, path, act in endpoints])


def _guarded(state: AixonState, act: Endpoint) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        key = request.headers.get("x-api-key", "")
        if not hmac.compare_digest(key.encode(), state.api_key.encode()):
            return _failure(403, "Forbidden")
        try:
            return await act(state, request)
        except UploadRefused as refusal:
            return _failure(refusal.status, "; ".join(refusal.faults))

    return endpoint


def _failure(status: int, message: str) -> Response:
    return JSONResponse({"message": message, "status": "fail"}, status)


def _success(message: object) -> Response:
    return JSONResponse({"message": message, "status": "success"})


async def _list(state: AixonState, _request: Request) -> Response:
    message: list[dict[str, object]] = [
        {"DESCRIPTION": "GET all csv-upload resources", "SUPPORT_METHODS": ["GET"], "URL": BASE_PATH},
        {"DESCRIPTION": "Create a new CSV Upload node", "SUPPORT_METHODS": ["PUT"], "URL": BASE_PATH},
    ]
    for cell in state.cells.values():
        description = f"Upload csv data {cell.id}: {cell.description}"
        url = f"{BASE_PATH}/{cell.id}"
        message.append({"DESCRIPTION": description, "SUPPORT_METHODS": ["PUT", "PATCH"], "URL": url})
    return _success(message)


async def _create(state: AixonState, request: Request) -> Response:
    upload = await _upload(state, request)
    cell = state.create(request.headers.get("x-node-description", ""), upload)
    return _success({"RESOURCE_ID": cell.id, "STATUS": "CREATED"})


async def _update(state: AixonState, request: Request) -> Response:
    cell = _cell(state, request)
    state.update(cell, await _upload(state, request))
    return _success({"RESOURCE_ID": cell.id, "STATUS": "RECEIVED"})


async def _overwrite(state: AixonState, request: Request) -> Response:
    cell = _cell(state, request)
    state.overwrite(cell, await _upload(state, request))
    return _success({"RESOURCE_ID": cell.id, "STATUS": "RECEIVED"})


def _cell(state: AixonState, request: Request) -> Cell:
    cell = state.cells.get(request.path_params["id"])
    if cell is None:
        raise UploadRefused(404, "no such resource")
    return cell


async def _upload(state: AixonState, request: Request) -> Upload:
    """The table in the body, JSON or CSV by content type; `UploadRefused` for every breach of S002's rules."""
    body = await request.body()
    if len(body) > state.max_body_bytes:
        raise UploadRefused(413, "body over 32mb")
    media_type = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if media_type not in ("application/json", "text/csv"):
        # what curl -d says of itself, if nobody stops it
        raise UploadRefused(415, "body: expected application/json or text/csv")
    header, rows = _read_csv(body) if media_type == "text/csv" else _read_json(body)
    faults = header_faults(header) or row_faults(header, rows)
    if faults:
        raise UploadRefused(400, *faults)
    return Upload(header, rows)


def _read_json(body: bytes) -> tuple[list[str], list[list[Any]]]:
    try:
        table = json.loads(body)
        header, rows = table["header"], table["data"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise UploadRefused(400, "body: expected JSON with header and data") from None
    if not isinstance(header, list) or not isinstance(rows, list):
        raise UploadRefused(400, "body: header and data must be arrays")
    return header, rows


def _read_csv(body: bytes) -> tuple[list[str], list[list[Any]]]:
    try:
        # S002's own sample has a space after each comma of its header
        lines = list(csv.reader(io.StringIO(body.decode("utf-8-sig"), newline=""), skipinitialspace=True, strict=True))
    except (UnicodeDecodeError, csv.Error):
        raise UploadRefused(400, "body: expected CSV in UTF-8") from None
    rows = [line for line in lines if line]
    if not rows:
        raise UploadRefused(400, "body: expected a header line")
    return [name.strip() for name in rows[0]], list(rows[1:])

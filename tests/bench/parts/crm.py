"""An Apptivo of a firm whose customers all have the same events, as quick as asyncio answers: bytes made once.

    python -m tests.bench.parts.crm PORT DELAY_MS LAYOUT

LAYOUT is `eight` (eight sources with 25 events each, one call a source), `one` (the news feed alone, 200 events in
one call), or `few` (eight sources with 2 events each). Every call is answered DELAY_MS later. It makes customers, so
that feeds are of linked ones, takes what Vainu is told of them, and keeps nothing.
The shapes are those of the simulator beside the adapter; this one is there to cost nothing.
"""

import asyncio
import contextlib
import itertools
import json
import re
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import uvloop

from adapters.apptivo.endpoints import FEED, NEWSFEED
from adapters.apptivo.models import FeedSource

EVENTS_A_SOURCE = {"eight": 25, "one": 200, "few": 2}
CHOICES = {
    "statuses": [
        {"statusId": 10000, "statusName": "Active", "statusCode": "ACTIVE", "isEnabled": "Y", "isActive": "Y"}
    ],
    "industries": [{"industryId": 300, "industryName": "Computer Software"}],
    "employeeRanges": [{"employeeRangeId": 400, "employeeRange": "10 - 49"}],
    "phoneTypes": [{"name": "Business", "code": "PHONE_BUSINESS"}],
    "emailTypes": [{"name": "Business", "code": "BUSINESS"}],
    "addressTypes": [{"name": "Billing Address", "code": "1"}],
    "territories": [],
    "sysMessages": [{"code": "1", "message": "Saved"}],
    "webLayout": json.dumps({"sections": []}),
}
_START = datetime(2026, 5, 4, 7, 11, 26, tzinfo=UTC)
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)


def feed_calls(layout: str) -> list[str]:
    """The paths that a feed asks, without what names the customer."""
    sources: list[FeedSource] = ["newsfeed"] if layout == "one" else list(FEED)
    return [f"/apptivo/{FEED[source].path}?a={FEED[source].actions[0]}&source={source}" for source in sources]


def rows(source: FeedSource, count: int) -> list[dict[str, Any]]:
    """Rows of one source, each at a time of its own, with a text of some length."""
    made = []
    for number in range(count):
        at = (_START - timedelta(hours=number)).strftime("%Y-%m-%dT%H:%M:%SZ")
        text = f"{source} {number}: spoke about the offer, the delivery in spring and who signs. " * 2
        row: dict[str, Any] = {"id": 10_000 + number, "creationDate": at, "createdByName": "Sales Person"}
        if source == "newsfeed":
            content = json.dumps({"noteText": text, "subject": f"News {number}"})
            row |= {"wallEntryId": 10_000 + number, "datePosted": at, "collabObjectJSON": content}
        elif source == "notes":
            row |= {"noteId": 10_000 + number, "noteText": text, "subject": f"Note {number}"}
        elif source == "opportunities":
            row |= {"opportunityId": 10_000 + number, "opportunityName": f"Deal {number}", "description": text}
            row |= {"salesStageName": "Proposal", "amount": 1_000 + number, "currencyCode": "EUR", "probability": 40}
        else:
            row |= {"activityId": 10_000 + number, "subject": f"Subject {number}", "description": text}
            row |= {"startDate": at, "endDate": at, "sentDate": at}
        made.append(row)
    return made


def _wire(content: object) -> bytes:
    body = json.dumps(content).encode()
    return _HEAD % len(body) + body


def _list(source: FeedSource, count: int) -> bytes:
    key = FEED[source].list_keys[0]
    return _wire({key: rows(source, count), "countOfRecords": count})


class Answers:
    """What is answered to a request's first line, best match first."""

    def __init__(self, layout: str) -> None:
        self._ids = itertools.count(5_000)
        self._lists = {source: _list(source, EVENTS_A_SOURCE[layout]) for source in FEED}
        self._choices = _wire(CHOICES)
        self._none = _wire({"customers": [], "countOfRecords": 0})
        self._customer = _wire({"customerId": 5_000, "customerName": "Anybody Oy"})
        self._customer_data = _wire({"total_results": 0, "next_page": None, "prev_page": None, "results": []})
        self._one_of_it = _wire({"id": f"{1:024x}", "company_vid": -1})

    def of(self, line: str) -> bytes:
        """The whole answer."""
        if "/vainu/" in line:
            return self._customer_data if line.startswith("GET") else self._one_of_it
        if "/customers?" in line:
            if "a=getConfigData" in line:
                return self._choices
            if "a=save" in line:
                return _wire({"customer": {"customerId": next(self._ids)}})
            return self._customer if "a=getById" in line or "a=update" in line else self._none
        return self._lists[self._source(line)]

    def _source(self, line: str) -> FeedSource:
        for source, endpoint in FEED.items():
            wanted = endpoint.query.get("activityType", "").replace(" ", "+")
            if f"source={source}" in line:
                return source
            if endpoint.path + "?" in line and (not wanted or f"activityType={wanted}&" in line):
                return source
        return "newsfeed" if NEWSFEED in line else "notes"


class Far(asyncio.Protocol):
    """One connection; requests are answered in their order."""

    def __init__(self, answers: Answers, delay: float) -> None:
        self._answers, self._delay = answers, delay
        self._data = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep it."""
        self._transport = transport  # type: ignore[assignment]  # TCP gives the whole transport

    def data_received(self, data: bytes) -> None:
        """Answer every request that is whole."""
        self._data += data
        while (end := self._data.find(b"\r\n\r\n")) >= 0:
            head = self._data[:end]
            if _CHUNKED.search(head):
                raise ValueError("expected a body with its length")
            found = _LENGTH.search(head)
            size = end + 4 + (int(found[1]) if found else 0)
            if len(self._data) < size:
                return
            line = head[: head.find(b"\r\n")].decode()
            self._data = self._data[size:]
            self._later(self._answers.of(line), 0 if line.startswith("GET / ") else self._delay)

    def _later(self, answer: bytes, delay: float) -> None:
        if delay:
            asyncio.get_running_loop().call_later(delay, self._write, answer)
        else:
            # who only looks whether somebody is there waits for nothing, either
            self._write(answer)

    def _write(self, answer: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(answer)


async def serve(port: int, delay_ms: float, layout: str) -> None:
    """Answer until the process ends."""
    answers = Answers(layout)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: Far(answers, delay_ms / 1000), "127.0.0.1", port, backlog=4096, reuse_address=True
    )
    await server.serve_forever()


def main() -> None:
    """The process."""
    port, delay_ms, layout = sys.argv[1:]
    with contextlib.suppress(KeyboardInterrupt), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(int(port), float(delay_ms), layout))


if __name__ == "__main__":
    main()

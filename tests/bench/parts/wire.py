"""HTTP/1.1 as the clients of the benchmark speak it: whole requests as bytes, answers with a length or in chunks."""

import asyncio
import re
from dataclasses import dataclass

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    head: bytes
    size: int


async def exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> Answer:
    """Send a request and read its answer; `asyncio.IncompleteReadError` if the connection ends before."""
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    if _CHUNKED.search(head):
        size = await _chunks(reader)
    else:
        found = _LENGTH.search(head)
        size = len(await reader.readexactly(int(found[1]))) if found else 0
    return Answer(int(head[9:12]), head, size)


async def _chunks(reader: asyncio.StreamReader) -> int:
    total = 0
    while size := int((await reader.readuntil(b"\r\n")).partition(b";")[0], 16):
        total += size
        await reader.readexactly(size + 2)
    await reader.readuntil(b"\r\n")
    return total


def get(path: str, key: str = "") -> bytes:
    """A GET, with an API key where one is given."""
    proof = f"API-Key: {key}\r\n" if key else ""
    return f"GET {path} HTTP/1.1\r\nHost: gateway\r\n{proof}\r\n".encode()


def post(path: str, body: bytes, *headers: str) -> bytes:
    """A POST of JSON, with further header lines."""
    lines = [f"POST {path} HTTP/1.1", "Host: gateway", "Content-Type: application/json", *headers]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body

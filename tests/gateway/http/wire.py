"""Bytes over a socket, for what no HTTP client would send; every socket has a time-out."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

SECONDS = 5.0


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes
    names: list[str] = field(default_factory=list)


@dataclass
class Wire:
    """One connection to a gateway."""

    socket: socket.socket
    received: bytes = b""

    def send(self, data: bytes) -> None:
        """Send; a gateway that has closed meanwhile is no failure, its answer is what counts."""
        with suppress(BrokenPipeError, ConnectionResetError):
            self.socket.sendall(data)

    def answer(self, *, bodiless: bool = False) -> Answer | None:
        """The next answer; None where the connection ends without one. TimeoutError is a hang."""
        while (found := _parse(self.received, bodiless)) is None:
            try:
                more = self.socket.recv(65_536)
            except ConnectionResetError:
                more = b""
            if not more:
                return None
            self.received += more
        answer, self.received = found
        return answer

    def is_closed(self) -> bool:
        """Whether the gateway closes the connection now, having sent nothing more."""
        try:
            return self.socket.recv(1) == b""
        except ConnectionResetError:
            return True

    def finish(self) -> None:
        """No more bytes from this side."""
        self.socket.shutdown(socket.SHUT_WR)


@contextmanager
def connected(url: str, seconds: float = SECONDS) -> Iterator[Wire]:
    """A connection to the gateway at `url`."""
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port), timeout=seconds) as opened:
        yield Wire(opened)


def exchange(url: str, data: bytes, seconds: float = SECONDS) -> Answer | None:
    """The first answer to `data`."""
    with connected(url, seconds) as wire:
        wire.send(data)
        return wire.answer()


def request(method: str, path: str, headers: dict[str, str] | None = None, body: bytes | None = None) -> bytes:
    """A request as bytes; what is given is sent as it is."""
    lines = [
        f"{method} {path} HTTP/1.1",
        "Host: gateway",
        *(f"{name}: {value}" for name, value in (headers or {}).items()),
    ]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + (body or b"")


def _parse(received: bytes, bodiless: bool) -> tuple[Answer, bytes] | None:
    head, ended, rest = received.partition(b"\r\n\r\n")
    if not ended:
        return None
    first, *lines = head.decode("latin-1").split("\r\n")
    if first.split(" ")[1] == "100":
        return _parse(rest, bodiless)
    pairs = [(name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    headers = dict(pairs)
    size = 0 if bodiless else int(headers["content-length"])
    if len(rest) < size:
        return None
    answer = Answer(int(first.split(" ")[1]), headers, rest[:size], [name for name, _ in pairs])
    return answer, rest[size:]

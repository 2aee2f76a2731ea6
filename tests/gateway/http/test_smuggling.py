"""Request smuggling: where a proxy could read a request's end elsewhere than we do, the connection ends with a 400."""

import pytest

from tests.gateway.http.conftest import MAX_BODY, World
from tests.gateway.http.problems import problem, unharmed
from tests.gateway.http.wire import Answer, connected, request
from tests.harness import AUTH, KEY

LINE = b"POST /vainu/acme/exports HTTP/1.1\r\n"
HEAD = LINE + f"Host: g\r\nAPI-Key: {KEY}\r\n".encode()
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"
SMUGGLED = request("GET", "/health/live", {"X-Request-ID": "smuggled"})

AMBIGUOUS = {
    "length and chunks": HEAD + b"Content-Length: 5\r\n" + CHUNKED + b"0\r\n\r\n",
    "chunks and length": HEAD + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    "two lengths": HEAD + b"Content-Length: 2\r\nContent-Length: 40\r\n\r\n[]",
    "two equal lengths": HEAD + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n[]",
    "a list of lengths": HEAD + b"Content-Length: 2, 2\r\n\r\n[]",
    "a signed length": HEAD + b"Content-Length: +2\r\n\r\n[]",
    "a negative length": HEAD + b"Content-Length: -2\r\n\r\n[]",
    "a hexadecimal length": HEAD + b"Content-Length: 0x2\r\n\r\n[]",
    "an empty length": HEAD + b"Content-Length:\r\n\r\n[]",
    "a space before the colon": HEAD + b"Content-Length : 2\r\n\r\n[]",
    "a folded length": HEAD + b"Content-Length:\r\n 2\r\n\r\n[]",
    "a folded header": HEAD + b"X-A: b\r\n c: d\r\nContent-Length: 2\r\n\r\n[]",
    "bare line feeds": (HEAD + b"Content-Length: 2\r\n\r\n[]").replace(b"\r\n", b"\n"),
    "one bare line feed": HEAD + b"X: a\nContent-Length: 2\r\n\r\n[]",
    "a bare carriage return": HEAD + b"X: a\rContent-Length: 2\r\n\r\n[]",
    "a bare line feed at the end": HEAD + b"Content-Length: 2\r\n\n[]",
    "an unknown coding": HEAD + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "chunks inside a coding": HEAD + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "no coding at all": HEAD + b"Transfer-Encoding: identity\r\n\r\n[]",
    "chunks twice": HEAD + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks, then another coding": HEAD + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n",
    "a vertical tab before chunked": HEAD + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    "a NUL in a header": HEAD + b"X: a\0b\r\nContent-Length: 2\r\n\r\n[]",
    "a NUL in a name": HEAD + b"X\0: b\r\nContent-Length: 2\r\n\r\n[]",
    "a line feed in a chunk's extension": HEAD + CHUNKED + b"2;a\nb\r\n[]\r\n0\r\n\r\n",
    "chunks with bare line feeds": HEAD + CHUNKED + b"2\n[]\n0\n\n",
    "a space behind a chunk's size": HEAD + CHUNKED + b"2 \r\n[]\r\n0\r\n\r\n",
    "a prefixed chunk size": HEAD + CHUNKED + b"0x2\r\n[]\r\n0\r\n\r\n",
    "a negative chunk size": HEAD + CHUNKED + b"-2\r\n[]\r\n0\r\n\r\n",
    "a huge chunk size": HEAD + CHUNKED + b"fffffffffffffffff2\r\n[]\r\n0\r\n\r\n",
    "a chunk longer than its size": HEAD + CHUNKED + b"1\r\n[]\r\n0\r\n\r\n",
    "two hosts": HEAD + b"Host: other.example\r\nContent-Length: 2\r\n\r\n[]",
    "no host": (HEAD + b"Content-Length: 2\r\n\r\n[]").replace(b"Host:", b"X-Host:"),
    "a length among the trailers": HEAD + CHUNKED + b"2\r\n[]\r\n0\r\nContent-Length: 9\r\n\r\n",
}


def answers(url: str, sent: bytes) -> list[Answer]:
    """Every answer until the connection ends or nothing more comes."""
    found: list[Answer] = []
    with connected(url, seconds=2) as wire:
        wire.send(sent)
        wire.finish()
        while (answer := wire.answer()) is not None:
            found.append(answer)
    return found


@pytest.mark.parametrize("target", ["/vainu/acme/exports", "/crm/acme/webhooks"])
@pytest.mark.parametrize("shape", AMBIGUOUS)
def test_a_request_without_one_clear_end(world: World, shape: str, target: str) -> None:
    """It is 400 and the connection is closed: what follows it is never taken for a request, on no route."""
    sent = AMBIGUOUS[shape].replace(b"/vainu/acme/exports", target.encode())
    found = answers(world.gateway.url, sent + SMUGGLED)
    assert [answer.headers["x-request-id"] for answer in found].count("smuggled") == 0
    assert len(found) <= 1
    for answer in found:
        # a body that broke after the proof failed has had its 401
        assert answer.status in (400, 401)
        unharmed(world.gateway.url, answer)


@pytest.mark.parametrize("shape", [shape for shape in AMBIGUOUS if "chunk" not in shape and "trailers" not in shape])
def test_an_unclear_head_is_told(world: World, shape: str) -> None:
    """A head that is refused gets its answer: a problem, and `Connection: close`."""
    (answer,) = answers(world.gateway.url, AMBIGUOUS[shape] + SMUGGLED)
    problem(answer, 400)
    assert answer.headers["connection"] == "close"


@pytest.mark.parametrize(
    "body",
    [
        b"2;name=value\r\n[]\r\n0\r\n\r\n",
        b'2;a="b;c"\r\n[]\r\n0;x\r\n\r\n',
        b"1\r\n[\r\n1\r\n]\r\n0\r\n\r\n",
        b"0002\r\n[]\r\n0\r\n\r\n",
        b"2\r\n[]\r\n0\r\nX-Trailer: passed over\r\n\r\n",
    ],
)
def test_chunks_as_the_standard_allows_them(world: World, body: bytes) -> None:
    """Extensions and trailers are read past; the next request on the connection is answered."""
    first, second = answers(world.gateway.url, HEAD + CHUNKED + body + SMUGGLED)
    problem(first, 422)
    assert (second.status, second.headers["x-request-id"]) == (200, "smuggled")


def test_a_flood_of_chunk_extensions(world: World) -> None:
    """Extensions count towards nothing and are kept nowhere: a body of them ends in a refusal, not in memory."""
    flood = (b"1;" + b"x" * 1_000 + b"\r\n \r\n") * (MAX_BODY + 10)
    with connected(world.gateway.url) as wire:
        wire.send(HEAD + CHUNKED + flood)
        answer = wire.answer()
    assert answer is not None
    assert answer.status in (400, 408, 413)
    unharmed(world.gateway.url, answer)


def test_trailers_are_no_headers(world: World) -> None:
    """A key in the trailers admits nobody."""
    sent = LINE + b"Host: g\r\n" + CHUNKED + f"2\r\n[]\r\n0\r\nAPI-Key: {KEY}\r\n\r\n".encode()
    (answer,) = answers(world.gateway.url, sent)
    problem(answer, 401)


def test_the_body_of_a_get_is_not_the_next_request(world: World) -> None:
    """A GET may have a body; it is read past."""
    with connected(world.gateway.url) as wire:
        wire.send(request("GET", "/vainu/acme/activities/nobody", AUTH, SMUGGLED) + request("PUT", "/health/live"))
        problem(wire.answer(), 404)
        problem(wire.answer(), 405)

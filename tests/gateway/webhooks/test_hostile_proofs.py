"""Hostile proofs of webhooks: whatever the headers hold, the answer is 400 or 401 and never a fault of ours."""

import base64
import json
import socket
import time
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from adapters.simulated_webhooks import signed
from gateway.auth.errors import AmbiguousProof
from gateway.auth.signatures import SignatureVerifier
from gateway.settings.model import HmacSettings
from tests.gateway.webhooks.conftest import OLD_SECRET, SECRET, send
from tests.harness import Gateway

NOW = 1_700_000_000
NAMES = [b"webhook-id", b"webhook-timestamp", b"webhook-signature", b"x-signature", b"WEBHOOK-ID"]
GOOD = {name.encode(): value.encode() for name, value in signed(SECRET, "msg_1", NOW, b"{}").items()}
ARABIC = "\u0661\u0667".encode()
"""Digits, but none of ASCII's."""
VALUES = st.one_of(
    st.binary(max_size=60).filter(lambda value: not set(value) & {0, 10, 13}),
    st.sampled_from([*GOOD.values(), b"", b"v1,", b"v1," * 100, b"-1", b"1e9", b"9" * 40, ARABIC, b"sha256="]),
)
ACCEPTED = [
    HmacSettings(secret=SecretStr(SECRET)),
    HmacSettings(secret=SecretStr(OLD_SECRET)),
    HmacSettings(secret=SecretStr("plain"), scheme="header", prefix="sha256="),
    HmacSettings(secret=SecretStr("plain"), scheme="header", header="X-Base", encoding="base64", algorithm="sha1"),
]


@settings(max_examples=300, deadline=None)
@given(headers=st.lists(st.tuples(st.sampled_from(NAMES), VALUES), max_size=6), body=st.binary(max_size=20))
def test_no_header_makes_the_verifier_fail(headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    """Any bytes in any of the proof's headers: a proof, none, or "twice"; the proof only for the right signature."""
    try:
        found = SignatureVerifier(ACCEPTED, 300).verify(headers, body, NOW)
    except AmbiguousProof:
        lowered = [name.lower() for name, _value in headers]
        assert len(lowered) > len(set(lowered))
        return
    if found is not None:
        assert body == b"{}"
        assert {name.lower(): value.strip(b" \t") for name, value in headers}.items() >= GOOD.items()


@settings(max_examples=100, deadline=None)
@given(
    message_id=st.from_regex(rb"[!-~]{1,40}", fullmatch=True),
    body=st.binary(max_size=200),
    shift=st.integers(-400, 400),
    turned=st.none() | st.integers(0, 31),
)
def test_the_verifier_agrees_with_the_reference(message_id: bytes, body: bytes, shift: int, turned: int | None) -> None:
    """What the reference takes is taken while it is fresh; one turned bit, or another secret, is not."""
    body = json.dumps(body.decode("latin-1")).encode()  # the reference reads JSON after it has verified
    name = message_id.decode()
    at = time.time()
    headers = signed(SECRET, name, int(at) + shift, body)
    if turned is not None:
        raw = bytearray(base64.b64decode(headers["webhook-signature"].removeprefix("v1,")))
        raw[turned] ^= 1
        headers["webhook-signature"] = "v1," + base64.b64encode(raw).decode()
    try:
        Webhook(SECRET).verify(body, headers)
        theirs = True
    except WebhookVerificationError:
        theirs = False

    mine = SignatureVerifier(ACCEPTED[:1], 300).verify(
        [(key.encode(), value.encode()) for key, value in headers.items()], body, at
    )

    if abs(shift) not in (299, 300, 301):
        assert (mine is not None) is theirs
    assert mine is None or mine.webhook_id == name
    assert (
        SignatureVerifier(ACCEPTED[1:2], 300).verify(
            [(key.encode(), value.encode()) for key, value in headers.items()], body, at
        )
        is None
    )


def raw(
    gateway: Gateway, headers: list[bytes], body: bytes = b'{"customerId": 1}', path: str = "/crm/acme/webhooks"
) -> int:
    """The status of a request written byte by byte, as no client library would send it."""
    address = urlsplit(gateway.url)
    head = [
        b"POST " + path.encode() + b" HTTP/1.1",
        b"Host: x",
        b"Content-Length: %d" % len(body),
        b"Connection: close",
    ]
    with socket.create_connection((str(address.hostname), int(address.port or 0)), timeout=10) as connection:
        connection.sendall(b"\r\n".join([*head, *headers, b"", b""]) + body)
        answer = b""
        while chunk := connection.recv(65_536):
            answer += chunk
    return int(answer.split(b" ", 2)[1])


HOSTILE = [
    b"\xff\xfe\xfd", "\u00fcn\u00efc\u00f6d\u00e9".encode(), ARABIC, b"v1,\xff\xff", b"v1," + b"A" * 5_000,
    b"v1,==", b"," * 500, b"v1 " * 300, b"v1,AAAA v1,AAAA " * 200, b"-0", b"1e309", b"9" * 400, b"NaN", b"",
    b"sha256=" + b"zz" * 32, b"sha256=" + b"a" * 63, b"sha256=\xe9", b"Basic \xff",
]  # fmt: skip


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature", "X-Signature", "API-Key"])
def test_hostile_headers_over_the_wire_are_refused(gateway: Gateway, name: str) -> None:
    """Not UTF-8, other digits, far too long, half a signature: 400 or 401, and the gateway goes on."""
    good = {
        key.title(): value for key, value in signed(SECRET, "msg_h", int(time.time()), b'{"customerId": 1}').items()
    }
    statuses = set()
    for value in HOSTILE:
        kept = [f"{key}: {each}".encode() for key, each in good.items() if key.lower() != name.lower()]
        if name in ("X-Signature", "API-Key"):
            kept = []
        statuses.add(raw(gateway, [*kept, name.encode() + b": " + value]))
    assert statuses <= {400, 401, 429, 431}
    assert 500 not in statuses
    assert send(gateway, {"customerId": 1}, message_id=f"after_{name}").status_code in (202, 429)


@pytest.mark.parametrize("query", ["token=%ff%fe", "token=" + "a" * 4_000, "token=%00", "token=a&token=b", "token=%"])
def test_hostile_tokens_over_the_wire_are_refused(gateway: Gateway, query: str) -> None:
    """A token in the address that is no token at all: 400 or 401."""
    assert raw(gateway, [], path=f"/crm/acme/webhooks?{query}") in (400, 401)


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b'{"customerId": 1e400}',
        b'{"customerId": 123456789012345678901234567890}',
        b'{"customerId": "\\ud800"}',
        b'{"customerId": "\\u0000"}',
        b'{"a": NaN}',
        b"\xef\xbb\xbf{}",
        b'{"customerId": {"customerId": {"customerId": []}}}',
        json.dumps([{"customerId": number} for number in range(5_000)]).encode(),
        b"null",
        b"7",
        b'"text"',
    ],
)
def test_a_genuine_body_of_any_shape_is_kept_or_refused(gateway: Gateway, body: bytes) -> None:
    """A right signature over any bytes: 202, or 400 for what is no JSON; never a fault of ours."""
    assert send(gateway, body).status_code in (202, 400)
    change = gateway.http.post(
        "/vainu/acme/webhooks",
        content=b'{"unique_id": "1", "data": {"company_name": "x", "more": ' + body + b"}}",
        headers={"Content-Type": "application/json"},
    )
    assert change.status_code in (202, 400, 422)

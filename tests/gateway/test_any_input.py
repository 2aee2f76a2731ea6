"""Every reader of what callers, issuers and people at the command line write: a value, or the error it documents."""

import contextlib
import io
import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from adapters.contract import UnexpectedReply
from gateway.auth.jwks import public_keys
from gateway.body import MAX_DEPTH, NotJson, parse_json
from gateway.commands.event_file import read_file
from gateway.commands.failures import WrongUse
from gateway.commands.when import read_when
from gateway.identity import identifiers
from gateway.ids import made_at, new_id
from gateway.operator.redacted import Redaction
from gateway.pushed import NotACompany, read_change, read_push
from gateway.settings import read
from tests.adapters.test_any_input import BOUNDED, JSON, OBJECTS
from tests.harness import configuration

NOW = 1_700_000_000_000
REDACTION = Redaction(read(configuration("http://127.0.0.1:9", Path())))
SUPPRESSED = settings(BOUNDED, suppress_health_check=[HealthCheck.function_scoped_fixture])
LINES = st.lists(JSON, max_size=4).map(lambda rows: "\n".join(map(json.dumps, rows)).encode())
JWK = st.fixed_dictionaries(
    {"kty": st.sampled_from(["RSA", "EC", "OKP", "oct", "", None, 1])},
    optional={
        "n": st.text(max_size=400) | st.integers() | st.just("AQAB" * 100),
        "e": st.text(max_size=8) | st.just("AQAB"),
        "crv": st.sampled_from(["P-256", "P-521", "Ed25519", "X25519", "secp256k1", "", None]),
        "x": st.text(max_size=60) | st.just("A" * 43),
        "y": st.text(max_size=60) | st.just("A" * 43),
        "use": st.sampled_from(["sig", "enc", 1, None]),
        "key_ops": st.lists(st.sampled_from(["verify", "sign", 1])) | st.text(),
        "alg": st.text(max_size=8),
        "kid": st.text(max_size=8) | st.integers() | st.none(),
        "d": st.text(max_size=8),
        "x5c": st.lists(st.text(max_size=8)),
    },
)


@BOUNDED
@given(body=st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()))
@example(body=b"[" * 100_000)
@example(body=b'{"a":' * 100_000)
@example(body=b"1" * 100_000)
@example(body=b'"\\ud800"')
@example(body=b"\xef\xbb\xbf")
def test_any_bytes_as_a_body(body: bytes) -> None:
    """A body is a JSON value of UTF-8 that can be kept and written again, or `NotJson` with one plain line."""
    try:
        value = parse_json(body)
    except NotJson as error:
        assert "\n" not in str(error)
        assert str(MAX_DEPTH) in str(error) or "not" in str(error) or "empty" in str(error)
    else:
        assert json.dumps(value).encode()


@BOUNDED
@given(body=JSON | OBJECTS, query_id=st.none() | st.text(max_size=20))
def test_any_json_as_a_push(body: Any, query_id: str | None) -> None:
    """A push is a company with identifiers, or every fault of it."""
    try:
        pushed = read_push(body, query_id)
    except NotACompany as error:
        assert error.faults
    else:
        assert identifiers(pushed.company)
        assert pushed.content_key


@BOUNDED
@given(body=JSON | OBJECTS | st.fixed_dictionaries({"unique_id": JSON, "data": OBJECTS}))
def test_any_json_as_a_change(body: Any) -> None:
    """A company change has the unique_id of one, or every fault of it."""
    try:
        unique_id, _company = read_change(body)
    except NotACompany as error:
        assert error.faults
    else:
        assert 1 <= len(unique_id) <= 128


@BOUNDED
@given(document=JSON | st.fixed_dictionaries({"keys": st.lists(JWK | JSON, max_size=4)}))
def test_any_key_set(document: Any) -> None:
    """A key set is keys that verify, or an unexpected reply: a malformed key hurts no other."""
    with contextlib.suppress(UnexpectedReply):
        assert public_keys(document)


@BOUNDED
@given(any_id=st.text(max_size=40) | st.from_regex(r"[a-z]{3}_[0-9a-z]{26}", fullmatch=True))
@example(any_id="exp_" + "z" * 26)
@example(any_id="exp_" + "\u0661" * 26)
def test_any_text_as_an_id(any_id: str) -> None:
    """The time in an id is a time that the store can hold, or the id is none of ours."""
    at = made_at(any_id)
    assert at is None or 0 <= at < 2**63
    assert made_at(new_id("exp", NOW)) == NOW


@BOUNDED
@given(text=st.text(max_size=30) | st.from_regex(r"\d{1,30}(\.\d{1,30})? ?[smhdw]?", fullmatch=True))
def test_any_text_as_a_time(text: str) -> None:
    """A time of the command line is Unix milliseconds, or wrong use that repeats the option."""
    try:
        at = read_when("--since", text, NOW)
    except WrongUse as error:
        assert "--since" in str(error)
    else:
        assert isinstance(at, int)


@SUPPRESSED
@given(
    content=st.binary(max_size=200)
    | st.lists(JSON, max_size=4).map(lambda rows: "\n".join(map(json.dumps, rows)).encode())
)
def test_any_file_of_events(tmp_path: Path, content: bytes) -> None:
    """A file is rows, each with its line, or wrong use that names the file."""
    file = tmp_path / "events"
    file.write_bytes(content)
    try:
        found = read_file(str(file))
    except WrongUse as error:
        assert str(file) in str(error)
    else:
        assert not found.lines or len(found.lines) == len(found.body)


def test_stdin_that_is_no_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """Standard input of any bytes is judged like a file."""
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b"\xff\xfe")))
    with pytest.raises(WrongUse):
        read_file("-")


@BOUNDED
@given(payload=st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_payload_is_shown(payload: bytes) -> None:
    """Whatever is kept can be shown, at most so long."""
    assert len(REDACTION.request(payload, 100)) < 160

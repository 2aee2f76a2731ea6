"""Who is admitted to a connection and to the operator's side."""

import asyncio
import hmac
from base64 import b64encode
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.secrets import digest as stored
from adapters.simulation import FaultRule
from gateway.auth import proofs
from gateway.auth.credentials import read_credentials
from gateway.auth.errors import (
    OPERATOR_WWW_AUTHENTICATE,
    WWW_AUTHENTICATE,
    AuthUnavailable,
    Forbidden,
    Unauthorized,
)
from gateway.auth.gate import SCOPES, Caller, Gate, Operator, OperatorGate, Scope
from gateway.auth.settings import AuthSettings

Headers = list[tuple[bytes, bytes]]
Sign = Callable[..., bytes]

ACME = AuthSettings.model_validate(
    {
        "api_keys": ["acme-key-1", "acme-key-2", {"sha256": stored("acme-key-3")}],
        "basic": [{"username": "vainu", "password": "pass:wörd"}, {"username": "väinö", "password": "second"}],
        "url_tokens": ["acme-url-token"],
    }
)
GLOBEX = AuthSettings.model_validate({"api_keys": ["globex-key"]})
GATE = Gate({"acme": ACME, "globex": GLOBEX})


def key(value: str) -> Headers:
    return [(b"api-key", value.encode())]


def basic(pair: str) -> Headers:
    return [(b"authorization", b"Basic " + b64encode(pair.encode()))]


def bearer(token: bytes) -> Headers:
    return [(b"authorization", b"Bearer " + token)]


def admit(gate: Gate, connection: str, headers: Headers, query: bytes = b"", scope: Scope = "gateway:feed") -> Caller:
    return asyncio.run(gate.admit(connection, read_credentials(headers, query), scope))


@pytest.mark.parametrize(
    ("headers", "query", "method", "name"),
    [
        (key("acme-key-1"), b"", "api_key", None),
        (key("acme-key-2"), b"", "api_key", None),
        (key("acme-key-3"), b"", "api_key", None),
        (basic("vainu:pass:wörd"), b"", "basic", "vainu"),
        (basic("väinö:second"), b"", "basic", "väinö"),
        ([], b"limit=5&token=acme-url-token", "url_token", None),
        (key("acme-key-1") + bearer(b"wrong"), b"token=wrong", "api_key", None),
        (key("wrong") + basic("vainu:pass:wörd"), b"", "basic", "vainu"),
        (key("wrong") + bearer(b"a.b.c"), b"token=acme-url-token", "url_token", None),
    ],
)
def test_any_one_credential_admits(headers: Headers, query: bytes, method: str, name: str | None) -> None:
    """Each kind admits alone, also beside wrong ones, to everything the connection has."""
    caller = admit(GATE, "acme", headers, query)
    assert (caller.connection, caller.method, caller.scopes) == ("acme", method, SCOPES)
    if name is None:
        assert len(caller.name) == 12
    else:
        assert caller.name == name


def test_a_caller_has_a_stable_name_that_is_no_secret() -> None:
    """The name of a key is the same in every process, differs between keys, and is no part of the key's digest."""
    first, again = admit(GATE, "acme", key("acme-key-1")), admit(Gate({"acme": ACME}), "acme", key("acme-key-1"))
    assert first.name == again.name
    assert first.name != admit(GATE, "acme", key("acme-key-2")).name
    assert first.name not in stored("acme-key-1")
    assert first.rate_key == f"acme/api_key/{first.name}"


REFUSED: list[tuple[Headers, bytes]] = [
    ([], b""),
    (key("globex-key"), b""),
    (key("acme-key-1x"), b""),
    (key(""), b""),
    (key(stored("acme-key-1")), b""),
    (key("acme-url-token"), b""),
    (basic("vainu:wrong"), b""),
    (basic("vainu:second"), b""),
    (basic("wrong:pass:wörd"), b""),
    (basic("vainu:"), b""),
    (basic(":"), b""),
    (basic("acme-key-1:"), b""),
    (bearer(b"acme-key-1"), b""),
    (bearer(b"e30.e30.AAAA"), b""),
    ([], b"token=acme-key-1"),
    ([], b"token=acme-url-token&token=acme-url-token"),
    ([], b"api_key=acme-key-1"),
    ([(b"api_key", b"acme-key-1")], b""),
    ([(b"x-api-key", b"acme-key-1")], b""),
]


@pytest.mark.parametrize(("headers", "query"), REFUSED)
def test_wrong_credentials_and_unknown_connections_are_answered_alike(headers: Headers, query: bytes) -> None:
    """Same exception, same text, same reason: nobody learns which connections exist."""
    answers = set()
    for connection in ("acme", "nobody", "", "ACME", "acme\x00"):
        with pytest.raises(Unauthorized) as caught:
            admit(GATE, connection, headers, query)
        answers.add((type(caught.value), str(caught.value), caught.value.reason))
    assert len(answers) == 1


def test_the_reason_tells_a_missing_credential_from_a_wrong_one() -> None:
    """For the operator only: the caller's text is the same."""
    with pytest.raises(Unauthorized) as missing:
        admit(GATE, "acme", [])
    with pytest.raises(Unauthorized) as wrong:
        admit(GATE, "acme", key("wrong"))
    assert (missing.value.reason, wrong.value.reason) == ("no_credentials", "wrong_credentials")
    assert missing.value.detail == wrong.value.detail


@pytest.mark.parametrize(
    ("headers", "query", "comparisons"),
    [
        ([], b"", 0),
        (key("acme-key-1"), b"", 3),
        (key("acme-key-3"), b"", 3),
        (key("globex-key"), b"", 3),
        (key("wrong"), b"", 3),
        (basic("vainu:pass:wörd"), b"", 4),
        (basic("vainu:wrong"), b"", 4),
        (basic("wrong:wrong"), b"", 4),
        ([], b"token=wrong", 1),
        (key("acme-key-1") + basic("vainu:wrong"), b"token=acme-url-token", 8),
    ],
)
def test_every_connection_costs_the_same_comparisons(
    monkeypatch: pytest.MonkeyPatch, headers: Headers, query: bytes, comparisons: int
) -> None:
    """Right, wrong, a connection with few credentials or none: the number of comparisons is the same."""
    counted: list[int] = []

    def counting(left: bytes, right: bytes) -> bool:
        assert len(left) == len(right) == 32
        counted.append(1)
        return hmac.compare_digest(left, right)

    monkeypatch.setattr(proofs, "compare_digest", counting)
    for connection in ("acme", "globex", "nobody"):
        counted.clear()
        with suppress(Unauthorized):
            admit(GATE, connection, headers, query)
        assert comparisons == len(counted)


def test_a_gate_without_connections_admits_nobody() -> None:
    """Nothing configured, nothing admitted, and the same answer."""
    with pytest.raises(Unauthorized):
        admit(Gate({}), "acme", key("acme-key-1"), b"token=x")
    with pytest.raises(Unauthorized):
        admit(Gate({"acme": AuthSettings()}), "acme", basic(":"), b"token=")


def jwt_gate(issuer: Any) -> Gate:
    with_jwt = AuthSettings(jwt=issuer.settings)
    return Gate({"acme": with_jwt, "globex": with_jwt, "keys-only": ACME})


def test_a_genuine_token_admits_to_what_it_names(issuer: Any, sign: Sign) -> None:
    """Name and scopes come from the token; with a `connections` claim it must hold this one."""
    gate = jwt_gate(issuer)
    caller = admit(gate, "acme", bearer(sign()))
    assert caller == Caller("acme", "jwt", "vainu", frozenset({"gateway:feed"}))
    assert admit(gate, "acme", bearer(sign(connections=["globex", "acme"]))).name == "vainu"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"scope": None}, "missing_scope"),
        ({"scope": "gateway:export gateway:feeds Gateway:Feed"}, "missing_scope"),
        ({"scope": ""}, "missing_scope"),
        ({"connections": ["globex"]}, "other_connection"),
        ({"connections": []}, "other_connection"),
        ({"connections": "acme"}, "other_connection"),
        ({"connections": {"acme": True}}, "other_connection"),
        ({"connections": [["acme"]]}, "other_connection"),
    ],
)
def test_a_genuine_token_without_the_right_is_forbidden(
    issuer: Any, sign: Sign, changes: dict[str, Any], reason: str
) -> None:
    """Who is known but may not gets `Forbidden`, which is not `Unauthorized`."""
    with pytest.raises(Forbidden) as caught:
        admit(jwt_gate(issuer), "acme", bearer(sign(**changes)))
    assert caught.value.reason == reason


@pytest.mark.parametrize("scope", sorted(SCOPES))
def test_each_scope_is_asked_for_by_itself(issuer: Any, sign: Sign, scope: Scope) -> None:
    """A token with one scope is good for that one only."""
    gate = jwt_gate(issuer)
    headers = bearer(sign(scope=scope))
    assert admit(gate, "acme", headers, scope=scope).scopes == {scope}
    for other in SCOPES - {scope}:
        with pytest.raises(Forbidden):
            admit(gate, "acme", headers, scope=other)  # type: ignore[arg-type]  # a frozenset of str by type


def test_a_token_that_is_not_genuine_is_never_forbidden(issuer: Any, sign: Sign) -> None:
    """Wrong scope and wrong connection tell nothing about a token that is expired besides."""
    with pytest.raises(Unauthorized) as caught:
        admit(jwt_gate(issuer), "acme", bearer(sign(scope=None, connections=[], exp=1)))
    assert caught.value.reason == "expired_token"


@pytest.mark.parametrize("connection", ["nobody", "keys-only"])
def test_a_token_costs_the_same_where_it_can_prove_nothing(issuer: Any, sign: Sign, connection: str) -> None:
    """At an unknown connection, and at one without JWT, a token is verified all the same and answered 401."""
    gate = jwt_gate(issuer)
    with pytest.raises(Unauthorized) as genuine:
        admit(gate, connection, bearer(sign()))
    with pytest.raises(Unauthorized) as wrong:
        admit(gate, "acme", key("wrong"))
    with pytest.raises(Unauthorized) as expired:
        admit(gate, connection, bearer(sign(exp=1)))
    assert str(genuine.value) == str(wrong.value) == str(expired.value)
    assert (genuine.value.reason, expired.value.reason) == ("wrong_credentials", "expired_token")
    assert issuer.fetches == 1


def test_an_unreachable_issuer_is_told_from_a_wrong_token(issuer: Any, sign: Sign) -> None:
    """Without keys: `AuthUnavailable`, for the unknown connection too; other credentials go on."""
    issuer.fail(FaultRule("500"))
    gate = jwt_gate(issuer)
    for connection in ("acme", "nobody"):
        with pytest.raises(AuthUnavailable):
            admit(gate, connection, bearer(sign()))
    assert admit(gate, "keys-only", key("acme-key-1") + bearer(sign())).method == "api_key"


def test_fetched_keys_outlive_a_reload(issuer: Any, sign: Sign) -> None:
    """A gate made of new settings with the old gate's registry asks the issuer nothing."""
    before = jwt_gate(issuer)
    admit(before, "acme", bearer(sign()))
    after = Gate({"acme": AuthSettings(jwt=issuer.settings)}, before.jwks)
    admit(after, "acme", bearer(sign()))
    assert issuer.fetches == 1


OPERATORS = OperatorGate(AuthSettings.model_validate({"api_keys": ["operator-1", "operator-2"]}).api_keys)


def test_an_operator_token_admits() -> None:
    """As Bearer, or typed into the console's form; each token has a name of its own."""
    first = OPERATORS.admit(read_credentials(bearer(b"operator-1")))
    assert first == OPERATORS.admit_token(b"operator-1")
    assert isinstance(first, Operator)
    assert first.name != OPERATORS.admit_token(b"operator-2").name


@pytest.mark.parametrize(
    ("headers", "query"),
    [
        ([], b""),
        (bearer(b"wrong"), b""),
        (bearer(b""), b""),
        (bearer(b"operator-1x"), b""),
        (bearer(b"\xff\x00"), b""),
        (key("operator-1"), b""),
        (basic("operator-1:"), b""),
        ([], b"token=operator-1"),
    ],
)
def test_nothing_else_makes_an_operator(headers: Headers, query: bytes) -> None:
    """The operator's side takes its tokens as Bearer, in no other place."""
    with pytest.raises(Unauthorized):
        OPERATORS.admit(read_credentials(headers, query))


@pytest.mark.parametrize("token", [b"", b"operator-1"])
def test_without_operator_tokens_nobody_is_an_operator(token: bytes) -> None:
    """An empty list admits nobody, an empty token least of all."""
    with pytest.raises(Unauthorized):
        OperatorGate(()).admit_token(token)


def test_the_challenges_name_every_scheme() -> None:
    """The values of `WWW-Authenticate` are scheme, space, parameters (RFC 9110 section 11.6.1)."""
    expected = 'API-Key realm="gateway", Basic realm="gateway", charset="UTF-8", Bearer realm="gateway"'
    assert expected == WWW_AUTHENTICATE
    assert OPERATOR_WWW_AUTHENTICATE == 'Bearer realm="gateway"'


@given(
    st.text(max_size=20),
    st.lists(
        st.tuples(st.sampled_from([b"api-key", b"authorization"]), st.binary(max_size=60)),
        max_size=2,
        unique_by=lambda header: header[0],
    ),
    st.binary(max_size=60),
)
def test_hostile_requests_are_unauthorized(connection: str, headers: Headers, query: bytes) -> None:
    """Whatever comes, nobody is admitted and nothing else is raised."""
    with pytest.raises(Unauthorized):
        admit(GATE, connection, headers, query)

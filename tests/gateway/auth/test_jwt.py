"""JSON Web Tokens as proof, against an issuer over real HTTP."""

import asyncio
import hmac
import json
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from gateway.auth.errors import Unauthorized
from gateway.auth.jwks import JwksCache
from gateway.auth.jwt import VerifiedToken, verify
from gateway.auth.settings import JwtSettings

Sign = Callable[..., bytes]
NOW = int(time.time())


def judge(token: bytes, rules: JwtSettings, now: float | None = None) -> VerifiedToken:
    moment = time.time() if now is None else now
    return asyncio.run(verify(token, rules, JwksCache(rules.jwks_url), lambda: moment))


def reason_of(token: bytes, rules: JwtSettings, now: float | None = None) -> str:
    with pytest.raises(Unauthorized) as caught:
        judge(token, rules, now)
    return caught.value.reason


def part(value: Any) -> bytes:
    return urlsafe_b64encode(value if isinstance(value, bytes) else json.dumps(value).encode()).rstrip(b"=")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, VerifiedToken("vainu", frozenset({"gateway:feed"}), None)),
        ({"aud": ["other", "gateway"]}, VerifiedToken("vainu", frozenset({"gateway:feed"}), None)),
        ({"scope": "a gateway:feed  b"}, VerifiedToken("vainu", frozenset({"a", "gateway:feed", "b"}), None)),
        ({"scope": None, "scp": ["a", "b", 5, ""]}, VerifiedToken("vainu", frozenset({"a", "b"}), None)),
        ({"scope": None, "scp": "a b"}, VerifiedToken("vainu", frozenset({"a", "b"}), None)),
        ({"scope": 7}, VerifiedToken("vainu", frozenset(), None)),
        ({"scope": None}, VerifiedToken("vainu", frozenset(), None)),
        ({"scope": None, "connections": ["acme"]}, VerifiedToken("vainu", frozenset(), frozenset({"acme"}))),
        ({"scope": None, "connections": "acme"}, VerifiedToken("vainu", frozenset(), frozenset())),
        ({"scope": None, "connections": []}, VerifiedToken("vainu", frozenset(), frozenset())),
        ({"scope": None, "sub": None, "client_id": "app"}, VerifiedToken("app", frozenset(), None)),
        ({"scope": None, "sub": None}, VerifiedToken("unnamed", frozenset(), None)),
        ({"scope": None, "sub": "two\nlines\x00"}, VerifiedToken("two lines", frozenset(), None)),
    ],
)
def test_a_genuine_token_is_read(issuer: Any, sign: Sign, changes: dict[str, Any], expected: VerifiedToken) -> None:
    """Name, scopes (`scope` or `scp`, as text or list) and connections come from the claims."""
    assert expected == judge(sign(**changes), issuer.settings)


@pytest.mark.parametrize(
    ("key", "alg"),
    [
        (RSAKey.generate_key(2048, {"kid": "k"}), "RS512"),
        (RSAKey.generate_key(2048, {"kid": "k"}), "PS256"),
        (ECKey.generate_key("P-256", {"kid": "k"}), "ES256"),
        (ECKey.generate_key("P-384", {"kid": "k"}), "ES384"),
        (ECKey.generate_key("P-521", {"kid": "k"}), "ES512"),
        (OKPKey.generate_key("Ed25519", {"kid": "k"}), "Ed25519"),
    ],
)
def test_every_asymmetric_kind_of_key_works(issuer: Any, sign: Sign, key: Any, alg: str) -> None:
    """RSA with both paddings, the three curves, and Ed25519."""
    issuer.keys.append(key.as_dict(private=False))
    assert judge(sign(key, alg), issuer.settings).name == "vainu"


def test_eddsa_under_its_old_name_works_without_a_warning(issuer: Any, claims: Any) -> None:
    """Issuers still say EdDSA; joserfc's warning of it would come at every token."""
    key = OKPKey.generate_key("Ed25519", {"kid": "ed"})
    issuer.keys.append(key.as_dict(private=False))
    signed = part({"alg": "EdDSA", "kid": "ed"}) + b"." + part(claims())
    token = signed + b"." + part(key.private_key.sign(signed))  # type: ignore[union-attr]  # an Ed25519 key signs
    assert judge(token, issuer.settings).name == "vainu"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"exp": NOW - 31}, "expired_token"),
        ({"exp": None}, "wrong_claims"),
        ({"exp": "tomorrow"}, "wrong_claims"),
        ({"exp": True}, "wrong_claims"),
        ({"exp": float("nan")}, "wrong_claims"),
        ({"nbf": NOW + 60}, "wrong_claims"),
        ({"nbf": "now"}, "wrong_claims"),
        ({"iat": NOW + 60}, "wrong_claims"),
        ({"iat": []}, "wrong_claims"),
        ({"iss": "https://other.example.com/"}, "wrong_claims"),
        ({"iss": "https://idp.example.com"}, "wrong_claims"),
        ({"iss": None}, "wrong_claims"),
        ({"iss": ["https://idp.example.com/"]}, "wrong_claims"),
        ({"aud": "other"}, "wrong_claims"),
        ({"aud": []}, "wrong_claims"),
        ({"aud": ["other"]}, "wrong_claims"),
        ({"aud": None}, "wrong_claims"),
        ({"aud": {"gateway": 1}}, "wrong_claims"),
        ({"sub": 5}, "wrong_claims"),
    ],
)
def test_wrong_claims_are_refused(issuer: Any, sign: Sign, changes: dict[str, Any], reason: str) -> None:
    """A genuine token must be of this issuer, for this audience, and valid now."""
    assert reason == reason_of(sign(**changes), issuer.settings, NOW)


@pytest.mark.parametrize("changes", [{"exp": NOW - 29}, {"nbf": NOW + 29}, {"iat": NOW + 29}])
def test_clocks_may_differ_by_the_leeway(issuer: Any, sign: Sign, changes: dict[str, Any]) -> None:
    """Within 30 s of its times a token counts as valid."""
    assert judge(sign(**changes), issuer.settings, NOW).name == "vainu"


def test_the_public_key_is_no_hmac_secret(issuer: Any, claims: Any) -> None:
    """HS256 with the published RSA key as secret (algorithm confusion) is refused, whatever its encoding."""
    published = RSAKey.import_key(issuer.keys[0])
    for secret in (published.as_pem(), published.as_der(), json.dumps(issuer.keys[0]).encode()):
        signed = part({"alg": "HS256", "kid": "rsa-1"}) + b"." + part(claims())
        forged = signed + b"." + part(hmac.digest(secret, signed, "sha256"))
        assert reason_of(forged, issuer.settings) == "malformed_token"


def test_a_published_symmetric_key_is_no_key(issuer: Any, sign: Sign) -> None:
    """Even when the set holds an oct key, nothing is verified with it."""
    shared = OctKey.import_key({"kty": "oct", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LTEyMzQ", "kid": "oct"})
    issuer.keys.append(shared.as_dict(private=True))
    assert reason_of(sign(shared, "HS256"), issuer.settings) == "malformed_token"


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "", "HS256", "RS1", "ES256K", None, 5, ["RS256"], {}])
def test_an_unsigned_or_unknown_algorithm_is_refused(issuer: Any, claims: Any, alg: Any) -> None:
    """`none` in any spelling, symmetric, weak and unheard-of algorithms end before any key is looked for."""
    for signature in (b"", b"AAAA"):
        token = b".".join((part({"alg": alg, "kid": "rsa-1"}), part(claims()), signature))
        assert reason_of(token, issuer.settings) == "malformed_token"
    assert issuer.fetches == 0


def test_only_the_algorithms_of_the_settings_count(issuer: Any, sign: Sign) -> None:
    """A connection may pin fewer algorithms than the gateway knows."""
    pinned = issuer.settings.model_copy(update={"algorithms": ("ES256",)})
    assert reason_of(sign(), pinned) == "malformed_token"


def test_a_key_serves_only_its_own_kind(issuer: Any, sign: Sign) -> None:
    """A token that names another kind of key, or an algorithm the key is not published for, finds none."""
    assert reason_of(sign(header={"kid": "ec-1"}), issuer.settings) == "unknown_key"
    issuer.keys[0]["alg"] = "RS512"
    assert reason_of(sign(), issuer.settings) == "unknown_key"
    issuer.keys[0] |= {"alg": "RS256", "use": "enc"}
    assert reason_of(sign(), issuer.settings) == "unknown_key"


def test_a_token_of_another_key_is_refused(issuer: Any, sign: Sign) -> None:
    """The right key id does not help a wrong signature, nor does a key that the token brings along."""
    stranger = RSAKey.generate_key(2048, {"kid": "rsa-1"})
    header = {"jwk": stranger.as_dict(private=False)}
    assert reason_of(sign(stranger), issuer.settings) == "wrong_signature"
    assert reason_of(sign(stranger, header=header), issuer.settings) == "wrong_signature"
    assert reason_of(sign(stranger, header={"jku": f"{issuer.url}/own.json"}), issuer.settings) == "wrong_signature"
    assert [call["path"] for call in issuer.simulator.journal.calls] == ["/jwks.json"] * 3


def test_changed_claims_break_the_signature(issuer: Any, sign: Sign, claims: Any) -> None:
    """Claims are what was signed, byte for byte."""
    header, _, signature = sign().split(b".")
    forged = b".".join((header, part(claims(scope="gateway:export")), signature))
    assert reason_of(forged, issuer.settings) == "wrong_signature"


def test_a_token_without_a_key_id_is_tried_with_every_fitting_key(issuer: Any, sign: Sign) -> None:
    """`kid` is optional (RFC 7515 section 4.1.4): the signature decides."""
    issuer.keys.insert(0, RSAKey.generate_key(2048, {"kid": "rsa-0"}).as_dict(private=False))
    assert judge(sign(header={"kid": None}), issuer.settings).name == "vainu"
    stranger = RSAKey.generate_key(2048)
    assert reason_of(sign(stranger, header={"kid": None}), issuer.settings) == "wrong_signature"


@pytest.mark.parametrize("crit", [["exp"], ["b64"], [], "b64", None])
def test_critical_extensions_are_refused(issuer: Any, claims: Any, crit: Any) -> None:
    """`crit` names extensions that must be understood; the gateway understands none."""
    header = {"alg": "RS256", "kid": "rsa-1", "crit": crit, "exp": 1, "b64": False}
    assert reason_of(b".".join((part(header), part(claims()), b"AAAA")), issuer.settings) == "malformed_token"


@pytest.mark.parametrize(
    "token",
    [
        b"",
        b".",
        b"..",
        b"...",
        b"a.b",
        b"a.b.c.d.e",
        b"\xff\xfe.\x00.\x00",
        b"." * 10_000,
        part([]) + b".e30.AAAA",
        part("alg") + b".e30.AAAA",
        part(5) + b".e30.AAAA",
        part(b"\xff") + b".e30.AAAA",
        part(b"[" * 5_000) + b".e30.AAAA",
        part(b'{"alg":' + b"9" * 5_000 + b"}") + b".e30.AAAA",
        part({"alg": "RS256", "kid": 5}) + b".e30.AAAA",
        part({"alg": "RS256", "kid": ["rsa-1"]}) + b".e30.AAAA",
        part({"alg": "RS256", "b64": False}) + b".e30.AAAA",
        part({"alg": "RS256"}) + b".e30=.AAAA",
    ],
)
def test_a_malformed_token_is_refused_without_asking_for_keys(issuer: Any, token: bytes) -> None:
    """What is no token costs the issuer nothing and raises nothing else."""
    assert reason_of(token, issuer.settings) == "malformed_token"
    assert issuer.fetches == 0


@pytest.mark.parametrize("payload", [b"", b"[]", b"5", b"null", b'"x"', b"{", b"\xff", b"[" * 5_000])
def test_a_signed_payload_that_is_no_claims_is_refused(issuer: Any, payload: bytes) -> None:
    """A genuine signature over something else than a JSON object."""
    key = OKPKey.generate_key("Ed25519", {"kid": "ed"})
    issuer.keys.append(key.as_dict(private=False))
    signed = part({"alg": "Ed25519", "kid": "ed"}) + b"." + part(payload)
    token = signed + b"." + part(key.private_key.sign(signed))  # type: ignore[union-attr]  # an Ed25519 key signs
    assert reason_of(token, issuer.settings) == "malformed_token"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
headers = (
    st.dictionaries(st.sampled_from(["alg", "kid", "crit", "b64", "typ", "jwk", "x5c"]), json_values) | json_values
)
pinned = headers.map(lambda header: {"alg": "RS256", "kid": "rsa-1"} | header if isinstance(header, dict) else header)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300, deadline=None)
@given(st.data())
def test_hostile_tokens_raise_nothing_else(issuer: Any, data: st.DataObject) -> None:
    """Whatever a Bearer token holds, the answer is `Unauthorized`."""
    shaped = st.builds(
        lambda header, payload, signature: b".".join((part(header), part(payload), part(signature))),
        headers | pinned,
        json_values | st.binary(max_size=20),
        st.binary(max_size=20) | st.just(b"\x00" * 256),
    )
    token = data.draw(shaped | st.binary(max_size=80))
    reason_of(token, issuer.settings)

"""The key sets of issuers: cached, rotated, and kept when the issuer is down."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from joserfc.jwk import ECKey, RSAKey

from adapters.contract import UnexpectedReply
from adapters.simulation import FaultRule
from gateway.auth.errors import AuthUnavailable, Unauthorized
from gateway.auth.jwks import JwksCache, public_keys
from gateway.auth.jwks_registry import JwksRegistry
from gateway.auth.jwt import verify

Sign = Callable[..., bytes]


@dataclass
class Clock:
    """A monotonic clock that moves when told."""

    now: float = 1_000.0

    def __call__(self) -> float:
        """Seconds."""
        return self.now


def found(cache: JwksCache, kid: str | None = "rsa-1", algorithm: str = "RS256") -> int:
    return len(asyncio.run(cache.keys_for(kid, algorithm)))


def cache_of(issuer: Any, clock: Clock) -> JwksCache:
    return JwksCache(issuer.settings.jwks_url, clock)


def test_a_set_is_fetched_once_and_again_when_it_is_old(issuer: Any) -> None:
    """Ten minutes long the keys cost nothing."""
    clock = Clock()
    cache = cache_of(issuer, clock)
    assert [found(cache) for _ in range(5)] == [1] * 5
    clock.now += 599
    found(cache)
    assert issuer.fetches == 1
    clock.now += 1
    found(cache)
    assert issuer.fetches == 2


def test_a_rotated_key_is_found_at_once_and_a_withdrawn_one_goes(issuer: Any) -> None:
    """A key id nobody knows yet makes the gateway look again; what is no longer published counts no more."""
    clock = Clock()
    cache = cache_of(issuer, clock)
    assert found(cache) == 1
    issuer.keys[:] = [RSAKey.generate_key(2048, {"kid": "rsa-2"}).as_dict(private=False)]
    assert found(cache, "rsa-2") == 1
    assert found(cache, "rsa-1") == 0


def test_made_up_key_ids_are_no_lever(issuer: Any) -> None:
    """A flood of unknown key ids fetches once in ten seconds, and known keys go on without waiting."""
    clock = Clock()
    cache = cache_of(issuer, clock)
    found(cache)
    assert [found(cache, f"made-up-{number}") for number in range(50)] == [0] * 50
    assert issuer.fetches == 2
    clock.now += 10
    found(cache, "made-up")
    assert found(cache) == 1
    assert issuer.fetches == 3


def test_an_unknown_key_id_on_an_empty_cache_fetches_once(issuer: Any) -> None:
    """The set that was just fetched for this very token is not fetched again."""
    assert found(cache_of(issuer, Clock()), "made-up") == 0
    assert issuer.fetches == 1


def test_many_at_once_share_one_fetch(issuer: Any) -> None:
    """Fifty callers on an empty cache cost the issuer one request."""

    async def crowd() -> list[Any]:
        cache = cache_of(issuer, Clock())
        return await asyncio.gather(*(cache.keys_for("rsa-1", "RS256") for _ in range(50)))

    assert [len(keys) for keys in asyncio.run(crowd())] == [1] * 50
    assert issuer.fetches == 1


def test_a_caller_who_leaves_does_not_take_the_fetch_along(issuer: Any) -> None:
    """When the first of two waiting callers hangs up, the other still gets the keys."""

    async def two() -> int:
        cache = cache_of(issuer, Clock())
        first = asyncio.create_task(cache.keys_for("rsa-1", "RS256"))
        second = asyncio.create_task(cache.keys_for("rsa-1", "RS256"))
        await asyncio.sleep(0)
        first.cancel()
        return len(await second)

    issuer.fail(FaultRule("delay", seconds=0.05))
    assert asyncio.run(two()) == 1
    assert issuer.fetches == 1


@pytest.mark.parametrize("fault", ["500", "503", "429", "drop", "html", "empty", "nonsense", "cut"])
def test_a_failed_refresh_keeps_the_last_good_set(issuer: Any, fault: Any) -> None:
    """However the issuer breaks, tokens of known keys go on; when it is back, it is asked again."""
    clock = Clock()
    cache = cache_of(issuer, clock)
    found(cache)
    issuer.fail(FaultRule(fault))
    clock.now += 700
    assert found(cache) == 1
    asked = issuer.fetches
    assert found(cache, "made-up") == 0
    assert found(cache) == 1
    issuer.recover()
    clock.now += 11
    issuer.keys.append(ECKey.generate_key("P-256", {"kid": "new"}).as_dict(private=False))
    assert found(cache, "new", "ES256") == 1
    assert issuer.fetches > asked


def test_nobody_waits_for_a_broken_issuer_twice(issuer: Any) -> None:
    """After one failed refresh, later ones run beside the callers who hold tokens of known keys."""
    clock = Clock()

    async def during_outage() -> tuple[int, bool]:
        cache = cache_of(issuer, clock)
        await cache.keys_for("rsa-1", "RS256")
        issuer.fail(FaultRule("500"))
        clock.now += 700
        await cache.keys_for("rsa-1", "RS256")
        issuer.recover()
        issuer.fail(FaultRule("delay", seconds=2))
        clock.now += 11
        async with asyncio.timeout(1):
            keys = await cache.keys_for("rsa-1", "RS256")
        return len(keys), cache._flight is not None

    assert asyncio.run(during_outage()) == (1, True)


def test_without_any_set_the_token_cannot_be_judged(issuer: Any) -> None:
    """Our inability is no fault of the token: `AuthUnavailable`, with a time to come back; then it works."""
    clock = Clock()
    cache = cache_of(issuer, clock)
    issuer.fail(FaultRule("500"))
    with pytest.raises(AuthUnavailable) as caught:
        found(cache)
    asked = issuer.fetches
    assert caught.value.retry_after == 1.0
    with pytest.raises(AuthUnavailable):
        found(cache)
    assert issuer.fetches == asked
    issuer.recover()
    clock.now += 1
    assert found(cache) == 1


def test_a_rotated_key_admits_its_tokens(issuer: Any, sign: Sign) -> None:
    """End to end: the new key's token is good after the rotation, the old key's token is not."""
    cache = cache_of(issuer, Clock())
    old = sign()
    new_key = RSAKey.generate_key(2048, {"kid": "rsa-2"})

    def judge(token: bytes) -> str:
        return asyncio.run(verify(token, issuer.settings, cache, time.time)).name

    assert judge(old) == "vainu"
    issuer.keys[:] = [new_key.as_dict(private=False)]
    assert judge(sign(new_key)) == "vainu"
    with pytest.raises(Unauthorized):
        judge(old)


def test_one_cache_per_address() -> None:
    """Connections that trust the same issuer share its keys."""
    registry = JwksRegistry()
    assert registry.of("https://a/jwks") is registry.of("https://a/jwks")
    assert registry.of("https://a/jwks") is not registry.of("https://b/jwks")


GOOD = ECKey.generate_key("P-256", {"kid": "good"}).as_dict(private=False)
SHORT_MODULUS = "_" * 170 + "8"  # 1,024 bits
BAD_KEYS: list[Any] = [
    None,
    5,
    "key",
    [],
    {},
    {"kty": "RSA"},
    {"kty": "RSA", "n": "!!", "e": "AQAB"},
    {"kty": "RSA", "n": SHORT_MODULUS, "e": "AQAB"},
    {"kty": "RSA", "n": "A" * 172 + SHORT_MODULUS, "e": "AQAB"},
    {"kty": "RSA", "n": "A" * 400, "e": "AQAB"},
    {"kty": "RSA", "n": 5, "e": 5},
    {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"},
    {"kty": "EC", "crv": "nonsense", "x": "AA", "y": "AA"},
    {"kty": "EC", "crv": ["P-256"], "x": "AA", "y": "AA"},
    {"kty": "OKP", "crv": "Ed25519", "x": "AA"},
    {"kty": "OKP", "crv": None, "x": None},
    {"kty": "oct", "k": "c2VjcmV0"},
    {"kty": "ML-DSA"},
    {"kty": ["RSA"]},
    {**GOOD, "use": "enc"},
    {**GOOD, "use": ["sig"]},
    {**GOOD, "use": "other", "key_ops": ["verify"]},
    {**GOOD, "key_ops": ["sign"]},
    {**GOOD, "key_ops": 5},
    {**GOOD, "kid": 5},
]


@pytest.mark.parametrize("bad", BAD_KEYS)
def test_an_unusable_key_does_not_cost_the_others(bad: Any) -> None:
    """A set is read key by key: malformed, short, symmetric and encryption keys are left out."""
    assert [key.kid for key in public_keys({"keys": [bad, GOOD]})] == ["good"]


@pytest.mark.parametrize("document", [None, 5, [], "x", {}, {"keys": None}, {"keys": {}}, {"keys": []}, {"keys": [{}]}])
def test_a_document_without_usable_keys_is_no_set(document: Any) -> None:
    """Such an answer must not replace the last good set."""
    with pytest.raises(UnexpectedReply):
        public_keys(document)

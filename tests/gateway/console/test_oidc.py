"""Signing in through an OpenID provider, a small real one: the way there, the way back, and whom it admits."""

from pathlib import Path
from typing import Any

import httpx
import pytest
from joserfc.jwk import RSAKey

from tests.gateway.console.conftest import World, oidc
from tests.gateway.console.provider import CLIENT_ID, EMAIL
from tests.gateway.console.test_sign_in import set_cookies
from tests.gateway.console.visitor import SESSION, Visitor
from tests.harness import Upstream, configuration, running_gateway

TRANSACTION = "gateway_console_oidc"
RETURN = "/sign-in/oidc/return"


def way_there(visitor: Visitor, **fields: str) -> httpx.Response:
    """Press the button; the page that goes on to the provider."""
    visitor.get("/sign-in")
    return visitor.post("/sign-in/oidc", **fields)


def goes_to(answer: httpx.Response) -> str:
    """Where a page goes on to by itself."""
    return answer.text.partition('content="0; url=')[2].partition('"')[0].replace("&amp;", "&")


def way_back(visitor: Visitor, **fields: str) -> httpx.Response:
    """The provider's answer, as the browser brings it."""
    there = way_there(visitor, **fields)
    assert there.status_code == 200, there.text
    back = httpx.get(goes_to(there), trust_env=False).headers["location"]
    return visitor.get(back.partition("/console")[2])


def test_the_provider_s_word_signs_in(visitor: Visitor) -> None:
    """An allowed, verified address has a session of its own name, and is where it wanted to go."""
    answer = way_back(visitor, next="/deliveries?state=dead")

    assert answer.status_code == 200 and goes_to(answer) == "/console/deliveries?state=dead"
    assert "samesite=strict" in set_cookies(answer)[SESSION]
    assert "max-age=0" in set_cookies(answer)[TRANSACTION]
    assert EMAIL in visitor.get("/audit").text


def test_what_the_provider_is_asked(world: World, visitor: Visitor) -> None:
    """A code for this client and this gateway, with state, nonce and a PKCE challenge; the secret stays here."""
    answer = way_there(visitor)
    asked = httpx.URL(goes_to(answer)).params

    assert asked["response_type"] == "code" and asked["client_id"] == CLIENT_ID
    assert asked["redirect_uri"] == f"{world.gateway.url}/console{RETURN}"
    assert asked["code_challenge_method"] == "S256" and len(asked["code_challenge"]) == 43
    assert len(asked["state"]) >= 22 and len(asked["nonce"]) >= 22 and asked["scope"] == "openid email"
    cookie = set_cookies(answer)[TRANSACTION]
    # lax, and for ten minutes only: the way back is a navigation from the provider's site
    assert "samesite=lax" in cookie and "httponly" in cookie and "max-age=600" in cookie


@pytest.mark.parametrize(
    ("claims", "said"),
    [
        ({"nonce": "another"}, "not valid here"),
        ({"nonce": None}, "not valid here"),
        ({"aud": "another-client"}, "not valid here"),
        ({"aud": [CLIENT_ID, "another-client"], "azp": "another-client"}, "not valid here"),
        ({"iss": "https://idp.example.com"}, "not valid here"),
        ({"exp": 1}, "not valid here"),
        ({"exp": None}, "not valid here"),
        ({"iat": None}, "not valid here"),
        ({"email": None}, "no verified e-mail address"),
        ({"email_verified": False}, "no verified e-mail address"),
        ({"email_verified": None}, "no verified e-mail address"),
        ({"email": "eve@example.com"}, "allowed_emails"),
        ({"email": ["ann@example.com"]}, "no verified e-mail address"),
    ],
)
def test_whom_the_provider_s_word_does_not_admit(
    world: World, visitor: Visitor, operator: Visitor, claims: dict[str, Any], said: str
) -> None:
    """An ID token that is not for this sign-in, or vouches for nobody allowed, is 401 and in the audit log."""
    world.provider.claims = claims
    answer = way_back(visitor)

    assert answer.status_code == 401 and said in answer.text
    assert SESSION not in set_cookies(answer) and not visitor.is_signed_in()
    assert "oidc_" in operator.get("/audit?action=sign_in.failed").text


def test_a_token_of_another_key_admits_nobody(world: World, visitor: Visitor) -> None:
    """The ID token must be signed by the provider's own key."""
    world.provider.key = RSAKey.generate_key(2048, {"kid": "provider"})
    assert way_back(visitor).status_code == 401


@pytest.mark.parametrize(
    "answer",
    [
        {"state": "another"},
        {"iss": "https://idp.example.com"},
        {"code": ""},
        {"code": "made-up"},
        {"error": "access_denied"},
    ],
)
def test_an_answer_that_is_no_answer_to_this(world: World, visitor: Visitor, answer: dict[str, str]) -> None:
    """Another's state, another provider's answer, a made-up code, a refusal: 401, and the form again."""
    world.provider.answer = answer
    got = way_back(visitor)
    assert got.status_code == 401 and "identity provider" in got.text and not visitor.is_signed_in()


def test_the_way_back_counts_in_the_browser_that_began(world: World, visitor: Visitor) -> None:
    """Somebody else's answer signs nobody in: without the transaction's cookie it is refused."""
    there = way_there(visitor)
    back = httpx.get(goes_to(there), trust_env=False).headers["location"].partition("/console")[2]
    other = Visitor(world.gateway.url)
    assert other.get(back).status_code == 400
    other.http.cookies.set(TRANSACTION, visitor.http.cookies[TRANSACTION][:-2])
    assert other.get(back).status_code == 400
    assert visitor.get(back).status_code == 200
    # and once
    assert visitor.get(back).status_code == 400


@pytest.mark.parametrize(
    ("metadata", "said"),
    [
        ({"issuer": "https://idp.example.com"}, "calls itself otherwise"),
        ({"token_endpoint": "http://idp.example.com/token"}, "token_endpoint"),
        ({"jwks_uri": None}, "jwks_uri"),
    ],
)
def test_a_provider_that_is_another_is_named(world: World, tmp_path: Path, metadata: dict[str, Any], said: str) -> None:
    """502 with what is wrong, and the form, on which a token still works."""
    world.provider.forget()
    world.provider.metadata = metadata
    document = configuration(
        world.upstream.url, tmp_path, operator={"oidc": oidc(world.provider)}, server={"drain_seconds": 0}
    )
    with running_gateway(document) as gateway:
        visitor = Visitor(gateway.url)
        answer = way_there(visitor)
        assert answer.status_code == 502 and said in answer.text and 'name="token"' in answer.text
        assert visitor.sign_in().status_code == 303


def test_who_is_no_longer_allowed_is_out(world: World, visitor: Visitor) -> None:
    """At a gateway whose configuration does not allow the address any more, the session is none."""
    way_back(visitor)
    assert visitor.is_signed_in()
    changed = {**oidc(world.provider), "allowed_emails": ["bob@example.com"]}
    document = configuration(world.upstream.url, world.folder, operator={"oidc": changed}, server={"drain_seconds": 0})
    with running_gateway(document) as other:
        headers = {"Cookie": f"{SESSION}={visitor.cookie()}"}
        assert httpx.get(f"{other.url}/console/audit", headers=headers, trust_env=False).status_code == 303


def test_without_a_provider_there_is_no_button(upstream: Upstream, tmp_path: Path) -> None:
    """The form offers what is configured; nothing configured, it says how to begin."""
    for operator, told in (({}, "Operator token"), ({"tokens": None}, "Nobody can sign in yet")):
        document = configuration(upstream.url, tmp_path, operator=operator, server={"drain_seconds": 0})
        with running_gateway(document) as gateway:
            visitor = Visitor(gateway.url)
            page = visitor.get("/sign-in").text
            assert told in page and "identity provider</button>" not in page
            if not operator:
                assert visitor.post("/sign-in/oidc").status_code == 404

"""Who is admitted to a connection, and the one answer to everybody else (CONTRACT section 4, 401 and 403)."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from joserfc.jwk import RSAKey

from adapters.vainu.samples import samples
from tests.gateway.http.conftest import PASSWORD, URL_TOKEN, World
from tests.gateway.http.problems import problem
from tests.harness import AUTH, KEY, client

EXPORTS = "/vainu/acme/exports"
FEED = "/vainu/acme/activities/nobody"
COMPANY = json.dumps(samples()["samlink"].push_body()).encode()


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"API-Key": "wrong"},
        {"API-Key": ""},
        {"API-Key": KEY + "x"},
        {"Authorization": "Basic dmFpbnU6d3Jvbmc="},
        {"Authorization": "Basic ????"},
        {"Authorization": "Basic"},
        {"Authorization": "Bearer abc.def.ghi"},
        {"Authorization": f"Bearer {KEY}"},
        {"Authorization": "Negotiate abc"},
    ],
)
def test_wrong_credentials_get_one_answer(world: World, headers: dict[str, str]) -> None:
    """No credentials, wrong ones of any kind, and an unknown connection get the same 401, byte for byte."""
    with client(world.gateway.url, headers=headers) as http:
        answers = [http.get(FEED), http.post(EXPORTS, content=COMPANY), http.get("/vainu/nobody/activities/nobody")]
        answers += [http.get("/vainu/nobody/exports/exp_1"), http.get("/vainu/NO%20body/activities/a")]
    seen = set()
    for answer in answers:
        content = problem(answer, 401) | {"request_id": ""}
        volatile = {"x-request-id", "date", "content-length"}
        sent = {name: value for name, value in answer.headers.items() if name not in volatile}
        seen.add(json.dumps([content, sent], sort_keys=True))
        assert len(answer.content) == len(answers[0].content)
    assert len(seen) == 1
    assert {"API-Key", "Basic", "Bearer"} <= set(answers[0].headers["www-authenticate"].replace(",", " ").split())


def test_right_credentials_do_not_open_an_unknown_connection(world: World) -> None:
    """The key of one connection is 401 at a connection that does not exist, and at one that has other credentials."""
    problem(world.gateway.feed("nobody", "a"), 401)
    with client(world.gateway.url, headers={}) as http:
        problem(http.get("/vainu/globex/activities/a", auth=("vainu", PASSWORD)), 401)


@pytest.mark.parametrize("kind", ["api_key", "basic", "url_token", "jwt"])
def test_every_kind_of_credential_admits(world: World, token: Callable[..., str], kind: str) -> None:
    """API-Key, Basic, ?token= and a JWT each get past the door: an unknown customer is then 404."""
    options: dict[str, Any] = {
        "api_key": {"headers": AUTH},
        "basic": {"auth": ("vainu", PASSWORD)},
        "url_token": {"params": {"token": URL_TOKEN}},
        "jwt": {"headers": {"Authorization": f"Bearer {token()}"}},
    }[kind]
    with client(world.gateway.url, headers={}) as http:
        problem(http.get(FEED, **options), 404)


@pytest.mark.parametrize(
    ("claims", "status"),
    [
        ({}, 404),
        ({"scope": "gateway:export gateway:feed"}, 404),
        ({"connections": ["acme", "globex"]}, 404),
        ({"scope": "gateway:export"}, 403),
        ({"scope": None}, 403),
        ({"connections": ["globex"]}, 403),
        ({"connections": []}, 403),
        ({"connections": "acme"}, 403),
        ({"aud": "another"}, 401),
        ({"iss": "https://evil.example.com/"}, 401),
        ({"exp": 1}, 401),
        ({"exp": None}, 401),
    ],
)
def test_what_a_jwt_may_do(world: World, token: Callable[..., str], claims: dict[str, Any], status: int) -> None:
    """A genuine JWT without the scope, or for another connection, is 403; one that is not valid here is 401."""
    with client(world.gateway.url, headers={"Authorization": f"Bearer {token(**claims)}"}) as http:
        answer = http.get(FEED)
    problem(answer, status)
    assert ("www-authenticate" in answer.headers) == (status == 401)


def test_a_jwt_of_another_key_is_401(world: World, token: Callable[..., str]) -> None:
    """Valid claims under a signature of somebody else's key are 401."""
    forged = token(RSAKey.generate_key(2048, {"kid": "one"}))
    with client(world.gateway.url, headers={"Authorization": f"Bearer {forged}"}) as http:
        problem(http.get(FEED), 401)

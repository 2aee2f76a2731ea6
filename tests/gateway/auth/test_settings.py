"""`[connections.X.auth]` as types."""

from typing import Any

import pytest
from pydantic import ValidationError

from adapters.secrets import digest
from gateway.auth.settings import AuthSettings, BasicCredential, JwtSettings

JWT = {"issuer": "https://idp.example.com/", "audience": "gateway", "jwks_url": "https://idp.example.com/jwks.json"}


def test_every_kind_of_secret_is_read() -> None:
    """Keys, tokens and passwords may be plain, from the environment or stored as a digest; only digests are kept."""
    table = {
        "api_keys": ["plain-key", {"env": "KEY"}, {"sha256": digest("stored")}],
        "basic": [{"username": "vainu", "password": "pass:word"}],
        "url_tokens": ["token"],
        "jwt": JWT,
    }
    auth = AuthSettings.model_validate(table, context={"environ": {"KEY": "from-environment"}})
    kept = [key.get_secret_value() for key in auth.api_keys]
    assert kept == [digest("plain-key"), digest("from-environment"), digest("stored")]
    assert auth.basic[0].password.get_secret_value() == digest("pass:word")


@pytest.mark.parametrize("form", [repr, str, lambda auth: auth.model_dump_json()])
def test_no_secret_shows(form: Any) -> None:
    """Neither a secret nor its digest shows in a repr or a dump."""
    auth = AuthSettings.model_validate({"api_keys": ["a-plain-key"], "basic": [{"username": "u", "password": "word"}]})
    shown = form(auth)
    assert not any(secret in shown for secret in ("a-plain-key", digest("a-plain-key"), digest("word")))


def test_empty_settings_say_so() -> None:
    """Settings without any credential are empty; with one of any kind they are not."""
    assert AuthSettings().is_empty
    for table in ({"api_keys": ["k"]}, {"basic": [{"username": "u", "password": "p"}]}, {"url_tokens": ["t"]}):
        assert not AuthSettings.model_validate(table).is_empty
    assert not AuthSettings.model_validate({"jwt": JWT}).is_empty


@pytest.mark.parametrize(
    "change",
    [
        {"jwks_url": "http://idp.example.com/jwks.json"},
        {"jwks_url": "ftp://idp.example.com/jwks.json"},
        {"jwks_url": "https://user:word@idp.example.com/jwks.json"},
        {"jwks_url": ""},
        {"issuer": ""},
        {"audience": ""},
        {"algorithms": []},
        {"algorithms": ["none"]},
        {"algorithms": ["HS256"]},
        {"algorithms": ["RS256", "HS512"]},
        {"leeway_seconds": -1},
        {"unknown": 1},
    ],
)
def test_unsafe_jwt_settings_are_refused(change: dict[str, Any]) -> None:
    """An address in the clear, a symmetric or absent algorithm, an empty issuer or audience: none is accepted."""
    with pytest.raises(ValidationError):
        JwtSettings.model_validate({**JWT, **change})


@pytest.mark.parametrize(
    "change",
    [
        {"jwks_url": "http://127.0.0.1:9000/jwks.json"},
        {"jwks_url": "http://localhost/jwks.json"},
        {"jwks_url": "http://idp.internal/jwks.json", "allow_http": True},
        {"jwks_url": "https://idp.example.com/keys?p=policy"},
        {"algorithms": ["ES256"]},
    ],
)
def test_safe_jwt_settings_are_accepted(change: dict[str, Any]) -> None:
    """http on loopback or where it is allowed, an address with a query, fewer algorithms."""
    JwtSettings.model_validate({**JWT, **change})


@pytest.mark.parametrize("username", ["", "with:colon", "with\nline", "with\x00nul"])
def test_a_user_name_that_cannot_be_sent_is_refused(username: str) -> None:
    """RFC 7617 leaves no way to send a colon or a control character in a user name."""
    with pytest.raises(ValidationError):
        BasicCredential.model_validate({"username": username, "password": "p"})

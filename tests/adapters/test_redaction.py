"""What stands in for secrets in texts that people, logs and callers see."""

import pytest

from adapters.redaction import Redactor


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("key s3cret-4711 is wrong", "key [redacted] is wrong"),
        ("Bearer eyJhbGciOi.J9.x1 expired", "Bearer [redacted] expired"),
        ('{"access_token": "q9Zk2LmP", "code": 5}', '{"access_token": "[redacted]", "code": 5}'),
        ("apiKey=AbCdEf12&a=save", "apiKey=[redacted]&a=save"),
        ("Authorization: Basic dXNlcjpwYXNz!", "Authorization: Basic [redacted]"),
        ("password: Hunter2Hunter", "password: [redacted]"),
    ],
)
def test_credentials_are_masked_whoever_they_belong_to(text: str, shown: str) -> None:
    """Ours by their value; others, which a remote system may repeat, by the word that stands before them."""
    assert Redactor(["s3cret-4711"])(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "token: invalid",
        "password: must be changed",
        "the access key expired on 2026-11-21",
        '{"token": null, "secret": ""}',
        "api_key: environment variable ACME_KEY is not set",
    ],
)
def test_what_is_wrong_is_still_said(text: str) -> None:
    """Ordinary words after such a word stay."""
    assert Redactor(["s3cret-4711"])(text) == text

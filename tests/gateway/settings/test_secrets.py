"""Secrets: four forms, and what is said of one that cannot be had."""

import hashlib
from pathlib import Path
from typing import Any

import pytest

from adapters.secrets import digest
from gateway.settings import read

API_KEY = "connections.acme.apptivo.api_key"
KEYS = "connections.acme.auth.api_keys"


def _sent(document: dict[str, Any], environ: dict[str, str]) -> str:
    value: str = read(document, environ).connections["acme"].adapter.api_key.get_secret_value()
    return value


def _compared(document: dict[str, Any], environ: dict[str, str]) -> str:
    return read(document, environ).connections["acme"].auth.api_keys[0].get_secret_value()


def test_plain(changed: Any) -> None:
    """A plain text is the secret itself."""
    assert _sent(changed(API_KEY, "s3cret"), {}) == "s3cret"
    assert _compared(changed(KEYS, ["s3cret"]), {}) == digest("s3cret")


def test_from_the_environment(changed: Any) -> None:
    """`{ env }` is the value of a variable."""
    assert _sent(changed(API_KEY, {"env": "NAME"}), {"NAME": "s3cret"}) == "s3cret"
    assert _compared(changed(KEYS, [{"env": "NAME"}]), {"NAME": "s3cret"}) == digest("s3cret")


@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
def test_from_a_file(changed: Any, tmp_path: Path, ending: str) -> None:
    """`{ file }` is the content of a file, without the line's end that editors put there."""
    file = tmp_path / "key"
    file.write_bytes(f"s3cret{ending}".encode())
    assert _sent(changed(API_KEY, {"file": str(file)}), {}) == "s3cret"
    assert _compared(changed(KEYS, [{"file": str(file)}]), {}) == digest("s3cret")


def test_hashed(changed: Any) -> None:
    """`{ sha256 }` is what `gateway secret new` prints, in either case of its letters."""
    stored = hashlib.sha256(b"s3cret").hexdigest()
    assert _compared(changed(KEYS, [{"sha256": stored}]), {}) == stored
    assert _compared(changed(KEYS, [{"sha256": stored.upper()}]), {}) == stored


def test_a_compared_secret_is_kept_hashed_only(changed: Any) -> None:
    """The gateway forgets what it only compares."""
    assert "s3cret" not in read(changed(KEYS, ["s3cret"]), {}).connections["acme"].secret_values()


_ONLY_COMPARED = "sha256 is for secrets that are only compared; this one is sent, so it must be known"
_FORMS = 'expected a string, { env = "NAME" } or { file = "PATH" }'


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"env": "ACME_APPTIVO_API_KEY"}, "environment variable ACME_APPTIVO_API_KEY is not set"),
        ({"env": "EMPTY"}, "environment variable EMPTY is empty"),
        ({"env": ""}, "env: expected the name of an environment variable"),
        ({"env": 1}, "env: expected the name of an environment variable"),
        ({"env": "a secret, put here by mistake"}, "env: expected the name of an environment variable"),
        ({"file": "/nowhere/key"}, "file /nowhere/key does not exist"),
        ({"file": "/"}, "file / cannot be read"),
        ({"file": "a\0b"}, "file a\0b cannot be read"),
        ({"file": ""}, "file: expected a path"),
        ({"file": 1}, "file: expected a path"),
        ({"sha256": "0" * 64}, _ONLY_COMPARED),
        ("", "a secret cannot be empty"),
        (1, _FORMS),
        (None, _FORMS),
        (True, _FORMS),
        ([], _FORMS),
        ({}, _FORMS),
        ({"value": "x"}, _FORMS),
        ({"env": "A", "file": "B"}, _FORMS),
    ],
)
def test_a_secret_that_cannot_be_had(changed: Any, faults_in: Any, value: Any, message: str) -> None:
    """The fault names the key, and the variable or file that is missing, in the contract's words."""
    assert [f"{API_KEY}: {message}"] == faults_in(changed(API_KEY, value), {"EMPTY": ""})


@pytest.mark.parametrize("content", [b"", b"\n"])
def test_an_empty_file(changed: Any, faults_in: Any, tmp_path: Path, content: bytes) -> None:
    """An empty file is no secret."""
    file = tmp_path / "key"
    file.write_bytes(content)
    assert [f"{API_KEY}: file {file} is empty"] == faults_in(changed(API_KEY, {"file": str(file)}))


def test_a_file_that_is_no_text(changed: Any, faults_in: Any, tmp_path: Path) -> None:
    """Bytes that are no UTF-8 are no secret, and are not shown."""
    file = tmp_path / "key"
    file.write_bytes(b"\xff\xfe")
    assert [f"{API_KEY}: file {file} cannot be read"] == faults_in(changed(API_KEY, {"file": str(file)}))


@pytest.mark.parametrize("stored", ["", "abc", "g" * 64, "0" * 63, 1, None])
def test_a_hash_that_is_none(changed: Any, faults_in: Any, stored: Any) -> None:
    """A hashed form is 64 hex digits."""
    assert [f"{KEYS}[0]: sha256: expected 64 hex digits"] == faults_in(changed(KEYS, [{"sha256": stored}]))


@pytest.mark.parametrize("system", ["vainu", "aixon"])
@pytest.mark.parametrize("key", ["two\nlines", "kääpiö", "a blank"])
def test_a_key_that_no_header_can_carry(changed: Any, faults_in: Any, system: str, key: str) -> None:
    """A key that is sent as a header is refused now, and not at the first call; it is not shown."""
    table = {"base_url": "https://api.example.com", "api_key": {"env": "KEY"}}
    (fault,) = faults_in(changed(f"connections.acme.{system}", table), {"KEY": key})
    assert fault.startswith(f"connections.acme.{system}.api_key: expected visible ASCII characters only")
    assert key not in fault


def test_the_store_s_address(changed: Any, faults_in: Any, tmp_path: Path) -> None:
    """It may hold a password, so it may come from a variable or a file; it is checked, and masked, all the same."""
    address = "postgresql://gateway:dark-word@db/gateway"
    file = tmp_path / "url"
    file.write_text(f"{address}\n")
    for value in ({"env": "URL"}, {"file": str(file)}):
        settings = read(changed("storage.url", value), {"URL": address})
        assert settings.storage.url == address
        assert "dark-word" not in f"{settings!r} {settings.model_dump()}"
    (fault,) = faults_in(changed("storage.url", {"env": "URL"}), {"URL": "mysql://gateway:dark-word@db/gateway"})
    assert fault == 'storage.url: expected "sqlite:///file.db" or "postgresql://user@host/db"'
    assert faults_in(changed("storage.url", {"env": "URL"})) == ["storage.url: environment variable URL is not set"]

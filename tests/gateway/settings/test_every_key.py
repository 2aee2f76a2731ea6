"""Every key of the contract's section 3: read, with its default."""

from ipaddress import ip_network
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from adapters.secrets import digest
from gateway.settings import Settings, load, read
from tests.harness import toml


def _value_at(settings: Settings, path: str) -> Any:
    found: Any = settings
    for step in path.split("."):
        found = found[step] if isinstance(found, dict) else getattr(found, step)
    return found


def test_the_contracts_whole_example_is_accepted(example: dict[str, Any], environ: dict[str, str]) -> None:
    """Section 3 of the contract, with its blanks filled in, has no fault."""
    settings = read(example, environ)
    assert list(settings.connections) == ["acme", "globex"]
    assert settings.connections["acme"].adapter.api_key.get_secret_value() == "value-of-acme_apptivo_api_key"
    assert settings.connections["globex"].adapter.unit == "Admin Unit"
    assert settings.connections["acme"].auth.basic[0].password.get_secret_value() == digest("value-of-the-file")
    assert settings.connections["acme"].webhooks.hmac[1].prefix == "sha256="


def test_the_example_is_accepted_as_a_file(example: dict[str, Any], environ: dict[str, str], tmp_path: Path) -> None:
    """What is read from a file is what is read from its document."""
    file = tmp_path / "gateway.toml"
    file.write_text(toml(example), encoding="utf-8")
    assert load(file, environ) == read(example, environ)


@pytest.mark.parametrize(
    ("path", "default"),
    [
        ("server.host", "127.0.0.1"),
        ("server.port", 8080),
        ("server.public_url", None),
        ("server.max_body_bytes", 1_048_576),
        ("server.body_timeout_seconds", 10),
        ("server.requests_per_second", 500),
        ("server.failed_signins_per_minute", 20),
        ("server.drain_seconds", 30),
        ("server.trusted_proxies", ()),
        ("storage.url", "sqlite:///gateway.db"),
        ("storage.retention_days", 30),
        ("operator.tokens", ()),
        ("operator.oidc", None),
        ("connections.acme.timezone", ZoneInfo("UTC")),
        ("connections.acme.auth.basic", ()),
        ("connections.acme.auth.jwt", None),
        ("connections.acme.auth.url_tokens", ()),
        ("connections.acme.webhooks.hmac", ()),
        ("connections.acme.webhooks.basic", ()),
        ("connections.acme.webhooks.api_keys", ()),
        ("connections.acme.webhooks.url_tokens", ()),
        ("connections.acme.webhooks.tolerance_seconds", 300),
        ("connections.acme.adapter.base_url", "https://api.apptivo.com"),
        ("connections.acme.adapter.date_order", "DMY"),
        ("connections.acme.adapter.won_stages", ("Closed Won",)),
        ("connections.acme.adapter.lost_stages", ("Closed Lost",)),
        ("connections.acme.adapter.record_url", None),
        ("connections.acme.vainu", None),
        ("connections.acme.aixon", None),
        ("connections.acme.export.budget_ms", 2500),
        ("connections.acme.export.when_slow", "accept"),
        ("connections.acme.feed.budget_ms", 2500),
        ("connections.acme.feed.limit", 200),
        ("connections.acme.feed.stale_seconds", 300),
        ("connections.globex.adapter.unit", None),
    ],
)
def test_defaults(document: dict[str, Any], path: str, default: Any) -> None:
    """A key that is left out has the contract's value."""
    assert default == _value_at(read(document, {}), path)


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("server.host", "::1", "::1"),
        ("server.port", 0, 0),
        ("server.public_url", "https://gateway.example.com/", "https://gateway.example.com"),
        ("server.max_body_bytes", 2_000_000, 2_000_000),
        ("server.body_timeout_seconds", 2.5, 2.5),
        ("server.requests_per_second", 1, 1),
        ("server.failed_signins_per_minute", 3, 3),
        ("server.drain_seconds", 0, 0),
        ("server.trusted_proxies", ["10.0.0.0/8", "::1"], (ip_network("10.0.0.0/8"), ip_network("::1/128"))),
        ("storage.url", "postgresql://user@host/db", "postgresql://user@host/db"),
        ("storage.retention_days", 1, 1),
        ("connections.acme.timezone", "America/New_York", ZoneInfo("America/New_York")),
        ("connections.acme.webhooks.tolerance_seconds", 60, 60),
        ("connections.acme.export.budget_ms", 300, 300),
        ("connections.acme.export.when_slow", "fail", "fail"),
        ("connections.acme.feed.limit", 1, 1),
        ("connections.acme.feed.stale_seconds", 0, 0),
    ],
)
def test_what_is_written_is_read(changed: Any, path: str, value: Any, expected: Any) -> None:
    """Every key takes another value than its default."""
    assert expected == _value_at(read(changed(path, value), {}), path)


def test_settings_do_not_change(document: dict[str, Any]) -> None:
    """One frozen object: nobody can change what is in force."""
    settings = read(document, {})
    with pytest.raises(ValueError, match="frozen"):
        settings.server.port = 1  # type: ignore[misc]  # the point of the test


@pytest.mark.parametrize(
    ("server", "url"),
    [
        ({}, "http://127.0.0.1:8080"),
        ({"host": "::1", "port": 81}, "http://[::1]:81"),
        ({"public_url": "https://gateway.example.com"}, "https://gateway.example.com"),
    ],
)
def test_the_address_for_callers(document: dict[str, Any], server: dict[str, Any], url: str) -> None:
    """Without a public address, callers are shown the one that is listened on."""
    assert url == read({**document, "server": server}, {}).public_url


def test_an_empty_file_is_a_gateway_without_connections(tmp_path: Path) -> None:
    """Everything has a default, so a new gateway starts before its first connection is written."""
    file = tmp_path / "gateway.toml"
    file.write_text("", encoding="utf-8")
    assert load(file, {}).connections == {}

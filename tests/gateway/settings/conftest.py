"""Documents that the gateway's settings are read from."""

import copy
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gateway.settings import InvalidSettings, read

EXAMPLE = """
[server]
host = "127.0.0.1"
port = 8080
public_url = "https://gateway.example.com"
max_body_bytes = 1048576
body_timeout_seconds = 10
requests_per_second = 500
failed_signins_per_minute = 20
drain_seconds = 30
trusted_proxies = []

[storage]
url = "sqlite:///gateway.db"
retention_days = 30

[operator]
tokens = [{ env = "GATEWAY_OPERATOR_TOKEN" }]
oidc = { issuer = "https://idp.example.com/", client_id = "gateway", client_secret = { env = "OIDC_SECRET" }, \
allowed_emails = ["ops@example.com"] }

[connections.acme]
crm = "apptivo"
timezone = "Europe/Helsinki"

[connections.acme.auth]
api_keys = [{ env = "ACME_VAINU_KEY" }]
basic = [{ username = "vainu", password = { file = "SECRET_FILE" } }]
jwt = { issuer = "https://idp.example.com/", audience = "gateway", jwks_url = "https://idp.example.com/jwks.json" }
url_tokens = []

[connections.acme.webhooks]
hmac = [
  { secret = { env = "ACME_HOOK" }, scheme = "standard" },
  { secret = "made-up", scheme = "header", header = "X-Signature", algorithm = "sha256", encoding = "hex", \
prefix = "sha256=" },
]
basic = []
api_keys = []
url_tokens = []
tolerance_seconds = 300

[connections.acme.apptivo]
base_url = "https://api.apptivo.com"
api_key = { env = "ACME_APPTIVO_API_KEY" }
access_key = { env = "ACME_APPTIVO_ACCESS_KEY" }
date_order = "DMY"
won_stages = ["Closed Won"]
lost_stages = ["Closed Lost"]
record_url = "https://app.apptivo.com/customers/{}"

[connections.acme.vainu]
base_url = "https://api.vainu.io"
api_version = 2
api_key = { env = "ACME_VAINU_API_KEY" }

[connections.acme.aixon]
base_url = "https://aixon.example.com"
api_key = { env = "ACME_AIXON_KEY" }
description = "acme customers"

[connections.acme.export]
budget_ms = 2500
when_slow = "accept"

[connections.acme.feed]
budget_ms = 2500
limit = 200
stale_seconds = 300

[connections.globex]
crm = "crmcom"

[connections.globex.auth]
api_keys = ["made-up-key"]

[connections.globex.crmcom]
base_url = "https://host/crmapi/rest/v2"
username = "someone"
password = { env = "GLOBEX_CRMCOM_PASSWORD" }
organisation = "GLOBEX"
unit = "Admin Unit"
"""
"""Section 3 of the contract, whole, with something in every blank."""

ENVIRON = {
    name: f"value-of-{name.lower()}"
    for name in (
        "GATEWAY_OPERATOR_TOKEN",
        "OIDC_SECRET",
        "ACME_VAINU_KEY",
        "ACME_HOOK",
        "ACME_APPTIVO_API_KEY",
        "ACME_APPTIVO_ACCESS_KEY",
        "ACME_VAINU_API_KEY",
        "ACME_AIXON_KEY",
        "GLOBEX_CRMCOM_PASSWORD",
    )
}

_SMALLEST: dict[str, Any] = {
    "connections": {
        "acme": {
            "crm": "apptivo",
            "auth": {"api_keys": ["caller-key"]},
            "apptivo": {"api_key": "apptivo-key", "access_key": "access-key"},
        },
        "globex": {
            "crm": "crmcom",
            "auth": {"api_keys": ["caller-key"]},
            "crmcom": {"base_url": "https://crm.example.com", "username": "u", "password": "p", "organisation": "o"},
        },
    }
}

Change = Callable[..., dict[str, Any]]


@pytest.fixture
def example(tmp_path: Path) -> dict[str, Any]:
    (tmp_path / "secret").write_text("value-of-the-file\n", encoding="utf-8")
    return tomllib.loads(EXAMPLE.replace("SECRET_FILE", str(tmp_path / "secret")))


@pytest.fixture
def environ() -> dict[str, str]:
    return dict(ENVIRON)


@pytest.fixture
def document() -> dict[str, Any]:
    """The least that is a configuration: a connection to each CRM, and nothing that has a default."""
    return copy.deepcopy(_SMALLEST)


@pytest.fixture
def changed() -> Change:
    """The smallest document with one value put at a dotted path; `...` takes the key away."""

    def change(path: str, value: Any) -> dict[str, Any]:
        document = copy.deepcopy(_SMALLEST)
        *outer, last = path.split(".")
        table = document
        for key in outer:
            table = table.setdefault(key, {})
        if value is ...:
            del table[last]
        else:
            table[last] = value
        return document

    return change


@pytest.fixture
def faults_in() -> Callable[..., list[str]]:
    """Every fault of a document, as the command line prints it; none if it is read."""

    def find(document: dict[str, Any], environ: dict[str, str] | None = None) -> list[str]:
        try:
            read(document, environ or {})
        except InvalidSettings as error:
            return [str(fault) for fault in error.faults]
        return []

    return find

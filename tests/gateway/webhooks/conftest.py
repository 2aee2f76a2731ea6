"""A gateway whose connections take webhooks, and what signs them."""

import base64
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from adapters.simulated_webhooks import signed
from tests.harness import AUTH, Gateway, Upstream, configuration, running_gateway

SECRET = "whsec_" + base64.b64encode(b"a webhook secret of the tests").decode()
OLD_SECRET = "whsec_" + base64.b64encode(b"the secret before the rotation").decode()
HEADER = {"secret": "plain-secret", "scheme": "header", "header": "X-Signature", "prefix": "sha256="}


@pytest.fixture
def gateway(upstream: Upstream, tmp_path: Path) -> Iterator[Gateway]:
    vainu = configuration(upstream.url, tmp_path)["connections"]["acme"]["vainu"]
    webhooks = {"hmac": [{"secret": SECRET}, {"secret": OLD_SECRET}, HEADER], "api_keys": ["webhook-api-key"]}
    connections = {"acme": {"webhooks": webhooks}, "globex": {"webhooks": webhooks, "vainu": vainu}}
    with running_gateway(configuration(upstream.url, tmp_path, connections=connections)) as running:
        yield running


def send(
    gateway: Gateway,
    body: Any,
    *,
    connection: str = "acme",
    message_id: str = "msg_1",
    secret: str = SECRET,
    at: int | None = None,
    **changed: str,
) -> httpx.Response:
    """A webhook signed by Standard Webhooks; `changed` replaces headers (underscores for dashes)."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = signed(secret, message_id, int(time.time()) if at is None else at, content)
    headers |= {name.replace("_", "-"): value for name, value in changed.items()}
    # no API key: the signature alone admits
    return httpx.post(
        f"{gateway.url}/crm/{connection}/webhooks",
        content=content,
        headers={"Content-Type": "application/json", **headers},
        trust_env=False,
        timeout=15,
    )


def customer_data(upstream: Upstream) -> list[dict[str, Any]]:
    """What the simulated Vainu holds."""
    found = upstream.records("vainu")
    rows = found["customer_data"] if isinstance(found, dict) else found
    return list(rows.values()) if isinstance(rows, dict) else list(rows)


__all__ = ["AUTH", "HEADER", "OLD_SECRET", "SECRET", "customer_data", "gateway", "send"]

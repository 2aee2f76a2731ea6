"""A gateway whose work fails or waits on purpose, and the command line beside it."""

from pathlib import Path
from typing import Any

import pytest

from tests.gateway.cli.conftest import command
from tests.harness import Upstream, configuration, toml

__all__ = ["command"]

HOOK_KEY = "webhook-key-for-tests-0123456789"


@pytest.fixture
def document(upstream: Upstream, tmp_path: Path) -> dict[str, Any]:
    """`acme` takes webhooks by an API key, and gives up after two attempts."""
    acme = {
        "webhooks": {"api_keys": [HOOK_KEY]},
        "export": {"budget_ms": 1_500, "settle_seconds": 0},
        "deliveries": {"max_attempts": 2},
    }
    return configuration(upstream.url, tmp_path, server={"drain_seconds": 0}, connections={"acme": acme})


@pytest.fixture
def config(document: dict[str, Any], tmp_path: Path) -> Path:
    """The same as a file, for commands."""
    path = tmp_path / "gateway.toml"
    path.write_text(toml(document), encoding="utf-8")
    return path

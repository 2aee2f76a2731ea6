"""The whole document as somebody outside would try it: schemathesis' own command line, every check on."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness import AUTH, KEY, OPERATOR, Gateway, configuration, running_gateway, running_upstream

NOBODY_WAITS = {"requests_per_second": 1_000_000, "failed_signins_per_minute": 1_000_000}
SECONDS = 25
"""What fuzzing and sequences of calls may take; the examples and the edges of every schema are always gone through."""


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    webhooks = {name: {"webhooks": {"api_keys": [KEY]}} for name in ("acme", "globex")}
    with (
        running_upstream() as upstream,
        running_gateway(configuration(upstream.url, tmp_path, server=NOBODY_WAITS, connections=webhooks)) as running,
    ):
        yield running


BY_THEMSELVES = ["--phases", "examples,coverage,fuzzing"]
IN_SEQUENCE = ["--phases", "stateful"]
HOOKS = {"SCHEMATHESIS_HOOKS": "tests.gateway.openapi.distinct_rows", "PYTHONPATH": str(Path(__file__).parents[3])}


@pytest.mark.timeout(180)
@pytest.mark.parametrize("phases", [BY_THEMSELVES, IN_SEQUENCE], ids=["by themselves", "in sequence"])
def test_every_operation_stands_every_check(gateway: Gateway, tmp_path: Path, phases: list[str]) -> None:
    """Examples, edges of the schemas, fuzzing and sequences, on every operation: no check fails."""
    headers = [each for name, value in {**AUTH, **OPERATOR}.items() for each in ("-H", f"{name}: {value}")]
    bounds = ["--max-examples", "3", "--max-time", str(SECONDS)]
    schemathesis = str(Path(sys.executable).with_name("schemathesis"))
    done = subprocess.run(
        [schemathesis, "run", f"{gateway.url}/openapi.json", *headers, *phases, *bounds, "--checks", "all",
         "--seed", "1", "--continue-on-failure", "--no-color", "--warnings", "off", "--generation-database", "none"],
        cwd=tmp_path,
        env={**os.environ, **HOOKS},
        capture_output=True,
        text=True,
        check=False,
        timeout=170,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-6_000:] + done.stderr[-2_000:]
    assert "Failures" not in done.stdout
    operations = done.stdout.partition("Operations:")[2].split()
    assert operations[0] == operations[3], "an operation was left out"

"""The README's trial without an account: its tables and its calls, as a reader types them."""

import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest

from adapters.vainu.simulator import FAKE_API_KEY
from gateway.simulators import describe
from tests.harness import KEY, Upstream, merged, running_gateway

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def _blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.DOTALL | re.MULTILINE)


def _document(upstream: str, folder: Path) -> dict[str, Any]:
    sample, trial = (tomllib.loads(block) for block in _blocks("toml")[:2])
    document = merged(merged(sample, trial), {"storage": {"url": f"sqlite:///{folder / 'gateway.db'}"}})
    for system in ("apptivo", "vainu"):
        table = document["connections"]["acme"][system]
        table["base_url"] = table["base_url"].replace("http://127.0.0.1:8090", upstream)
    document["connections"]["acme"]["auth"]["api_keys"] = [KEY]
    document["connections"]["acme"]["vainu"]["api_key"] = FAKE_API_KEY
    document["connections"]["acme"]["webhooks"] = {"hmac": [{"secret": "hook"}]}
    document["operator"]["tokens"] = ["operator"]
    return document


@pytest.mark.skipif(shutil.which("curl") is None, reason="the machine has no curl, which nothing else needs")
def test_its_calls_export_a_company_and_show_its_feed(upstream: Upstream, tmp_path: Path) -> None:
    """The two lines of curl, pasted into a shell, make customer 1090590 and answer its feed."""
    lines = [line for block in _blocks("sh") for line in block.splitlines() if line.startswith("curl ")]
    with running_gateway(_document(upstream.url, tmp_path)) as gateway:
        answers = [
            subprocess.run(
                ["/bin/sh", "-c", line.replace("http://127.0.0.1:8080", gateway.url)],
                env={"ACME_VAINU_KEY": KEY, "PATH": "/usr/bin:/bin", "NO_PROXY": "127.0.0.1"},
                capture_output=True,
                text=True,
                timeout=20,
                check=True,
            ).stdout
            for line in lines
        ]
    assert len(answers) == 2
    assert '"unique_id":"1090590","status":"created"' in answers[0]
    assert answers[1].startswith('[{"id":"apptivo-')


def test_its_keys_are_those_that_simulate_prints() -> None:
    """The trial's addresses and keys are the simulators' own, at the port that `gateway simulate` has."""
    printed = describe("http://127.0.0.1:8090")
    trial = tomllib.loads(_blocks("toml")[1])["connections"]["acme"]
    for value in (
        *(trial["apptivo"][key] for key in ("base_url", "api_key", "access_key")),
        trial["vainu"]["base_url"],
    ):
        assert value in printed

"""An adapter in a package of its own, the example of CONTRIBUTING's recipe, installed and serving in a real gateway."""

import importlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adapters.serving import serving
from tests.harness import KEY, Gateway, gateway_process

EXAMPLE = Path(__file__).parent / "example_adapter"
INSTALL = 'import setuptools; setuptools.setup(script_args=["egg_info", "--egg-base", "{0}", "build_py", "-d", "{0}"])'
"""setuptools' own steps of an installation, without pip, which would ask a package registry for the dependencies."""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what `pip install` puts into site-packages: the modules, and the metadata with the entry point."""
    source = tmp_path_factory.mktemp("source") / "example_adapter"
    shutil.copytree(EXAMPLE, source, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info", "build", "tests"))
    folder = tmp_path_factory.mktemp("site-packages")
    command = [sys.executable, "-c", INSTALL.format(folder)]
    done = subprocess.run(command, cwd=source, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def tinycrm(installed: Path) -> Iterator[str]:
    """The simulated TinyCRM, running."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(installed)
        simulator = importlib.import_module("tinycrm.simulator")
    with serving(simulator.simulator()) as url:
        yield url


@pytest.fixture(scope="module")
def gateway(installed: Path, tinycrm: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway process that finds TinyCRM's package on its path."""
    folder = tmp_path_factory.mktemp("gateway")
    document: dict[str, Any] = {
        "storage": {"url": f"sqlite:///{folder / 'gateway.db'}"},
        "connections": {
            "tiny": {
                "crm": "tinycrm",
                "timezone": "Europe/Helsinki",
                "auth": {"api_keys": [KEY]},
                "tinycrm": {"base_url": tinycrm, "api_key": "tinycrm-demo-key"},
            }
        },
    }
    with gateway_process(document, folder) as process:
        running = process.start(environ={"PYTHONPATH": str(installed)})
        with running.http:
            yield running


def test_the_package_brings_its_notes_and_its_entry_point(installed: Path) -> None:
    """What gets installed holds the adapter's NOTES.md and the entry point that the gateway looks for."""
    assert (installed / "tinycrm" / "NOTES.md").is_file()
    [entry_points] = installed.glob("*.egg-info/entry_points.txt")
    assert entry_points.read_text().split() == ["[vainu_gateway.adapters]", "tinycrm", "=", "tinycrm:SPEC"]


def test_an_installed_adapter_takes_exports_and_serves_feeds(gateway: Gateway) -> None:
    """A push becomes one customer of TinyCRM, a repeat updates it, and its timeline comes back as a feed."""
    body = {"company_name": "Kontrakti Oy", "business_id": "2822996-6", "country": "FI"}

    first, again = gateway.push("tiny", body), gateway.push("tiny", body)
    feed = gateway.feed("tiny", first.json()["unique_id"])

    assert (first.status_code, again.status_code) == (201, 200), (first.text, again.text)
    assert again.json()["unique_id"] == first.json()["unique_id"]
    assert [(event["id"].rpartition("-")[0], event["timestamp"], event["type"]) for event in feed.json()] == [
        ("tinycrm-deal", "2026-05-06T00:00:00.000Z", "won"),
        ("tinycrm-call", "2026-05-04T04:11:00.000Z", "call"),
        ("tinycrm-note", "2018-05-04T07:11:26.000Z", "note"),
    ]


def test_its_settings_are_checked_like_the_built_in_ones(installed: Path, tmp_path: Path) -> None:
    """A fault in the adapter's own table, and in its field table, is named with its path; exit 2."""
    config = tmp_path / "gateway.toml"
    config.write_text(
        '[connections.tiny]\ncrm = "tinycrm"\nauth.api_keys = ["k"]\nexport.fields = { nme = "company_name" }\n'
        '[connections.tiny.tinycrm]\nbase_url = "http://crm.example.com"\nkey = "x"\n'
    )
    command = [sys.executable, "-m", "gateway", "check", "--offline", "--config", str(config)]
    root = Path(__file__).parents[1]
    done = subprocess.run(
        command, cwd=root, env={"PYTHONPATH": str(installed)}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    for path in ("tinycrm.api_key: is required", "tinycrm.key: unknown key", "export.fields.nme: unknown field"):
        assert f"connections.tiny.{path}" in done.stderr

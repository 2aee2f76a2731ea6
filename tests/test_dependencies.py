"""What can be audited of the dependencies without the internet: that exactly what was pinned is what runs.

Known vulnerabilities cannot: their lists are on the internet. `deploy/SECURITY.md` has the command for that.
"""

import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
LOCKS = {name: ROOT / "deploy" / name for name in ("requirements.lock", "requirements-dev.lock")}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def entries(lock: Path) -> list[str]:
    """One text for each pinned distribution, with its hashes."""
    text = re.sub(r"\\\n\s*", " ", lock.read_text(encoding="utf-8"))
    return [line for line in text.splitlines() if line.strip() and not line.startswith("#")]


def pinned(lock: Path) -> dict[str, Requirement]:
    """What the lock pins for this machine, by name."""
    found = [Requirement(entry.partition(" --hash")[0].strip()) for entry in entries(lock)]
    environment = dict(default_environment())
    wanted = [each for each in found if each.marker is None or each.marker.evaluate(environment)]
    return {canonicalize_name(each.name): each for each in wanted}


@pytest.mark.parametrize("name", LOCKS)
def test_every_distribution_is_pinned_by_its_hashes(name: str) -> None:
    """Each line is one version, from no address of its own, with SHA-256 hashes: nothing else can be installed."""
    for entry in entries(LOCKS[name]):
        requirement = Requirement(entry.partition(" --hash")[0].strip())
        assert [each.operator for each in requirement.specifier] == ["=="], entry[:80]
        assert requirement.url is None
        hashes = re.findall(r"--hash=(\w+):([0-9a-f]+)", entry)
        assert hashes, entry[:80]
        assert {(kind, len(digest)) for kind, digest in hashes} == {("sha256", 64)}
        assert not re.search(r"https?://|git\+|file:|--index|--extra-index|--trusted-host", entry)


def test_both_locks_pin_the_same_versions() -> None:
    """What is tested is what is deployed."""
    deployed, tested = pinned(LOCKS["requirements.lock"]), pinned(LOCKS["requirements-dev.lock"])
    assert {name: str(each.specifier) for name, each in deployed.items()} == {
        name: str(tested[name].specifier) for name in deployed
    }


def test_the_locks_hold_what_the_project_asks_for() -> None:
    """Every dependency of pyproject.toml is pinned at a version that it admits."""
    asked = {"requirements.lock": PROJECT["dependencies"]}
    extras = PROJECT["optional-dependencies"]
    asked["requirements-dev.lock"] = [*PROJECT["dependencies"], *extras["dev"], *extras["otel"]]
    for name, wanted in asked.items():
        found = pinned(LOCKS[name])
        for each in map(Requirement, wanted):
            (pin,) = found[canonicalize_name(each.name)].specifier
            assert each.specifier.contains(pin.version, prereleases=True), each


def test_what_is_installed_is_what_is_pinned() -> None:
    """The environment of the tests holds the locked versions, and nothing that they do not know but what installs."""
    locked = {name: next(iter(each.specifier)).version for name, each in pinned(LOCKS["requirements-dev.lock"]).items()}
    installed = {canonicalize_name(each.metadata["Name"]): each.version for each in metadata.distributions()}
    assert {name: installed.get(name) for name in locked} == locked
    assert installed.keys() - locked.keys() <= {"pip", "setuptools", "wheel", canonicalize_name(PROJECT["name"])}


def test_no_requirement_of_a_requirement_is_broken() -> None:
    """`pip check`: what is installed fits together."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=50)
    assert done.returncode == 0, done.stdout

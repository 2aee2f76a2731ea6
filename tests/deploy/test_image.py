"""The image: what its Dockerfile says, and that its commands do what they are there for."""

import os
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.settings import load
from tests.deploy import dockerfile
from tests.deploy.installed import DEPLOY, ROOT, Installed, Running, account, configure, free_port, running
from tests.harness import Upstream, client

DOCKERFILE = dockerfile.read(DEPLOY / "Dockerfile")
LAST = max(each.stage for each in DOCKERFILE)
FINAL = [each for each in DOCKERFILE if each.stage == LAST]


def the(word: str) -> dockerfile.Instruction:
    (found,) = [each for each in FINAL if each.word == word]
    return found


def test_everything_it_installs_is_pinned_by_hash() -> None:
    """Dependencies come by the lock's hashes, as wheels; our own package brings none and builds with what is pinned."""
    installs = [
        each.rest for each in DOCKERFILE if each.word == "RUN" and " install " in each.rest and "pip" in each.rest
    ]
    first, second = installs
    assert "--require-hashes" in first
    assert "--only-binary :all:" in first
    assert "--requirement deploy/requirements.lock" in first
    assert "--no-deps --no-build-isolation ." in second
    lock = (DEPLOY / "requirements.lock").read_text()
    pins = re.split(r"\n(?=[a-z0-9])", lock.strip())
    assert all("--hash=sha256:" in pin for pin in pins if not pin.startswith("#"))


def test_the_base_image_can_be_pinned_by_its_digest() -> None:
    """Both stages are of one image, which is an argument; the head of the file says how to get its digest."""
    froms = [each.rest for each in DOCKERFILE if each.word == "FROM"]
    assert froms == ["${PYTHON_IMAGE} AS build", "${PYTHON_IMAGE}"]
    (image,) = [each.rest for each in DOCKERFILE if each.word == "ARG"]
    assert re.fullmatch(r"PYTHON_IMAGE=python:3\.\d+-slim", image)
    assert "@sha256:" in (DEPLOY / "Dockerfile").read_text().partition("\nARG")[0]


def test_it_runs_as_nobody_in_particular() -> None:
    """A user by number, as Kubernetes' runAsNonRoot wants it, and the same in the manifests."""
    assert the("USER").rest == "10001:10001"
    assert "runAsUser: 10001" in (DEPLOY / "kubernetes" / "deployment.yaml").read_text()
    assert the("STOPSIGNAL").rest == "SIGTERM"


def test_the_builder_gets_only_what_it_copies() -> None:
    """Nothing but what COPY names passes Dockerfile.dockerignore: no store, no secret, no history."""
    lines = (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    let_in = {rule[1:] for rule in rules if rule.startswith("!")}
    copied = {
        name
        for each in DOCKERFILE
        if each.word == "COPY" and "--from" not in each.rest
        for name in each.rest.split()[:-1]
    }
    assert copied == let_in
    assert all((ROOT / name).exists() for name in copied)


def test_the_wheel_holds_every_file_of_the_packages(installed: Installed) -> None:
    """Templates, notes, migrations, types: whatever is tracked is installed, as it is."""
    names = subprocess.run(
        ["git", "ls-files", "gateway", "adapters"],  # noqa: S607 - git is on the path of a developer
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    assert len(names) > 200
    assert [name for name in names if not (installed.site / name).is_file()] == []
    assert all((installed.site / name).read_bytes() == (ROOT / name).read_bytes() for name in names)


@pytest.fixture
def container(installed: Installed, upstream: Upstream, place: Path) -> Iterator[tuple[Running, dict[str, str]]]:
    """ENTRYPOINT and CMD with the image's variables, and its port moved to a free one."""
    port = free_port()
    config = configure(place / "etc", f"sqlite:///{place}/data/gateway.db", upstream.url, port)
    environ = {
        **dockerfile.variables(FINAL),
        **installed.environ(),
        "GATEWAY_CONFIG": str(config),
        "HOME": "/nonexistent",
    }
    words = [*the("ENTRYPOINT").words(), *the("CMD").words()]
    assert (words[-4:], the("EXPOSE").rest) == (["--host", "0.0.0.0", "--port", "8080"], "8080")  # noqa: S104 - what a container listens on
    words[-4:] = ["--host", "127.0.0.1", "--port", str(port)]
    with running(installed.command(words), environ, place / "data", place / "log", port) as service:
        yield service, environ


def test_its_command_serves_and_its_health_check_sees_it(
    container: tuple[Running, dict[str, str]], installed: Installed, place: Path
) -> None:
    """An export works; the health check says 0 while it is ready, 1 while it drains and once it is gone."""
    service, environ = container
    check = the("HEALTHCHECK").words()
    check[-1] = check[-1].replace("8080", service.url.rpartition(":")[2])

    def checked() -> int:
        done = subprocess.run(
            installed.command(check), env=environ, cwd="/", capture_output=True, check=False, **account()
        )
        return done.returncode

    with client(service.url) as http:
        answer = http.post("/vainu/acme/exports", json={"company_name": "Kontti Oy", "country": "FI"})
        assert answer.status_code == 201
        assert http.get(f"/vainu/acme/activities/{answer.json()['unique_id']}").status_code == 200
        assert http.get("/docs").status_code == 200
    assert checked() == 0
    service.process.terminate()
    assert checked() == 1
    assert service.process.wait(_grace()) == 0
    assert checked() == 1
    written = {str(path.relative_to(place)) for path in place.rglob("*") if path.is_file() and "etc" not in path.parts}
    assert written <= {"log", "data/gateway.db", "data/gateway.db-wal", "data/gateway.db-shm"}
    assert (place / "data" / "gateway.db").stat().st_mode & 0o777 == 0o600
    assert "Traceback" not in service.log.read_text()


def _grace() -> float:
    """compose's stop_grace_period; Kubernetes' and systemd's are compared with it elsewhere."""
    found = re.search(r"stop_grace_period: (\d+)s\n  networks", (DEPLOY / "compose" / "compose.yaml").read_text())
    assert found
    return float(found[1])


def test_the_example_configuration_is_good(installed: Installed, place: Path, upstream: Upstream) -> None:
    """`gateway check --offline` takes it; every stop is given more time than it takes to drain."""
    config = configure(place / "etc", "postgresql://gateway:secret@db/gateway", upstream.url, 8080)
    command = installed.command(["gateway", "check", "--offline", "--config", str(config)])
    done = subprocess.run(command, env=installed.environ(), capture_output=True, text=True, cwd="/", check=False)
    assert done.returncode == 0, done.stderr
    assert "secret@" not in done.stdout
    settings = load(config, dict(os.environ))
    document = tomllib.loads((DEPLOY / "gateway.example.toml").read_text())
    assert settings.server.drain_seconds == document["server"]["drain_seconds"] < _grace() - 10
    assert settings.server.drain_notice_seconds >= 2

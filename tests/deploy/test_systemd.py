"""The unit: systemd's own checks, and its commands run as it would run them."""

import re
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from tests.deploy import unit
from tests.deploy.installed import DEPLOY, ETC, Installed, configure, free_port, running
from tests.deploy.test_image import _grace
from tests.harness import Upstream, wait_until

FILE = DEPLOY / "systemd" / "vainu-gateway.service"
UNIT = unit.read(FILE)
EXPOSURE = 2.0
"""Of 10; a service that nobody hardened has 9.6."""

needs_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd-analyze")


def analyze(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, check=False)  # noqa: S607 - its place is the distribution's


@needs_systemd
def test_systemd_can_read_it(tmp_path: Path) -> None:
    """`systemd-analyze verify` has nothing to say, once the program is where the unit says."""
    copy = tmp_path / FILE.name
    copy.write_text(FILE.read_text().replace(UNIT.command("ExecStart")[0], "/bin/true"))
    done = analyze("verify", "--man=no", str(copy))
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@needs_systemd
def test_it_is_hardened() -> None:
    """`systemd-analyze security` finds little that a broken gateway could do to its machine."""
    done = analyze("security", "--offline=yes", "--no-pager", str(FILE))
    found = re.search(r"Overall exposure level for \S+: ([\d.]+)", done.stdout)
    assert found, done.stderr
    assert float(found[1]) <= EXPOSURE


def test_its_user_is_made_by_sysusers() -> None:
    """The user that the unit names is the one that vainu-gateway.sysusers makes, with the unit's folder as home."""
    (line,) = [
        each for each in (DEPLOY / "systemd" / "vainu-gateway.sysusers").read_text().splitlines() if each[:1] == "u"
    ]
    assert line.split()[1] == UNIT.one("Service", "User") == UNIT.one("Service", "Group")
    assert line.split()[-1] == UNIT.one("Service", "WorkingDirectory")
    assert UNIT.one("Service", "WorkingDirectory").endswith(f"/{UNIT.one('Service', 'StateDirectory')}")


def test_its_commands_start_reload_and_stop_a_gateway(installed: Installed, upstream: Upstream, place: Path) -> None:
    """READY=1 comes, HUP puts a changed file into force, TERM ends it within TimeoutStopSec."""
    port = free_port()
    config = configure(place / "etc", f"sqlite:///{place}/data/gateway.db", upstream.url, port)
    start = [word.replace(ETC, str(place / "etc")) for word in UNIT.command("ExecStart")]
    assert UNIT.one("Service", "Type") == "notify"
    notify = place / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(notify))
        notify.chmod(0o777)
        manager.settimeout(30)
        environ = {
            **installed.environ(),
            **dict(each.split("=", 1) for each in UNIT.sections["Service"]["Environment"]),
            "NOTIFY_SOCKET": str(notify),
        }
        with running(installed.command(start), environ, place / "data", place / "log", port) as service:
            assert manager.recv(100) == b"READY=1"
            config.write_text(config.read_text().replace("drain_notice_seconds = 2 ", "drain_notice_seconds = 1 "))
            reload = [word.replace("$MAINPID", str(service.process.pid)) for word in UNIT.command("ExecReload")]
            subprocess.run(reload, check=True)
            wait_until(lambda: "config.reloaded" in service.log.read_text(), "the new configuration is in force")
            service.process.terminate()
            assert service.process.wait(float(UNIT.one("Service", "TimeoutStopSec"))) == 0
    assert "Traceback" not in service.log.read_text()


def test_a_stop_has_as_much_time_as_elsewhere() -> None:
    """systemd, compose and Kubernetes give the same time."""
    deployment = (DEPLOY / "kubernetes" / "deployment.yaml").read_text()
    assert f"terminationGracePeriodSeconds: {_grace():.0f}\n" in deployment
    assert float(UNIT.one("Service", "TimeoutStopSec")) == _grace()


def test_a_wrong_configuration_is_not_started_again(installed: Installed, place: Path) -> None:
    """The exit code that the unit excepts from restarting is the one that `gateway serve` ends with then."""
    command = installed.command(["gateway", "serve", "--config", str(place / "nowhere.toml")])
    done = subprocess.run(command, env=installed.environ(), capture_output=True, cwd="/", check=False)
    assert str(done.returncode) == UNIT.one("Service", "RestartPreventExitStatus")

"""As much of systemctl as the runbook uses, for machines where systemd does not run: it runs the unit's own commands.

Started as a program of that name. ROOT is the folder in which the runbook's places are.
"""

import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from tests.deploy import unit

ROOT = Path(os.environ["RUNBOOK_ROOT"])
MOVED = ("/opt/vainu-gateway", "/etc/vainu-gateway", "/var/lib/vainu-gateway")


def main(action: str, *names: str) -> None:
    """One action on the units named."""
    for name in (name for name in names if not name.startswith("--")):
        service = Service(name.removesuffix(".service"))
        if not service.file.exists() and name == "caddy":
            continue  # the distribution's own unit, which is not here
        if action in ("stop", "restart"):
            service.stop()
        if action in ("enable", "start", "restart"):
            service.start()
        if action == "reload":
            service.reload()


class Service:
    """A unit that was installed, and its process."""

    def __init__(self, name: str) -> None:
        self.file = ROOT / f"etc/systemd/system/{name}.service"
        self._pid = ROOT / f"{name}.pid"

    def start(self) -> None:
        """Start it, and wait for READY=1."""
        found = unit.read(self.file)
        environ = dict(each.split("=", 1) for each in found.sections["Service"]["Environment"])
        address = ROOT / "notify"
        address.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager, (ROOT / "journal").open("ab") as journal:
            manager.bind(str(address))
            manager.settimeout(40)
            process = subprocess.Popen(
                [moved(word) for word in found.command("ExecStart")],
                cwd=moved(found.one("Service", "WorkingDirectory")),
                env={**os.environ, **environ, "NOTIFY_SOCKET": str(address)},
                stdin=subprocess.DEVNULL,
                stdout=journal,
                stderr=journal,
                start_new_session=True,
            )
            self._pid.write_text(str(process.pid))
            assert manager.recv(100) == b"READY=1"

    def stop(self) -> None:
        """TERM; KILL, and a failure, after TimeoutStopSec."""
        if not self._pid.exists():
            return
        pid, give_up = (
            int(self._pid.read_text()),
            time.monotonic() + float(unit.read(self.file).one("Service", "TimeoutStopSec")),
        )
        self._pid.unlink()
        os.kill(pid, signal.SIGTERM)
        while lives(pid):
            if time.monotonic() > give_up:
                os.kill(pid, signal.SIGKILL)
                sys.exit(f"{self.file.stem} did not stop in time")
            time.sleep(0.05)

    def reload(self) -> None:
        """The unit's ExecReload."""
        command = unit.read(self.file).one("Service", "ExecReload").replace("$MAINPID", self._pid.read_text())
        subprocess.run(shlex.split(command), check=True)


def moved(word: str) -> str:
    """A word of the unit, with the runbook's places in ROOT."""
    return f"{ROOT}{word}" if word.startswith(MOVED) else word


def lives(pid: int) -> bool:
    """Whether a process runs; one that only waits to be buried does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


if __name__ == "__main__":
    main(*sys.argv[1:])

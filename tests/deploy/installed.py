"""The product as deployment installs it, and services started as systemd or a container starts them, as far as it goes.

The wheel is built from the tracked files and unpacked beside nothing else; what it needs comes from the present
environment. Where the tests run as root, services run as `nobody`, and cannot write but where they are told to.
"""

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from adapters.apptivo.simulated_firm import DEMO_ACCESS_KEY, DEMO_API_KEY
from adapters.vainu.simulator import FAKE_API_KEY
from tests.harness import KEY, wait_until

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
ETC = "/etc/vainu-gateway"
OPERATOR_TOKEN = "operator-token-for-tests"
HOOK = "whsec_aG9vay1zZWNyZXQtb2YtdGhlLXRlc3Rz"
SECRETS = {
    "operator_token": OPERATOR_TOKEN,
    "acme_vainu_key": KEY,
    "acme_apptivo_api_key": DEMO_API_KEY,
    "acme_apptivo_access_key": DEMO_ACCESS_KEY,
    "acme_vainu_api_key": FAKE_API_KEY,
    "acme_hook": HOOK,
}
"""What the example configuration asks for, but for the store's address."""


@contextlib.contextmanager
def open_folder() -> Iterator[Path]:
    """A new folder that every user may look into, gone at the end; pytest's own are for their owner only."""
    folder = Path(tempfile.mkdtemp(prefix="gateway-deploy-", dir=os.environ.get("PYTEST_DEBUG_TEMPROOT")))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def account() -> dict[str, Any]:
    """Options of subprocess for an unprivileged user; none where we are unprivileged ourselves."""
    return {"user": "nobody", "group": pwd.getpwnam("nobody").pw_gid, "extra_groups": []} if os.geteuid() == 0 else {}


@dataclass(frozen=True)
class Installed:
    """The wheel, unpacked."""

    site: Path
    script: Path
    python: str

    def command(self, words: Sequence[str]) -> list[str]:
        """A command of a unit or an image, run by the interpreter that is here."""
        program, *rest = words
        if Path(program).name == "gateway":
            return [self.python, str(self.script), *rest]
        assert program == "python", f"nobody has told what {program} is"
        return [self.python, *rest]

    def environ(self) -> dict[str, str]:
        """Where the interpreter finds the wheel and, after it, what it needs."""
        path = os.pathsep.join([str(self.site), sysconfig.get_paths()["purelib"]])
        return {"PATH": "/usr/bin:/bin", "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONSAFEPATH": "1"}


def check_out(folder: Path) -> None:
    """The tracked files that an installation needs, at another place."""
    names = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout  # noqa: S607 - git is on the path of a developer
    for name in names.splitlines():
        if name.startswith(("gateway/", "adapters/", "deploy/")) or name in ("pyproject.toml", "README.md", "LICENSE"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)


def install(folder: Path) -> Installed:
    """Build the wheel of the tracked files, and unpack it."""
    source, site = folder / "src", folder / "site"
    check_out(source)
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--no-compile"]
    subprocess.run([sys.executable, "-m", "pip", "install", *options, "--target", str(site), str(source)], check=True)
    script = site / "bin" / "gateway"
    subprocess.run(["chmod", "-R", "go+rX", str(folder)], check=True)  # noqa: S607 - coreutils
    return Installed(site, script, _interpreter())


def _interpreter() -> str:
    """One that the unprivileged user may run: root's own may lie where nobody else looks."""
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    candidates = [sys.executable, f"/usr/bin/{name}", f"/usr/local/bin/{name}"]
    for candidate in filter(os.path.exists, candidates):
        with contextlib.suppress(OSError):
            done = subprocess.run([candidate, "-c", "import ssl"], check=False, cwd="/", **account())
            if done.returncode == 0:
                return candidate
    raise AssertionError(f"no user but root can run any of {candidates}")


def configure(etc: Path, database_url: str, upstream: str, port: int) -> Path:
    """The example configuration at another place, with the simulators in place of the remote systems; its file."""
    text = (DEPLOY / "gateway.example.toml").read_text().replace(ETC, str(etc))
    for system in ("apptivo", "vainu"):
        table = f"[connections.acme.{system}]\n"
        assert table in text
        text = text.replace(table, f'{table}base_url = "{upstream}/{system}"\n')
    (etc / "secrets").mkdir(parents=True)
    (etc / "gateway.toml").write_text(text.replace("[server]\n", f"[server]\nport = {port}\n", 1))
    for name, value in {**SECRETS, "database_url": database_url}.items():
        (etc / "secrets" / name).write_text(f"{value}\n")
    subprocess.run(["chmod", "-R", "go+rX", str(etc)], check=True)  # noqa: S607 - coreutils
    return etc / "gateway.toml"


def free_port() -> int:
    """A port that nobody has just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Running:
    """A service that runs."""

    process: "subprocess.Popen[bytes]"
    url: str
    log: Path

    def status(self) -> int:
        """What /health/ready answers; 0 without an answer."""
        assert self.process.poll() is None, self.log.read_text()[-2000:]
        with contextlib.suppress(httpx.TransportError):
            return httpx.get(f"{self.url}/health/ready", trust_env=False, timeout=5).status_code
        return 0


@contextlib.contextmanager
def running(command: Sequence[str], environ: Mapping[str, str], data: Path, log: Path, port: int) -> Iterator[Running]:
    """A command as a service of an unprivileged user in the folder `data`, the only one that it may write."""
    data.mkdir(mode=0o700, exist_ok=True)
    if os.geteuid() == 0:
        shutil.chown(data, "nobody", "nogroup" if _has_group("nogroup") else "nobody")
    with log.open("wb") as output:
        options = {"cwd": data, "env": dict(environ), "stdout": output, "stderr": output, **account()}
        process = subprocess.Popen(command, **options)
    try:
        service = Running(process, f"http://127.0.0.1:{port}", log)
        wait_until(lambda: service.status() == 200, "the service is ready", 40)
        yield service
    finally:
        process.kill()
        process.wait()


def _has_group(name: str) -> bool:
    return any(line.startswith(f"{name}:") for line in Path("/etc/group").read_text().splitlines())

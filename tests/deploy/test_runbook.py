"""The runbook, typed by a machine: every block marked `sh`, from the first to the last, in a scratch root.

What is not real: other users (there is only ours), systemd (tests/deploy/systemctl.py runs the unit's commands), the
host name and its certificate, and the remote systems (the simulators). Libraries are found rather than fetched.
"""

import re
import shutil
import stat
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
import yaml

from gateway.settings import load
from tests.deploy.installed import DEPLOY, OPERATOR_TOKEN, ROOT, SECRETS, check_out, free_port
from tests.deploy.proxies import program
from tests.harness import Upstream, wait_until
from tests.postgres import Cluster
from tests.test_documentation import commands, options

TEXT = (DEPLOY / "docs" / "RUNBOOK.md").read_text(encoding="utf-8")
PLACES = (
    "/opt/vainu-gateway",
    "/etc/vainu-gateway",
    "/var/lib/vainu-gateway",
    "/etc/systemd/system",
    "/etc/caddy",
    "/usr/lib/sysusers.d",
)
ASKED = ("acme_apptivo_api_key", "acme_apptivo_access_key", "acme_vainu_api_key")
SESSION = "gw() { runuser"


@dataclass(frozen=True)
class Block:
    """A block of commands, and the headings that it is under."""

    language: str
    chapter: str
    section: str
    text: str


def blocks() -> list[Block]:
    """Every block of the runbook, in order."""
    found, chapter, section = [], "", ""
    for match in re.finditer(r"^(##+) ([^\n]*)$|^```(\w+)\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL):
        if match[1] == "##":
            chapter, section = match[2], ""
        elif match[1]:
            section = match[2]
        else:
            found.append(Block(match[3], chapter, section, match[4]))
    return found


RUN = [block for block in blocks() if block.language == "sh"]
ELSEWHERE = [block for block in blocks() if block.language == "bash"]


@dataclass
class Typist:
    """Types blocks into shells, in a scratch root."""

    root: Path
    port: int
    environ: dict[str, str]
    said: dict[str, str] = field(default_factory=dict)

    def moved(self, text: str) -> str:
        """A block for this root: its places, its port, no other users."""
        for place in PLACES:
            text = re.sub(rf"(?<![\w}}]){place}(?=[/ \n\"'.:]|$)", f"{self.root}{place}", text)
        text = text.replace("sqlite:///" + "/var/lib", f"sqlite:///{self.root}/var/lib")
        text = text.replace("https://gateway.example.com", f"http://127.0.0.1:{self.port}")
        text = text.replace("127.0.0.1:8080", f"127.0.0.1:{self.port}")
        return re.sub(r" --(owner|group)=[\w-]+", "", text)

    def type(self, block: Block) -> str:
        """Run one block, as a session that has begun as the runbook says; its output. AssertionError if it fails."""
        session = next(each for each in RUN if SESSION in each.text)
        stand_ins = (
            "chgrp() { :; }\nchown() { :; }\n"
            'runuser() { shift 3; "$@"; }\n'
            f'systemd-sysusers() {{ command systemd-sysusers --root={self.root} "$@"; }}\n'
        )
        script = f"set -eu -o pipefail\n{stand_ins}{self.moved(session.text)}\n{self.moved(block.text)}"
        done = subprocess.run(
            ["bash", "-c", script],  # noqa: S607 - every Unix has it in its own place
            cwd=self.root / "checkout",
            env=self.environ,
            input="".join(f"{SECRETS[name]}\n" for name in ASKED),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, f"{block.chapter} / {block.section}\n{block.text}\n{done.stdout}\n{done.stderr}"
        self.said[block.text] = done.stdout
        return done.stdout

    def secret(self, name: str) -> str:
        return (self.root / "etc/vainu-gateway/secrets" / name).read_text().strip()

    def change_key(self, value: str) -> None:
        """Put another key of Apptivo's API into force."""
        (self.root / "etc/vainu-gateway/secrets/acme_apptivo_api_key").write_text(value)
        journal = self.root / "journal"
        before = journal.read_text().count("config.reloaded")
        subprocess.run([self.root / "bin" / "systemctl", "reload", "vainu-gateway"], env=self.environ, check=True)
        wait_until(lambda: journal.read_text().count("config.reloaded") > before, "the key is in force")

    def push(self, company: str) -> httpx.Response:
        headers = {"API-Key": self.secret("acme_vainu_key")}
        url = f"http://127.0.0.1:{self.port}/vainu/acme/exports"
        return httpx.post(url, headers=headers, json={"company_name": company}, trust_env=False, timeout=20)


def _libraries(folder: Path) -> Path:
    """What the gateway needs, without the gateway itself."""
    folder.mkdir()
    for entry in Path(sysconfig.get_paths()["purelib"]).iterdir():
        if "vainu_gateway" not in entry.name and entry.suffix != ".pth":
            (folder / entry.name).symlink_to(entry)
    return folder


@pytest.fixture
def typist(tmp_path: Path) -> Iterator[Typist]:
    """A machine on which nothing is installed yet, as far as the runbook's places go."""
    check_out(tmp_path / "checkout")
    for place in PLACES:
        (tmp_path / place.lstrip("/")).parent.mkdir(parents=True, exist_ok=True)
    for place in ("/etc/systemd/system", "/etc/caddy"):
        (tmp_path / place.lstrip("/")).mkdir(parents=True, exist_ok=True)
    systemctl = tmp_path / "bin" / "systemctl"
    systemctl.parent.mkdir()
    systemctl.write_text(
        f'#!/bin/sh\nPYTHONPATH="{ROOT}:$PYTHONPATH" exec {sys.executable} -m tests.deploy.systemctl "$@"\n'
    )
    systemctl.chmod(0o755)
    environ = {
        "PATH": f"{systemctl.parent}:{Path(program('caddy')).parent}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
        "HOME": str(tmp_path),
        "RUNBOOK_ROOT": str(tmp_path),
        "PYTHONPATH": str(_libraries(tmp_path / "libraries")),
        "NO_PROXY": "127.0.0.1",
        "LANG": "C.UTF-8",
    }
    typing = Typist(tmp_path, free_port(), environ)
    try:
        yield typing
    finally:
        subprocess.run([systemctl, "stop", "vainu-gateway"], env=environ, check=True)


def _adapt(typing: Typist, upstream: Upstream) -> None:
    """What an operator edits: their own places, here the simulators'; and shorter waits than people need."""
    config = typing.root / "etc/vainu-gateway/gateway.toml"
    text = typing.moved(config.read_text()).replace("drain_notice_seconds = 2", "drain_notice_seconds = 0.5")
    for system in ("apptivo", "vainu"):
        table = f"[connections.acme.{system}]\n"
        text = text.replace(table, f'{table}base_url = "{upstream.url}/{system}"\n')
    config.write_text(text.replace("[server]\n", f"[server]\nport = {typing.port}\n", 1))


@pytest.mark.timeout(300)
@pytest.mark.skipif(shutil.which("curl") is None, reason="the machine has no curl, which nothing but the runbook needs")
def test_every_command_works(typist: Typist, upstream: Upstream, cluster: Cluster) -> None:
    """From nothing to a gateway on PostgreSQL: installed, upgraded, backed up, restored, every key rotated, moved."""
    failed = None
    for block in RUN:
        if block.chapter == "Install: compose":
            continue
        if block.section == "" and block.chapter == "Find a failed export and replay it" and failed is None:
            typist.change_key("out-of-date")
            failed = typist.push("Epäonninen Oy")
            assert failed.status_code == 502, failed.text
            typist.change_key(SECRETS["acme_apptivo_api_key"])
        if block.chapter == "Move from SQLite to PostgreSQL":
            moved_to = cluster.create_database("runbook")
            (typist.root / "etc/vainu-gateway/secrets/database_url_new").write_text(moved_to)
        typist.type(block)
        if "gateway.example.toml" in block.text:
            _adapt(typist, upstream)

    assert "Runbook Trial Oy" in str(upstream.records("apptivo"))
    assert failed is not None
    names = [str(each) for each in upstream.records("apptivo")["customers"]]
    assert sum("Epäonninen Oy" in name for name in names) == 1, "the replay made it"
    assert typist.push("Runbook Trial Oy").json()["status"] == "updated", "the moved store knows it"
    assert (typist.root / "etc/vainu-gateway/secrets/database_url").read_text() == moved_to
    assert typist.secret("operator_token") != OPERATOR_TOKEN


def test_the_files_for_compose(typist: Typist) -> None:
    """What is typed before compose is started makes a good configuration, and every file that compose mounts."""
    for block in RUN:
        if block.chapter == "Install: compose":
            typist.type(block)
    etc = typist.root / "etc/vainu-gateway"
    compose = yaml.safe_load((DEPLOY / "compose" / "compose.yaml").read_text())
    assert {path.name for path in (etc / "secrets").iterdir()} == set(compose["secrets"])
    assert (
        typist.secret("database_url") == f"postgresql://gateway:{typist.secret('postgres_password')}@postgres/gateway"
    )
    assert stat.S_IMODE((etc / "secrets" / "acme_hook").stat().st_mode) == 0o640
    config = etc / "gateway.toml"
    config.write_text(typist.moved(config.read_text()))
    assert list(load(config).connections) == ["acme"]


def test_secrets_are_for_the_gateway_s_group_only() -> None:
    """Blocks that write secrets set the mask first."""
    for block in RUN:
        if re.search(r"> (acme|operator|database)_\w+$", block.text, re.MULTILINE):
            assert "umask 027" in block.text, block.text


def test_a_rotation_leaves_other_connections_alone(tmp_path: Path) -> None:
    """Each `sed` on the configuration changes the table of the connection that is meant, and no other."""
    other = "\n[connections.globex]\ncrm = 1\n[connections.globex.auth]\napi_keys = [1]\n"
    other += "[connections.globex.webhooks]\nhmac = [2]\napi_keys = [3]\n"
    example = (DEPLOY / "gateway.example.toml").read_text()
    edits = [line for block in RUN for line in block.text.splitlines() if line.startswith("sed -i ")]
    assert len(edits) == 3
    for edit in edits:
        for text in (example + other, other + example):
            config = tmp_path / "gateway.toml"
            config.write_text(text)
            command = re.sub(r"\S+$", str(config), edit)
            subprocess.run(["bash", "-c", command], check=True)  # noqa: S607 - every Unix has it in its own place
            assert other in config.read_text()
            assert config.read_text().count("_previous") == edit.count("_previous")


def _lines(block: Block) -> Iterator[str]:
    yield from (line.strip() for line in block.text.splitlines() if line.strip())


@pytest.mark.parametrize("block", RUN + ELSEWHERE, ids=lambda each: each.text[:30])
def test_every_command_of_the_gateway_exists(block: Block) -> None:
    """`gw …` is a command of the gateway, with options that it has."""
    for line in _lines(block):
        for words in re.findall(r"\bgw ((?:[a-z]\S*|--[a-z-]+|\S+ ?)[^|)#]*)", line):
            name = max((n for n in commands() if f"gateway {words} ".startswith(f"{n} ")), key=len, default="")
            assert name, line
            assert set(re.findall(r"--[a-z-]+", words)) <= options(commands()[name]), line


@pytest.mark.parametrize("block", ELSEWHERE, ids=lambda each: each.text[:30])
def test_what_docker_and_kubectl_are_told_is_there(block: Block) -> None:
    """Files of deploy/ exist, services are those of compose.yaml, the deployment is the one there is."""
    compose = yaml.safe_load((DEPLOY / "compose" / "compose.yaml").read_text())
    for path in re.findall(r"(?<!\S)deploy/[\w./-]+", block.text):
        assert (ROOT / path).exists(), path
    assert set(re.findall(r"\bgateway-\d\b", block.text)) <= set(compose["services"])
    for line in _lines(block):
        if "kubectl" in line:
            assert set(re.findall(r"deployment/(\w+)", line)) <= {"gateway"}
            assert "vainu-gateway" in line or "--kustomize" in line
    subprocess.run(["bash", "-n", "-c", block.text], check=True)  # noqa: S607 - every Unix has it in its own place

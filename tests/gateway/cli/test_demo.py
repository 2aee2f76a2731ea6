"""`gateway demo`: everything shown once, and honestly."""

import asyncio
import resource
import signal
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console

from adapters.crmcom import simulator as crmcom
from gateway.commands.demo import Steps, show
from gateway.commands.demo_config import configuration
from tests.gateway.console.visitor import signed_in
from tests.harness import Upstream, gateway_process, run_command


def test_once(tmp_path: Path) -> None:
    """Every step is marked as done, the feeds are shown, exit 0, and nothing is left behind."""
    ended = run_command("demo", "--once", environ={"TMPDIR": str(tmp_path)})
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "✗" not in ended.stdout
    assert ended.stdout.count("✓") >= 7
    for told in ("Oy Samlink Ab", "unique_id", "created", "updated", "Apptivo", "CRM.COM"):
        assert told in ended.stdout
    assert list(tmp_path.iterdir()) == []


def test_a_step_that_fails(upstream: Upstream, tmp_path: Path) -> None:
    """A CRM that lets nobody in shows as a failed step, and the demo as failed; the other CRM is still shown."""
    config = configuration(upstream.url, tmp_path).replace(crmcom.PASSWORD, "a-wrong-password")
    output = StringIO()
    steps = Steps(Console(file=output, width=200))
    with gateway_process({}, tmp_path) as process:
        process.config.write_text(config)
        with process.start().http as http:
            asyncio.run(show(steps, str(http.base_url).rstrip("/"), upstream.url))
    lines = output.getvalue().splitlines()
    assert not steps.all_worked
    assert any(line.startswith("✓ Vainu pushes Oy Samlink Ab; Apptivo") for line in lines)
    assert any(line.startswith("✗ Vainu pushes Oy Samlink Ab; CRM.COM") for line in lines)


def test_a_full_disk() -> None:
    """A gateway that cannot keep its store is told in plain lines, exit 1."""

    def no_file_above_8_kib() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (8_192, 8_192))

    ended = subprocess.run(
        [sys.executable, "-B", "-m", "gateway", "demo", "--once"],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=no_file_above_8_kib,
        timeout=50,
    )
    assert ended.returncode == 1
    (line,) = ended.stderr.splitlines()
    assert line.startswith("gateway: the gateway did not become ready; it last said: gateway: the store at ")


def test_it_stays_to_be_tried_until_ctrl_c(start: Any) -> None:
    """Without --once it prints what to try, and how to sign in to the console; that works. Ctrl-C ends it all."""
    running = start("demo")
    console, token = running.line_with("the console at").removesuffix("\n").partition("the console at ")[2].split("; ")
    address = running.line_with("/health/ready").split()[-1]
    running.line_with("/_faults")
    assert httpx.get(address, trust_env=False).json()["status"] == "ready"
    assert signed_in(console.removesuffix("/console/"), token.split()[-1]).is_signed_in()
    code, rest = running.end(signal.SIGTERM)
    assert (code, rest) == (0, "")
    try:
        httpx.get(address, trust_env=False)
    except httpx.ConnectError:
        return
    raise AssertionError("the gateway outlived the demo")

"""A configuration file for commands to read, and commands that run on."""

import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
import structlog

from gateway.cli import main
from tests.harness import Upstream, configuration, toml


@pytest.fixture
def config(upstream: Upstream, tmp_path: Path) -> Path:
    """A file with `acme` on Apptivo and `globex` on CRM.COM, on the simulators."""
    path = tmp_path / "gateway.toml"
    path.write_text(toml(configuration(upstream.url, tmp_path, server={"drain_seconds": 0})), encoding="utf-8")
    return path


Command = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Command]:
    """Runs the console script's `main` here and now: as `run_command`, without a new process's second of imports."""
    root = logging.getLogger()
    before = structlog.get_config(), root.handlers[:], root.level
    # a gateway in this process tells of a request once it has answered: never in the output of a command
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.__stderr__))

    def run(
        *arguments: str, folder: Path | None = None, environ: Mapping[str, str] | None = None
    ) -> "subprocess.CompletedProcess[str]":
        with monkeypatch.context() as patch:
            for name in ("GATEWAY_CONFIG", "COLUMNS"):
                patch.delenv(name, raising=False)
            for name, value in (environ or {}).items():
                patch.setenv(name, value)
            if folder is not None:
                patch.chdir(folder)
            patch.setattr(sys, "argv", ["gateway", *arguments])
            capsys.readouterr()
            with pytest.raises(SystemExit) as ended:
                main()
        output = capsys.readouterr()
        return subprocess.CompletedProcess(arguments, int(ended.value.code or 0), output.out, output.err)

    yield run
    structlog.configure(**before[0])
    root.handlers[:], root.level = before[1], before[2]


class Started:
    """A command that runs, with its output."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process

    def line_with(self, text: str) -> str:
        """The next line of stdout or stderr that holds `text`."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if text in line:
                return line
        raise AssertionError(f"the command ended without {text!r}")

    def end(self, number: int) -> tuple[int, str]:
        """Send a signal; the exit code and the rest of the output."""
        self.process.send_signal(number)
        rest, _none = self.process.communicate(timeout=20)
        return self.process.returncode, rest


Start = Callable[..., Started]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts a command in the background; stderr comes with stdout. What still runs at the end is killed."""
    running: list[subprocess.Popen[str]] = []

    def begin(*arguments: str, environ: Mapping[str, str] | None = None, folder: Path | None = None) -> Started:
        surroundings = {key: value for key, value in os.environ.items() if key not in ("GATEWAY_CONFIG", "COLUMNS")}
        process = subprocess.Popen(
            [sys.executable, "-m", "gateway", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=folder,
            env={**surroundings, "PYTHONPATH": str(Path(__file__).parents[3]), **(environ or {})},
        )
        running.append(process)
        return Started(process)

    yield begin
    for process in running:
        process.kill()
        process.communicate(timeout=20)

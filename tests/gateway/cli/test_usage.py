"""Wrong use: exit 2 and one plain line; and what a look at the help costs."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gateway.cli import main
from tests.harness import run_command

COMMANDS = ("serve", "demo", "simulate", "check", "feed", "openapi", "secret")


def _refused(command: Any, *arguments: str) -> str:
    """The one line on stderr, with exit code 2."""
    ended = command(*arguments)
    assert (ended.returncode, ended.stdout) == (2, "")
    (line,) = ended.stderr.splitlines()
    return str(line)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["nope"], "gateway: no such command 'nope'; see gateway --help"),
        (["--nope"], "gateway: no such option: --nope; see gateway --help"),
        (["serve", "--nope"], "gateway: no such option: --nope; see gateway serve --help"),
        (["check", "extra"], "gateway: got unexpected extra argument(s) (extra); see gateway check --help"),
        (["feed"], "gateway: missing argument 'CONNECTION'; see gateway feed --help"),
        (["feed", "acme"], "gateway: missing argument 'UNIQUE_ID'; see gateway feed --help"),
        (["secret"], "gateway: missing command; see gateway secret --help"),
        (["secret", "old"], "gateway: no such command 'old'; see gateway secret --help"),
        (["simulate", "--once"], "gateway: no such option: --once; see gateway simulate --help"),
    ],
)
def test_wrong_use(command: Any, arguments: list[str], line: str) -> None:
    """Told in one line what is wrong, and where the right use is written."""
    assert line == _refused(command, *arguments)


@pytest.mark.parametrize("port", ["abc", "-1", "65536", "1.5", ""])
@pytest.mark.parametrize("name", ["serve", "simulate"])
def test_ports_that_are_none(command: Any, name: str, port: str) -> None:
    """A port is 0 to 65535."""
    line = _refused(command, name, "--port", port)
    assert line.startswith("gateway: invalid value for '--port': ")


@pytest.mark.parametrize("workers", ["0", "65", "two"])
def test_numbers_of_workers_that_are_none(command: Any, workers: str) -> None:
    """One worker at least, and no more than a machine could use."""
    assert "'--workers'" in _refused(command, "serve", "--workers", workers)


def test_wrong_use_of_the_process() -> None:
    """`python -m gateway` does as the console script does."""
    ended = run_command("serve", "--nope")
    assert (
        ended.returncode,
        ended.stdout,
        ended.stderr,
    ) == (2, "", "gateway: no such option: --nope; see gateway serve --help\n")


@pytest.mark.parametrize("arguments", [["serve"], ["check"], ["feed", "acme", "1"]])
def test_no_configuration(command: Any, tmp_path: Path, arguments: list[str]) -> None:
    """Every command that needs one says how to name it."""
    ended = command(*arguments, folder=tmp_path)
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert ended.stderr == "gateway: gateway.toml does not exist; name a file with --config or GATEWAY_CONFIG\n"


def test_a_broken_configuration(tmp_path: Path) -> None:
    """All faults, one a line, exit 2; the same from the variable, the option and the default."""
    text = '[server]\nport = "x"\n[connections.acme]\ncrm = "apptivo"\nauth.api_keys = [{ env = "NO_SUCH_KEY" }]\n'
    (tmp_path / "gateway.toml").write_text(text)
    ended = run_command("check", folder=tmp_path)
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert ended.stderr.splitlines() == [
        "gateway: server.port: expected a whole number",
        "gateway: connections.acme.apptivo.api_key: is required",
        "gateway: connections.acme.apptivo.access_key: is required",
        "gateway: connections.acme.auth.api_keys[0]: environment variable NO_SUCH_KEY is not set",
    ]


@pytest.mark.parametrize("way", ["--config", "GATEWAY_CONFIG"])
def test_a_configuration_that_is_named(command: Any, tmp_path: Path, way: str) -> None:
    """An unreadable file is told by the name it was given."""
    if way == "--config":
        ended = command("check", "--config", ".", folder=tmp_path)
    else:
        ended = command("check", folder=tmp_path, environ={"GATEWAY_CONFIG": "."})
    assert (ended.returncode, ended.stderr) == (2, "gateway: . cannot be read: Is a directory\n")


@pytest.mark.parametrize("option", ["--help", None])
def test_help_names_every_command(option: str | None) -> None:
    """`gateway --help` is asked for; `gateway` alone shows the same, but was no use: exit 2."""
    ended = run_command(*([option] if option else []))
    assert ended.returncode == (0 if option else 2)
    assert ended.stderr == ""
    for name in COMMANDS:
        assert f" {name} " in ended.stdout


def test_help_loads_nothing_heavy() -> None:
    """Help is there at once: what the commands need is not imported for it."""
    program = """
import sys
sys.argv = ["gateway", "--help"]
from gateway.cli import main
try:
    main()
except SystemExit as ended:
    assert not ended.code
heavy = {"sqlalchemy", "starlette", "httpx", "aiohttp", "pydantic", "uvicorn", "asyncio"} & set(sys.modules)
sys.stderr.write(" ".join(sorted(heavy)))
"""
    repository = Path(__file__).parents[3]
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=repository, check=False)
    assert ended.stderr == ""
    assert "Usage: gateway" in ended.stdout


def test_a_defect_is_one_line_too(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """What nobody thought of exits 1, shows no traceback and no value, and says how to see more."""

    def defect(**_options: object) -> None:
        raise KeyError("a-secret-value")

    monkeypatch.setattr("gateway.cli.app", defect)
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 1
    assert (
        capsys.readouterr().err
        == "gateway: internal error (KeyError); set GATEWAY_TRACEBACK=1 and run it again to see where\n"
    )


def test_a_reader_that_goes_away() -> None:
    """`gateway … | head -1`: a closed pipe ends the command without a word."""
    repository = Path(__file__).parents[3]
    process = subprocess.Popen(
        [sys.executable, "-m", "gateway", "--help"],
        cwd=repository,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == ""
    assert process.wait(20) == 1
    process.stderr.close()

"""Prometheus' own tool, where there is one."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest


def promtool(*arguments: str, folder: Path) -> str:
    """What it says, having succeeded; without it the test is skipped, but fails where CI is set."""
    program = shutil.which("promtool")
    if program is None:
        missing = "no promtool on the path (Debian has it in the package prometheus)"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    with tempfile.TemporaryDirectory(dir=os.environ.get("PYTEST_DEBUG_TEMPROOT")) as scratch:
        # it makes a database for each case there, and waits for a disk to have it
        options: dict[str, Any] = {"cwd": folder, "env": {**os.environ, "TMPDIR": scratch}, "timeout": 50}
        ended = subprocess.run([program, *arguments], capture_output=True, text=True, check=False, **options)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout

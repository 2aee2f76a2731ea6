"""Prometheus' own tool, where there is one."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest


def promtool(*arguments: str, folder: Path) -> str:
    """What it says, having succeeded; without it the test is skipped, but fails where CI is set."""
    program = shutil.which("promtool")
    if program is None:
        missing = "no promtool on the path (Debian has it in the package prometheus)"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    ended = subprocess.run([program, *arguments], cwd=folder, capture_output=True, text=True, timeout=50, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout

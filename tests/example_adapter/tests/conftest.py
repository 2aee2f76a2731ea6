"""Lets the tests run where the package is not installed: in the gateway's own repository."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

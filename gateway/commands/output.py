"""Where commands print: as wide as the terminal, and wide enough for whole lines in a file or a pipe."""

import os

from rich.console import Console

_WIDTH_WITHOUT_TERMINAL = 160


def console() -> Console:
    """A console on stdout that colours nothing by guessing."""
    found = Console(highlight=False)
    if not found.is_terminal and "COLUMNS" not in os.environ:
        found.width = _WIDTH_WITHOUT_TERMINAL
    return found

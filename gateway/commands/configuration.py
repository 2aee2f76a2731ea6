"""Reading the configuration for a command."""

from pathlib import Path

from gateway.commands.failures import WrongUse
from gateway.settings import InvalidSettings, Settings, config_path, load


def load_settings(option: str | None) -> tuple[Path, Settings]:
    """The file and its settings; `WrongUse` with every fault."""
    path = config_path(option)
    try:
        return path, load(path)
    except InvalidSettings as error:
        raise WrongUse("\n".join(str(fault) for fault in error.faults)) from None


def require_connection(settings: Settings, name: str) -> None:
    """`WrongUse` if the configuration has no such connection."""
    if name not in settings.connections:
        known = ", ".join(sorted(settings.connections)) or "none"
        raise WrongUse(f'unknown connection "{name}"; the configuration has {known}')

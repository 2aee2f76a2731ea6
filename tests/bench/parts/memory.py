"""A process's resident memory, as the kernel counts it."""

from pathlib import Path


def now(pid: int | str = "self") -> int:
    """Bytes now."""
    return _field(pid, "VmRSS")


def peak(pid: int | str = "self") -> int:
    """The most bytes since its program began; getrusage's `ru_maxrss` counts what forked it, too."""
    return _field(pid, "VmHWM")


def _field(pid: int | str, name: str) -> int:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    found = next(line for line in lines if line.startswith(f"{name}:"))
    return int(found.split()[1]) * 1024

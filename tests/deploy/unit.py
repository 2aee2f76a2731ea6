"""Reads a unit of systemd: sections, and keys that may come more than once."""

import shlex
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Unit:
    """Section → key → values, in their order."""

    sections: dict[str, dict[str, list[str]]]

    def one(self, section: str, key: str) -> str:
        """The value of a key that comes once."""
        (value,) = self.sections[section][key]
        return value

    def command(self, key: str) -> list[str]:
        """A command of [Service]."""
        return shlex.split(self.one("Service", key))


def read(path: Path) -> Unit:
    """A unit file."""
    sections: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    section = ""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif line and line[0] not in "#;":
            key, _, value = line.partition("=")
            sections[section][key].append(value)
    return Unit(sections)

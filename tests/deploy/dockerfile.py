"""Reads a Dockerfile as far as ours goes: instructions, continued lines, JSON forms, stages."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_KNOWN = {"ARG", "FROM", "WORKDIR", "RUN", "COPY", "ENV", "USER"}
_KNOWN |= {"EXPOSE", "STOPSIGNAL", "HEALTHCHECK", "ENTRYPOINT", "CMD"}


@dataclass(frozen=True)
class Instruction:
    """One instruction of one stage; stage 0 is before the first FROM."""

    stage: int
    word: str
    rest: str

    def words(self) -> list[str]:
        """The command of its JSON form."""
        found: Any = json.loads(self.rest[self.rest.index("[") :])
        assert isinstance(found, list)
        return [str(word) for word in found]


def read(path: Path) -> list[Instruction]:
    """Every instruction; AssertionError at what is none."""
    text = re.sub(r"^#.*\n", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    lines = [line.strip() for line in re.sub(r"\\\n\s*", "", text).splitlines() if line.strip()]
    found, stage = [], 0
    for line in lines:
        word, _, rest = line.partition(" ")
        assert word in _KNOWN, line
        stage += word == "FROM"
        found.append(Instruction(stage, word, rest.strip()))
    return found


def variables(instructions: list[Instruction]) -> dict[str, str]:
    """What ENV sets."""
    pairs = [pair for each in instructions if each.word == "ENV" for pair in each.rest.split()]
    return dict(pair.split("=", 1) for pair in pairs)

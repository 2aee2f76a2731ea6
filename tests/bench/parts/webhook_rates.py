"""How many webhooks a second several gateways acknowledge, in turn under the same load."""

from collections.abc import Mapping
from functools import partial

from tests.bench.frame.results import Mode, alternated
from tests.bench.parts import load
from tests.bench.parts.signed import PATHS, Supply


def seconds_and_rounds(mode: Mode) -> tuple[float, int]:
    """How long each side gets in a round, and how many rounds there are."""
    return mode.pick(1.0, 5.0), mode.pick(2, 5)


def of(mode: Mode, ports: Mapping[str, int], paths: Mapping[str, list[str]] | None = None) -> dict[str, list[float]]:
    """Acknowledged a second by each side, round by round, once each has been warmed up; `paths` take turns."""
    seconds, rounds = seconds_and_rounds(mode)
    supplies = {side: Supply(paths[side] if paths else PATHS) for side in ports}
    sides = {side: partial(_rate, port, supplies[side], seconds) for side, port in ports.items()}
    for warm in sides.values():
        warm()
    return alternated(rounds, sides)


def _rate(port: int, supply: Supply, seconds: float) -> float:
    return load.run(port, supply.of(seconds), seconds).per_second

"""What each peer's module gives: where the running peer takes webhooks."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """A port on loopback and a path."""

    port: int
    path: str

"""Failures that pass: the same again after a pause, as `gateway.retry` decides, a bounded number of times."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from adapters.contract import RemoteError
from gateway.clock import Clock, now_ms
from gateway.retry import GiveUp, Policy, decide

T = TypeVar("T")

POLICY = Policy(max_attempts=6, max_age_seconds=600, cap_seconds=60)
"""A page fails for good after about a minute of a system that refuses at once: the next sync goes on there."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How failures are waited out; tests bring their own pause."""

    clock: Clock = now_ms
    policy: Policy = POLICY
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep

    async def until_it_works(self, act: Callable[[], Awaitable[T]]) -> T:
        """What `act` gives; its last `RemoteError` once another attempt is not worth it."""
        began, attempts = self.clock(), 0
        while True:
            attempts += 1
            try:
                return await act()
            except RemoteError as error:
                failure = error
            if not await self.waited(failure, attempts, began):
                raise failure

    async def waited(self, error: RemoteError, attempts: int, began: int) -> bool:
        """Wait before the next attempt; False at once where there is none."""
        jitter = random.random()  # noqa: S311 - spreads retries, nothing secret
        now = self.clock()
        decided = decide(
            self.policy, error, attempts=attempts, created_at=began, expires_at=None, now=now, jitter=jitter
        )
        if isinstance(decided, GiveUp):
            return False
        await self.pause((decided.at - now) / 1000)
        return True

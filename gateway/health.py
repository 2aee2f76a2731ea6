"""Whether the gateway can accept and keep work, true at the moment of asking (CONTRACT section 9)."""

import asyncio
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from adapters.deadline import Deadline
from adapters.timestamps import render
from gateway.backlog import Backlog
from gateway.clock import Clock
from gateway.runtime import Condition, Runtime
from gateway.store import Store, StoreUnavailable, claims, heartbeat
from gateway.worker import Worker

_FRESH_SECONDS = 0.4
"""A storage check younger than this is not repeated: probes must not become a load."""
_BEAT_LATE_SECONDS = 2.0
"""The worker comes round twice a second, and waits for the store no longer than this."""
_STORAGE_SECONDS = 1.2
"""With `_FRESH_SECONDS` less than 2 s from the moment that the storage fails to the answer that says so."""
_MIN_FREE_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Report:
    """What `/health/ready` answers."""

    ready: bool
    content: Mapping[str, Any]


@dataclass(slots=True)
class Health:
    """Makes the readiness report."""

    store: Store
    worker: Worker
    runtime: Runtime
    clock: Clock
    backlog: Backlog
    draining: bool = False
    _checked_at: float = -1e9
    _stored: dict[str, Any] = field(default_factory=dict)
    _backlog: dict[str, Any] = field(default_factory=dict)
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def report(self) -> Report:
        """The report, at most `_FRESH_SECONDS` old."""
        async with self._lock:
            if time.monotonic() - self._checked_at > _FRESH_SECONDS:
                await self._check_store()
                self._checked_at = time.monotonic()
        checks = {
            "storage": self._stored,
            "worker": self._check_worker(),
            "backlog": self._backlog,
            "disk": self._check_disk(),
        }
        ready = all(check["ok"] for check in checks.values())
        connections = {name: _conditions(live.conditions) for name, live in self.runtime.connections.items()}
        status = "ready" if ready else "not ready"
        return Report(ready, {"status": status, "checks": checks, "connections": connections})

    async def _check_store(self) -> None:
        now, names = self.clock(), list(self.runtime.connections)
        started = time.perf_counter()
        try:
            async with asyncio.timeout(_STORAGE_SECONDS):
                # what a store that hangs is not done with by then needs no doing later
                by = Deadline.after(_STORAGE_SECONDS)
                await self.store.write(lambda c: heartbeat.beat(c, now), deadline=by)
                due = await self.store.read(lambda c: claims.oldest_due(c, now, names))
                removed = await self.backlog.without_connection()
        except (StoreUnavailable, TimeoutError) as error:
            detail = str(error) or f"no answer within {_STORAGE_SECONDS} s"
            self._stored = {"ok": False, "detail": detail}
            self._backlog = {"ok": True, "detail": "unknown while the storage does not answer"}
            return
        self._stored = {"ok": True, "write_ms": round((time.perf_counter() - started) * 1000, 1)}
        self._backlog = {"ok": True, "oldest_due_seconds": 0.0 if due is None else max(0, now - due) / 1000}
        if removed:
            told = ", ".join(f"{name} ({number})" for name, number in sorted(removed.items()))
            self._backlog["detail"] = f"work waits for connections that the configuration does not have: {told}"

    def _check_worker(self) -> dict[str, Any]:
        age = asyncio.get_running_loop().time() - self.worker.beat_at
        if self.draining:
            return {"ok": False, "heartbeat_seconds": round(age, 1), "detail": "draining: this process is going down"}
        check: dict[str, Any] = {"ok": age < _BEAT_LATE_SECONDS, "heartbeat_seconds": round(age, 1)}
        if not check["ok"]:
            check["detail"] = "the worker does not come round: what is kept is not done; the log may say why"
        return check

    def _check_disk(self) -> dict[str, Any]:
        folder = self.store.folder
        if folder is None:
            return {"ok": True, "detail": "the store is a server; its disk is its own"}
        try:
            free = shutil.disk_usage(folder).free
        except OSError as error:
            return {"ok": False, "detail": f"the store's folder cannot be examined: {error.strerror}"}
        return {"ok": free > _MIN_FREE_BYTES, "free_bytes": free}


def _conditions(conditions: Mapping[str, Condition]) -> dict[str, Any]:
    return {system: _condition(condition) for system, condition in conditions.items()}


def _condition(condition: Condition) -> dict[str, Any]:
    state = "unknown" if condition.last_ok is None and condition.reason is None else "ok"
    return {
        "state": "failing" if condition.reason else state,
        "reason": condition.reason,
        "last_ok": render(condition.last_ok) if condition.last_ok else None,
        "last_failure": render(condition.last_failure) if condition.last_failure else None,
    }

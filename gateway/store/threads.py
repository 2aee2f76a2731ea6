"""Threads for what blocks, that never keep the process from ending: a database may hang, and a drain has its time."""

import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


class DaemonThreads:
    """`number` threads, started when first needed.

    Not `concurrent.futures.ThreadPoolExecutor`: the interpreter waits for its threads at exit, for ever if need be.
    """

    def __init__(self, number: int, name: str) -> None:
        self._number = number
        self._name = name
        self._queue: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._closed = False

    def submit(self, work: Callable[[], T]) -> "Future[T]":
        """Run `work` as soon as a thread is free; RuntimeError after `close`."""
        future: Future[T] = Future()

        def run() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                result = work()
            except BaseException as error:
                future.set_exception(error)
            else:
                future.set_result(result)

        with self._lock:
            if self._closed:
                raise RuntimeError("the store is closed")
            self._start()
            self._queue.put(run)
        return future

    def _start(self) -> None:
        while len(self._threads) < self._number:
            name = f"{self._name}-{len(self._threads)}"
            thread = threading.Thread(target=self._loop, name=name, daemon=True)
            thread.start()
            self._threads.append(thread)

    def _loop(self) -> None:
        while (run := self._queue.get()) is not None:
            run()

    def close(self, patience: float) -> None:
        """Finish what was submitted; who has not finished within `patience` seconds is left behind."""
        with self._lock:
            self._closed = True
            for _thread in self._threads:
                self._queue.put(None)
        give_up = time.monotonic() + patience
        for thread in self._threads:
            thread.join(max(0.0, give_up - time.monotonic()))

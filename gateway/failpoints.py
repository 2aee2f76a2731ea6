"""Named points at which a test may have the process killed, to prove that nothing is lost there.

Every labelled write of the store has three: `before:LABEL`, `within:LABEL` (in the transaction, before its commit; of a
write that is one statement, just before that) and `after:LABEL` (on disk, nobody told yet). Not armed, a point
costs one comparison.
"""

import os
import signal

_armed: str | None = None
_passes = 0


def arm(point: str | None) -> None:
    """Kill this process (kill -9) when it reaches `point`; `POINT@N` means the N-th time."""
    global _armed, _passes
    name, _, number = (point or "").partition("@")
    _armed, _passes = name or None, int(number or 1)


def reached(point: str) -> None:
    """The process is at this point; if it is the armed one, the process ends here."""
    global _passes  # noqa: PLW0603 - as above
    if _armed is None or point != _armed:
        return
    _passes -= 1
    if _passes == 0:
        os.kill(os.getpid(), signal.SIGKILL)

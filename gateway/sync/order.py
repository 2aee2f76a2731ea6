"""What somebody wants synced, and why a sync cannot be or did not end."""

from dataclasses import dataclass

from gateway.store.sync_runs import Scope
from gateway.sync.progress import Target

RESUMABLE_MS = 24 * 3_600_000
"""A run that was interrupted longer ago begins anew: what it has seen is too old."""


@dataclass(frozen=True, slots=True)
class Order:
    """One sync of one connection."""

    connection: str
    target: Target = "vainu"
    dry_run: bool = False
    """Look, compare and tell; change nothing at either end."""
    delete: bool = False
    """Delete at Vainu what the CRM has deleted."""
    full: bool = False
    """Begin anew and send everything, whatever was sent before."""
    since: int | None = None
    """Leave out customers that were last changed before it, Unix milliseconds; deletions are not looked for then."""

    @property
    def scope(self) -> Scope:
        """Under which it is kept."""
        return Scope(self.connection, self.target)


class CannotSync(Exception):
    """The connection cannot be synced so. The message says what is missing."""


class SyncStopped(Exception):
    """The sync ended before its last customer; the next one goes on. `detail` is one line, redacted."""

    def __init__(self, detail: str, reason: str) -> None:
        super().__init__(detail)
        self.detail = detail
        self.reason = reason
        """A fixed word, for logs: the detail may quote a remote system."""

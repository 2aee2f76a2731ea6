"""How long a webhook's work waits, so that a burst about one record becomes few updates. In memory, bounded."""

from collections import OrderedDict

FOLD_MS = 1_000
"""What comes about one record within this time becomes one update: the CRM's burst is not passed on to its own API."""
SPACE_MS = 3_000
"""Updates of a record that changes all the time are at least so far apart."""
MOST_RECORDS = 10_000
"""Beyond these the one that was quiet for longest is forgotten: its next update comes after `FOLD_MS`."""


class Folding:
    """When the next update of each record is due; times are Unix milliseconds."""

    def __init__(self, most: int = MOST_RECORDS) -> None:
        self._due: OrderedDict[str, int] = OrderedDict()
        self._most = most

    def pause_ms(self, record: str, now: int) -> int:
        """How long what has just come about a record waits; with what is due already, where something is."""
        last = self._due.get(record, 0)
        if now < last <= now + SPACE_MS:
            return last - now
        # one that lies further ahead is of a clock that was put back since
        due = max(now + FOLD_MS, last + SPACE_MS) if last <= now else now + FOLD_MS
        self._due[record] = due
        self._due.move_to_end(record)
        if len(self._due) > self._most:
            self._due.popitem(last=False)
        return due - now

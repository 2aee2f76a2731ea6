# ruff: noqa: S101 - a test-suite says what must hold with assert
"""The contract of the activity feed (CONTRACT section 6)."""

import asyncio
import re
from collections.abc import Mapping
from typing import get_args

from adapters.contract import ActivityEvent, Adapter, EventType, SourceReply
from adapters.events import DEALS, ICONS
from adapters.plain_text import MAX_CHARACTERS
from adapters.testing.bench import Hooks, Remote, enough

_TIMESTAMP = re.compile(r"[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]\.[0-9]{3}Z")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_SOURCE = re.compile(r"[a-z][a-z0-9_]*")


class FeedContract(Hooks):
    """Every source answers, and every event keeps the rules."""

    def test_every_source_answers(self, remote: Remote) -> None:
        """The sources have names fit for a header, and every one answers; together they have events."""
        replies = self.feed_of(remote, self.created(remote))
        assert replies, "expected at least one source"
        assert [name for name in replies if not _SOURCE.fullmatch(name)] == []
        assert any(reply.events for reply in replies.values()), "the simulator gives a new customer no events"

    def test_events_keep_the_feed_s_rules(self, remote: Remote) -> None:
        """Every event has its id, time and type as CONTRACT section 6 says; ids do not repeat in the feed."""
        replies = self.feed_of(remote, self.created(remote))
        events = [event for reply in replies.values() for event in reply.events]
        assert {event.id: faults for event in events if (faults := broken_rules(self.spec.name, event))} == {}
        ids = [event.id for event in events]
        assert len(ids) == len(set(ids)), "an id comes twice"

    def test_ids_are_the_same_on_every_call(self, remote: Remote) -> None:
        """The second call, on an adapter opened anew, gives the same events."""
        record_id = self.created(remote)
        first, second = self.feed_of(remote, record_id), self.feed_of(remote, record_id)
        assert _ids(first) == _ids(second)

    def test_a_customer_s_feed_is_its_own(self, remote: Remote) -> None:
        """No event of one customer shows in the feed of another."""
        one = self.created(remote)
        other = self.created(remote, name="Somebody Else Ab", business_id="09704098", vid=1)
        assert _ids(self.feed_of(remote, one)) & _ids(self.feed_of(remote, other)) == set()

    def feed_of(self, remote: Remote, record_id: str) -> dict[str, SourceReply]:
        """What every source answers, all asked at the same time as the gateway does."""

        async def ask(adapter: Adapter) -> dict[str, SourceReply]:
            asked = [adapter.activities(source, record_id, 200, enough()) for source in adapter.sources]
            return dict(zip(adapter.sources, await asyncio.gather(*asked), strict=True))

        return self.run(remote, ask)


def broken_rules(prefix: str, event: ActivityEvent) -> list[str]:
    """Which of the feed's rules (CONTRACT section 6) an event breaks; empty when none."""
    texts = (event.header, event.text, event.user_email, event.location)
    rules = {
        f"id is {prefix}-<kind>-<id>": re.fullmatch(rf"{re.escape(prefix)}-[a-z_]+-[A-Za-z0-9_.-]+", event.id),
        "timestamp is YYYY-MM-DDTHH:MM:SS.mmmZ": _TIMESTAMP.fullmatch(event.timestamp),
        "type is one of Vainu's": event.type in get_args(EventType),
        "icon is one of Vainu's": event.icon in ICONS | {""},
        "texts are text": all(isinstance(text, str) for text in texts),
        "texts have no control characters": not any(map(_CONTROL.search, texts)),
        f"texts have at most {MAX_CHARACTERS:,} characters": max(map(len, texts)) <= MAX_CHARACTERS,
        "amounts belong to deals": event.type in DEALS
        or (event.value, event.currency, event.probability_percent) == (None, "", None),
        "currency is ISO 4217": re.fullmatch(r"([A-Z]{3})?", event.currency),
        "value is a number": not isinstance(event.value, bool | str),
        "probability is 0 to 100": event.probability_percent is None or 0 <= event.probability_percent <= 100,
    }
    return [rule for rule, holds in rules.items() if not holds]


def _ids(replies: Mapping[str, SourceReply]) -> set[str]:
    return {event.id for reply in replies.values() for event in reply.events}

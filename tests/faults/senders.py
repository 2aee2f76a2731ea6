"""Vainu and a CRM that go on sending, whatever becomes of the gateways that they send to."""

import json
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from adapters.simulated_webhooks import signed
from tests.faults.day import SECRET
from tests.faults.forked import ForkedGateway
from tests.harness import AUTH

PAUSE_SECONDS = 0.02
"""Between two requests of one sender."""


@dataclass
class Sender:
    """One of several that send at the same time; `chance` decides what, and to which gateway."""

    number: int
    chance: random.Random
    gateways: Sequence[ForkedGateway]
    until: float
    """When to end, on the monotonic clock."""
    acknowledged: list[str] = field(default_factory=list)
    """Ids that were told in a 2xx: exp_… and whk_…"""
    unanswered: int = 0
    refused: list[str] = field(default_factory=list)
    """What was told to those that got no 2xx."""
    sent_companies: set[str] = field(default_factory=set)
    kept_companies: set[str] = field(default_factory=set)
    """Those of which an export was acknowledged."""
    record_ids: list[str] = field(default_factory=list)
    webhooks: dict[str, set[str]] = field(default_factory=dict)
    """What was answered to each of our message ids that was acknowledged: one id, however often it is sent."""
    _told_by: dict[str, str] = field(default_factory=dict)
    """The record that each of our message ids is about."""

    def run(self) -> None:
        """Send until it is time to end."""
        with httpx.Client(headers=AUTH, trust_env=False, verify=False, timeout=10) as http:  # noqa: S501 - loopback, no TLS
            while time.monotonic() < self.until:
                act = self.chance.choices([self._export, self._webhook, self._change], [5, 3, 2])[0]
                act(http)
                time.sleep(PAUSE_SECONDS)  # a rhythm: nothing is waited for

    def _export(self, http: httpx.Client) -> None:
        """A company that is new, or one of before, sometimes with something new about it."""
        # companies are shared by all senders, so that some are pushed by two at once
        name = f"Soak {self.chance.randrange(1 + round(len(self.acknowledged) / 2) + 10)} Oy"
        self.sent_companies.add(name)
        body = {"company_name": name, "country": "FI", "staff_number": self.chance.randrange(3)}
        told = self._sent(lambda url: http.post(f"{url}/vainu/acme/exports", json=body))
        if told is not None:
            self.kept_companies.add(name)
            self.acknowledged.append(str(told["export_id"]))
            if str(told["unique_id"]).isdigit():
                self.record_ids.append(str(told["unique_id"]))

    def _webhook(self, http: httpx.Client) -> None:
        """A CRM's webhook, new or a repeat of one of the last, which must be told the same id."""
        if not self.record_ids:
            return
        number = max(0, len(self._told_by) - self.chance.randrange(5))
        key = f"msg_{self.number}_{number}"
        record_id = self._told_by.setdefault(key, self.chance.choice(self.record_ids))
        content = json.dumps({"customerId": record_id}).encode()
        headers = signed(SECRET, key, int(time.time()), content)
        told = self._sent(lambda url: http.post(f"{url}/crm/acme/webhooks", content=content, headers=headers))
        if told is not None:
            self.webhooks.setdefault(key, set()).add(str(told["id"]))
            self.acknowledged.append(str(told["id"]))

    def _change(self, http: httpx.Client) -> None:
        """A company change from Vainu."""
        if not self.record_ids:
            return
        data = {"company_name": "", "staff_number": self.chance.randrange(1000)}
        change = {
            "data": data,
            "unique_id": self.chance.choice(self.record_ids),
            "type": "company_change_webhook",
            "number_of_tries": 1,
        }
        told = self._sent(lambda url: http.post(f"{url}/vainu/acme/webhooks", json=change))
        if told is not None:
            self.acknowledged.append(str(told["id"]))

    def _sent(self, send: Callable[[str], httpx.Response]) -> dict[str, Any] | None:
        try:
            answer = send(self.chance.choice(self.gateways).url)
        except httpx.TransportError:
            self.unanswered += 1
            return None
        if not answer.is_success:
            self.refused.append(f"{answer.status_code}: {answer.json()['detail']}")
            return None
        told: dict[str, Any] = answer.json()
        return told

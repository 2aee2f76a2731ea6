"""A sync beside webhooks: of a customer that Vainu knows no company for they make one object between them."""

import asyncio
import threading
import tomllib
from typing import Any

import pytest

from gateway.clock import now_ms
from gateway.inbound_work import CRM_WEBHOOK, record_key
from gateway.settings import load
from gateway.store import DeliveryState, Store, claims, deliveries
from gateway.store.claims import Lease
from gateway.store.deliveries import Ending, NewDelivery
from gateway.sync.order import Order
from tests.gateway.sync.conftest import Heard, World
from tests.harness import running_gateway, wait_until

UNKNOWN = "Our Friends of Software"


def test_a_create_is_left_to_a_webhook_s_work(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a webhook about the customer is worked on, the sync creates nothing; then it patches what is there."""
    customer = world.customer(UNKNOWN)
    store = Store(load(world.config).storage.url)
    store.open()
    new = NewDelivery("acme", CRM_WEBHOOK, record_key("acme", customer), customer, b"{}")
    now = now_ms()

    def take(connection: Any) -> deliveries.Delivery:
        deliveries.add(connection, new, now)
        return claims.claim(connection, Lease("another", now + 60_000), now, "acme", CRM_WEBHOOK, 1)[0]

    async def finish_elsewhere(heard: Heard, seconds: float) -> None:
        heard.pauses.append(seconds)
        if len(heard.pauses) == 1:
            body = {"unique_id": customer, "match_data": {"company_name": UNKNOWN}}
            world.upstream.http.post("/vainu/api/v2/customer_data/", json=body, headers=key).raise_for_status()
            done = Ending(DeliveryState.DONE, "ok")
            await store.write(lambda c: deliveries.finish(c, taken, "another", done, now, now))

    key = {
        "API-Key": tomllib.loads(world.config.read_text(encoding="utf-8"))["connections"]["acme"]["vainu"]["api_key"]
    }
    taken = asyncio.run(store.write(take))
    monkeypatch.setattr(Heard, "pause", finish_elsewhere)
    counts, heard = world.patiently(Order("acme"))
    store.close()
    assert len(heard.pauses) == 1
    assert (counts.created, counts.updated, counts.failed) == (0, 1, 0)
    assert [each["unique_id"] for each in world.customer_data()] == [customer]


def test_a_webhook_s_work_waits_for_the_sync_s_create(world: World) -> None:
    """A create of the sync that Vainu is slow to answer is not made a second time by a webhook that comes meanwhile."""
    customer = world.customer(UNKNOWN)
    world.configure(webhooks={"api_keys": ["hook"]})
    world.upstream.fault("vainu", "delay", match="POST", seconds=4, times=1)
    syncing = threading.Thread(target=world.patiently, args=(Order("acme"),))
    syncing.start()
    wait_until(world.writes, "the sync's create is on its way")
    change = {"customer": customer, "set": {"description": "new"}}
    pushed = world.upstream.http.post("/apptivo/_webhook", json=change).json()["body"]
    with running_gateway(tomllib.loads(world.config.read_text(encoding="utf-8"))) as gateway:
        gateway.http.post("/crm/acme/webhooks", json=pushed, headers={"API-Key": "hook"}).raise_for_status()
        wait_until(lambda: any(each.get("notes") == "new" for each in world.customer_data()), "Vainu is told")
    syncing.join()
    assert [each["unique_id"] for each in world.customer_data()] == [customer]

"""A soak: gateways under load are killed at random (kill -9) and started again; then everything is counted.

    python -m tests.faults.soak --seconds 60 --seed 1 --store sqlite
    python -m tests.faults.soak --seconds 60 --seed 1 --store postgresql --gateways 2

The seed decides what is sent and who is killed when; how the two meet is the machine's. Exit code 1 if the ledger is
not square. The tests run the same code for some seconds (test_soak.py).
"""

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.day import SECRET
from tests.faults.forked import ForkedGateway, forked_gateway
from tests.faults.senders import Sender
from tests.faults.store_look import StoreLook
from tests.harness import Upstream, configuration, running_upstream, wait_until
from tests.postgres import running_cluster

SENDERS = 4
BUDGET_MS = 600
SLOW_SECONDS = 1.0
"""How long the CRM takes for a create that is made slow: longer than the budget."""
FINISH_SECONDS = 60.0
CRM_FAULTS = ("delay", "lost_reply", "cut", "500", "503", "html", "drop")


@dataclass
class Ledger:
    """What a soak comes to."""

    seconds: float
    lives: list[str] = field(default_factory=list)
    """A line for each kill."""
    acknowledged: int = 0
    unanswered: int = 0
    refused: list[str] = field(default_factory=list)
    companies: int = 0
    webhooks: int = 0
    missing: list[str] = field(default_factory=list)
    unfinished: int = 0
    dead: int = 0
    wrong: list[str] = field(default_factory=list)
    """What is there not exactly once."""

    @property
    def is_square(self) -> bool:
        """Whether nothing is lost, left, or doubled."""
        return not (self.missing or self.unfinished or self.dead or self.wrong)

    def text(self) -> str:
        """The ledger, a line for each kill and the sum."""
        total = (
            f"{len(self.lives)} kills in {self.seconds:.0f} s: "
            f"acknowledged {self.acknowledged}, stored {self.acknowledged - len(self.missing)}, "
            f"unanswered {self.unanswered}, refused {len(self.refused)}; "
            f"{self.companies} companies, {self.webhooks} webhooks; unfinished {self.unfinished}, dead {self.dead}, "
            f"not exactly once {len(self.wrong)}"
        )
        refused = [f"{number} x refused with {why}" for why, number in Counter(self.refused).items()]
        return "\n".join([*self.lives, total, *refused, *self.missing, *self.wrong])


def soak(upstream: Upstream, storage: str | None, folder: Path, *, seconds: float, seed: int, gateways: int) -> Ledger:
    """Send and kill for so many seconds, let all work end, and count; `storage` None is a SQLite file in the folder."""
    url = storage or f"sqlite:///{folder / 'gateway.db'}"
    export = {"budget_ms": BUDGET_MS, "settle_seconds": SLOW_SECONDS + 2.4}
    acme = {"webhooks": {"hmac": [{"secret": SECRET}]}, "export": export}
    document = configuration(upstream.url, folder, storage={"url": url}, connections={"acme": acme, "globex": None})
    look = StoreLook(url)
    with ExitStack() as stack:
        running = [stack.enter_context(forked_gateway(document, folder / f"gateway{at}")) for at in range(gateways)]
        for each in running:
            each.start()
        until = time.monotonic() + seconds
        senders = [Sender(at, random.Random(f"{seed} {at}"), running, until) for at in range(SENDERS)]
        with ThreadPoolExecutor(SENDERS) as pool:
            sending = [pool.submit(each.run) for each in senders]
            ledger = Ledger(seconds, _kill(running, upstream, look, random.Random(seed), until))
            for done in sending:
                done.result()
        upstream.heal("apptivo")
        wait_until(lambda: not look.unfinished(), "all work ends", FINISH_SECONDS)
    _count(ledger, senders, upstream, look)
    return ledger


def _kill(
    running: Sequence[ForkedGateway], upstream: Upstream, look: StoreLook, chance: random.Random, until: float
) -> list[str]:
    lines = []
    began = time.monotonic()
    while (pause := chance.uniform(0.2, 1.5)) < until - time.monotonic():
        upstream.fault("apptivo", chance.choice(CRM_FAULTS), match="a=save", seconds=SLOW_SECONDS, times=1)
        time.sleep(pause)  # the soak's own rhythm: nothing is waited for
        at = chance.randrange(len(running))
        victim = running[at]
        killed = time.monotonic()
        victim.kill()
        in_hand = look.unfinished()
        victim.start()
        lines.append(
            f"{killed - began:6.1f} s  gateway {at} killed, {in_hand:>3} unfinished, "
            f"ready again after {time.monotonic() - killed:.1f} s"
        )
    return lines


def _count(ledger: Ledger, senders: Sequence[Sender], upstream: Upstream, look: StoreLook) -> None:
    acknowledged = [each for sender in senders for each in sender.acknowledged]
    ledger.acknowledged = len(acknowledged)
    ledger.unanswered = sum(sender.unanswered for sender in senders)
    ledger.refused = [each for sender in senders for each in sender.refused]
    ledger.missing = look.missing(acknowledged)
    ledger.unfinished, ledger.dead = look.unfinished(), look.count("dead")
    ledger.companies = len({name for sender in senders for name in sender.sent_companies})
    ledger.webhooks = sum(len(sender.webhooks) for sender in senders)
    ledger.wrong = [*_not_one_record(senders, upstream), *_doubled_webhooks(senders, upstream)]


def _not_one_record(senders: Sequence[Sender], upstream: Upstream) -> Iterator[str]:
    kept = {name for sender in senders for name in sender.kept_companies}
    sent = {name for sender in senders for name in sender.sent_companies}
    made = Counter(str(row["customerName"]) for row in upstream.records("apptivo")["customers"])
    for name in sorted(sent):
        # what was never acknowledged may have been kept all the same
        if made[name] > 1 or (name in kept and not made[name]):
            yield f"{name}: {made[name]} records"


def _doubled_webhooks(senders: Sequence[Sender], upstream: Upstream) -> Iterator[str]:
    for key, ids in ((key, ids) for sender in senders for key, ids in sender.webhooks.items()):
        if len(ids) > 1:
            yield f"webhook {key} was told {sorted(ids)}"
    told = Counter(str(row["unique_id"]) for row in upstream.records("vainu")["customer_data"])
    for unique_id, number in told.items():
        if number > 1:
            yield f"Vainu has {number} customer data of {unique_id}"


def main() -> int:
    """The command; its exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.soak", description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--store", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--gateways", type=int, default=1, help="how many share the store")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, running_upstream() as upstream, ExitStack() as stack:
        storage = None
        if given.store == "postgresql":
            storage = stack.enter_context(running_cluster()).create_database("soak")
        ledger = soak(upstream, storage, Path(name), seconds=given.seconds, seed=given.seed, gateways=given.gateways)
    print(ledger.text())
    return 0 if ledger.is_square else 1


if __name__ == "__main__":
    sys.exit(main())

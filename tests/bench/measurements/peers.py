"""The same webhooks by what people use in the gateway's place, where it is installed: `tests.bench.peers.catalogue`.

The same body of 1 kB with the same signature, 64 callers; the sides take turns. Before it counts, each has to take a
genuine webhook and to refuse one with a wrong signature.
"""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from statistics import median

from tests.bench.frame.results import Figure, Mode, Ratio, Result, alternated
from tests.bench.parts import gateways, load, open_loop, signed
from tests.bench.peers.catalogue import PEERS, VARIABLE, Peer
from tests.bench.peers.server import Place

JOB = "webhooks signed by a header"
_HMAC = {
    "secret": signed.KEY.decode(),
    "scheme": "header",
    "header": "X-Signature",
    "algorithm": "sha256",
    "encoding": "hex",
    "prefix": "sha256=",
}


def measure(mode: Mode) -> Iterator[Result]:
    """The gateway beside each peer in turn; a peer that is missing is told, with how to get it."""
    for peer in PEERS:
        program = peer.find()
        if program is None:
            yield Result(JOB, peer.name, remark=f"not installed; in the folder that {VARIABLE} names: {peer.get}")
        else:
            yield _beside(peer, program, mode)


def _beside(peer: Peer, program: Path, mode: Mode) -> Result:
    seconds, rounds = mode.pick(2.0, 5.0), mode.pick(2, 5)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        own = folder / "peer"
        own.mkdir()
        document = gateways.document(
            gateways.NOBODY, folder / "gateway", {"connections": {"acme": {"webhooks": {"hmac": [_HMAC]}}}}
        )
        port = stack.enter_context(gateways.running(document, folder / "gateway")).port
        places = {
            "gateway": Place(port, "/crm/acme/webhooks"),
            "peer": stack.enter_context(peer.serve(program, own)),
        }
        numbers = count(step=int(seconds * signed.MOST_PER_SECOND))
        sides = {side: _loaded(place, numbers, seconds) for side, place in places.items()}
        for side, place in places.items():
            _takes_what_is_genuine(side, place)
            sides[side]()
        found = alternated(rounds, sides)
    rates = {side: [each.per_second for each in runs] for side, runs in found.items()}
    return Result(
        JOB,
        peer.name,
        Ratio.of(rates["gateway"], rates["peer"]),
        (
            Figure("gateway", median(rates["gateway"]), "/s"),
            Figure(peer.name, median(rates["peer"]), "/s"),
            Figure("gateway's p99", median(each.p99_ms for each in found["gateway"]), "ms"),
            Figure(f"{peer.name}'s p99", median(each.p99_ms for each in found["peer"]), "ms"),
            Figure(f"not taken by {peer.name}", sum(each.failed for each in found["peer"]), ""),
        ),
        remark=f"{peer.name} {peer.version(program)}: {peer.guarantee}. The gateway: on disk before it answers",
    )


def _loaded(place: Place, numbers: Iterator[int], seconds: float) -> Callable[[], load.Load]:
    def run() -> load.Load:
        made = signed.by_header(next(numbers), int(seconds * signed.MOST_PER_SECOND), place.path)
        return load.run(place.port, made, seconds)

    return run


def _takes_what_is_genuine(side: str, place: Place) -> None:
    (genuine,) = signed.by_header(10**9, 1, place.path)
    forged = genuine.replace(b'"pad": "x', b'"pad": "y')
    statuses = open_loop.run(_statuses(place.port, [genuine, forged]))
    assert statuses[0] // 100 == 2 != statuses[1] // 100, f"{side}: a genuine webhook and a forged one got {statuses}"


async def _statuses(port: int, requests: list[bytes]) -> list[int]:
    client = open_loop.Client(port)
    statuses = [(await client.ask(request)).status for request in requests]
    client.close()
    return statuses

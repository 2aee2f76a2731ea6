"""Random kills under load, for some seconds; `python -m tests.faults.soak` does the same for longer."""

from pathlib import Path

import pytest

from tests.faults.soak import soak
from tests.harness import Upstream

SECONDS = 5.0


@pytest.mark.timeout(120)
@pytest.mark.parametrize(("store", "gateways"), [("sqlite", 1), ("postgresql", 2)])
def test_random_kills_under_load(
    upstream: Upstream, store: str, gateways: int, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """Whatever was acknowledged is stored and ends well; each company has one record, each webhook one id."""
    storage = request.getfixturevalue("cluster").create_database("soak") if store == "postgresql" else None

    ledger = soak(upstream, storage, tmp_path, seconds=SECONDS, seed=20_261_121, gateways=gateways)

    print(f"\nsoak on {store}, {gateways} gateways\n{ledger.text()}")
    assert ledger.lives, "somebody was killed"
    assert ledger.acknowledged > 20
    assert ledger.is_square, ledger.text()

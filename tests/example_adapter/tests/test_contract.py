"""TinyCRM's adapter keeps the contract of every adapter."""

from typing import Any

from tinycrm import SPEC
from tinycrm.simulator import API_KEY, simulator

from adapters.simulation import Simulator
from adapters.testing import AdapterContract


class TestTinyCrm(AdapterContract):
    """The suite, on TinyCRM's simulator."""

    spec = SPEC
    unknown_id = "C999999"

    def simulator(self) -> Simulator:
        """A fresh TinyCRM."""
        return simulator()

    def settings(self, url: str) -> dict[str, Any]:
        """The table [connections.NAME.tinycrm]."""
        return {"base_url": url, "api_key": API_KEY}

    def wrong_credentials(self) -> dict[str, Any]:
        """A key that TinyCRM does not know."""
        return {"api_key": "not-the-key"}

"""Apptivo's adapter keeps the contract of every adapter."""

from typing import Any

from adapters.apptivo import SPEC
from adapters.apptivo.simulator import BUSINESS_ID_ATTRIBUTE, DEMO_ACCESS_KEY, DEMO_API_KEY, simulator
from adapters.simulation import Simulator
from adapters.testing import AdapterContract


class TestApptivo(AdapterContract):
    """The firm of the simulator has a field for business ids."""

    spec = SPEC

    def simulator(self) -> Simulator:
        """The firm's Apptivo."""
        return simulator()

    def settings(self, url: str) -> dict[str, Any]:
        """Its keys."""
        return {
            "base_url": url,
            "api_key": DEMO_API_KEY,
            "access_key": DEMO_ACCESS_KEY,
            "business_id_attribute": BUSINESS_ID_ATTRIBUTE,
            "record_url": "https://app.apptivo.com/customers/{}",
        }

    def wrong_credentials(self) -> dict[str, Any]:
        """A key that it does not know."""
        return {"access_key": "not-the-access-key"}

    def webhook(self, record_id: str) -> object:
        """As NOTES.md says."""
        return {"customerId": record_id}

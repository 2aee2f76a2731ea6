"""CRM.COM's adapter keeps the contract of every adapter."""

from typing import Any

from adapters.crmcom import SPEC
from adapters.crmcom.simulator import ORGANISATION, PASSWORD, PREFIX, USERNAME, simulator
from adapters.simulation import Simulator
from adapters.testing import AdapterContract


class TestCrmcom(AdapterContract):
    """Every call but the sign-in carries a token."""

    spec = SPEC
    unknown_id = "0123456789ABCDEF0123456789ABCDEF"

    def simulator(self) -> Simulator:
        """The organisation's CRM.COM."""
        return simulator()

    def settings(self, url: str) -> dict[str, Any]:
        """Its user."""
        return {
            "base_url": url + PREFIX,
            "username": USERNAME,
            "password": PASSWORD,
            "organisation": ORGANISATION,
            "unit": "Admin Unit",
            "record_url": "https://crm.example.com/contacts/{}",
        }

    def wrong_credentials(self) -> dict[str, Any]:
        """A password that it does not know."""
        return {"password": "not-the-password"}

    def webhook(self, record_id: str) -> object:
        """As NOTES.md says."""
        return {"contact_information": {"id": record_id}}

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

    def event(self, kind: str, record_id: str, number: int) -> dict[str, Any]:
        """S004's samples, for the first account of a new simulator."""
        del record_id
        product = {"product_identifier": {"code": "Bronze"}, "net_amount": 50, "vat_amount": 10, "total_amount": 60}
        parts: dict[str, dict[str, Any]] = {
            "achievements": {"classification_identifier": {"name": "Customer Feedback 3"}},
            "purchases": {"reference_number": "RF01", "products_set": [product]},
            "referrals": {
                "referred_rewards_participant_identifier": {"number": f"RP{number}"},
                "referred_by_rewards_participant_identifier": {"number": "RP0000000164"},
            },
            "social_media": {"social_media": "FACEBOOK", "profile": "www.facebook.com/polina", "action": "LIKE"},
            "web": {"website": "www.crm.com"},
            "financial_achievements": {"classification_identifier": {"name": "Financial Achievement 1"}},
        }
        account = {} if kind == "referrals" else {"accounts_receivable_identifier": {"number": "ACR0000000164"}}
        return {
            "request_unique_identifier": str(number),
            "performed_by_unit_identifier": {"name": "Admin Unit"},
            "performed_on": "2016-06-22T15:00:00",
            **account,
            **parts[kind],
        }

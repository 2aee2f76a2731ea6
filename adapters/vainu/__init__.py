"""Vainu: its API as a client, its simulator, and its side of the calls into the gateway.

Vainu is no CRM, so there is no `SPEC` here: the gateway opens a `VainuClient` beside the connection's adapter.
"""

from adapters.vainu.client import CustomerDataExists, VainuClient
from adapters.vainu.models import CompanyInfo, CustomerData, MatchData, VainuSettings

__all__ = ["CompanyInfo", "CustomerData", "CustomerDataExists", "MatchData", "VainuClient", "VainuSettings"]

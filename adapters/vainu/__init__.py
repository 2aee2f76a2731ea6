"""Vainu: its API as a client, its simulator, and its side of the calls into the gateway.

Vainu is no CRM, so there is no `SPEC` here: the gateway opens a `VainuClient` beside the connection's adapter.
"""

from adapters.vainu.client import VainuClient
from adapters.vainu.customer_data import CustomerDataApi, CustomerDataPage
from adapters.vainu.customer_data_query import CustomerDataQuery, Filter
from adapters.vainu.customer_rows import CustomerRow, RowOutcome
from adapters.vainu.models import CompanyInfo, CustomerData, MatchData, VainuSettings
from adapters.vainu.refusals import CustomerDataExists, MatchingError, SeveralCompanies

__all__ = [
    "CompanyInfo",
    "CustomerData",
    "CustomerDataApi",
    "CustomerDataExists",
    "CustomerDataPage",
    "CustomerDataQuery",
    "CustomerRow",
    "Filter",
    "MatchData",
    "MatchingError",
    "RowOutcome",
    "SeveralCompanies",
    "VainuClient",
    "VainuSettings",
]

"""Apptivo: customers, contacts, notes and the activity feed, over its v6 API (S003)."""

from adapters.apptivo.adapter import ApptivoAdapter
from adapters.apptivo.mapping import FIELDS, field_faults
from adapters.apptivo.models import ApptivoSettings
from adapters.contract import AdapterSpec

SPEC = AdapterSpec(
    name="apptivo",
    settings=ApptivoSettings,
    fields=FIELDS,
    open=ApptivoAdapter,
    title="Apptivo",
    check_fields=field_faults,
)
"""How the gateway knows this adapter."""

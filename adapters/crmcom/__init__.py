"""CRM.COM, the classic Web API (R7 to R18): what is known of it stands in NOTES.md, with mark and source."""

from adapters.contract import AdapterSpec
from adapters.crmcom.adapter import open_adapter
from adapters.crmcom.mapping import FIELDS, field_faults
from adapters.crmcom.models import CrmcomSettings

SPEC = AdapterSpec(
    name="crmcom",
    settings=CrmcomSettings,
    fields=FIELDS,
    open=open_adapter,
    title="CRM.COM",
    check_fields=field_faults,
)
"""How the gateway knows this adapter."""

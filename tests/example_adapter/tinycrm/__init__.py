"""TinyCRM, a CRM that does not exist: an example of an adapter in a package of its own."""

from adapters.contract import AdapterSpec
from tinycrm.adapter import TinyCrm
from tinycrm.mapping import FIELDS, field_faults
from tinycrm.models import TinyCrmSettings

SPEC = AdapterSpec(
    name="tinycrm",
    settings=TinyCrmSettings,
    fields=FIELDS,
    open=TinyCrm,
    title="TinyCRM",
    check_fields=field_faults,
)

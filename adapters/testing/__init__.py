"""The contract that every adapter keeps, as a test-suite to run on your own (CONTRACT section 11). Needs pytest.

Subclass `AdapterContract` in your package's tests, name the spec, the simulator and the settings:

    class TestMyCrm(AdapterContract):
        spec = SPEC

        def simulator(self) -> Simulator:
            return simulator()

        def settings(self, url: str) -> dict[str, Any]:
            return {"base_url": url, "api_key": "right"}

        def wrong_credentials(self) -> dict[str, Any]:
            return {"api_key": "wrong"}

The simulator speaks over real HTTP and is broken on purpose, by the faults of `adapters.simulation` and by answers
that no CRM should give. `simulator()` therefore is what `adapters.simulation.build` made, and gives every new
customer something for each kind of event that your CRM knows.
"""

from adapters.testing.bench import Remote
from adapters.testing.bulk_events import BulkEventsContract
from adapters.testing.customers import CustomerContract
from adapters.testing.failures import FailureContract
from adapters.testing.feed import FeedContract, broken_rules
from adapters.testing.listing import ListingContract
from adapters.testing.mapping import MappingPreviewContract
from adapters.testing.spec import SpecContract

__all__ = ["AdapterContract", "Remote", "broken_rules"]


class AdapterContract(
    SpecContract,
    CustomerContract,
    MappingPreviewContract,
    FeedContract,
    ListingContract,
    BulkEventsContract,
    FailureContract,
):
    """What the gateway relies on. Each test opens the adapter anew, on the simulator as it was at its start."""

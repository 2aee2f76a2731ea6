"""Vainu's API, one account: customer data in the version of the settings, and everything beside it (S000, S001).

Nothing here could touch all of an account at once: there is no bulk PATCH and no bulk DELETE, with or without filters.
"""

from base64 import b64encode
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from adapters.contract import Account, Observer
from adapters.deadline import Deadline
from adapters.http import RemoteClient
from adapters.vainu.calls import Calls
from adapters.vainu.customer_data import CustomerDataApi
from adapters.vainu.customer_data_query import CustomerDataQuery
from adapters.vainu.customer_data_v1 import CustomerDataV1
from adapters.vainu.customer_data_v2 import CustomerDataV2
from adapters.vainu.models import VainuSettings

if TYPE_CHECKING:
    from adapters.vainu.prospects import Prospects
    from adapters.vainu.target_groups import TargetGroups
    from adapters.vainu.webhook_configurations import WebhookConfigurations

_ONE = CustomerDataQuery(page_size=1)


class VainuClient:
    """One Vainu account. Every method raises only `RemoteError`s, and ends by its deadline (`TimedOut`).

    `api_version` decides how customer data is spoken of; prospects, target groups and batch imports are v1's and
    webhook configurations v2's, whatever it is.
    """

    customer_data: CustomerDataApi

    def __init__(self, settings: VainuSettings, observe: Observer = lambda _record: None) -> None:
        self.settings = settings
        self._host = urlsplit(settings.base_url).netloc
        headers, secrets = _credentials(settings)
        self._remote = RemoteClient(
            "vainu",
            f"{settings.base_url}/api",
            secrets=secrets,
            observe=observe,
            headers={"Accept": "application/json", **headers},
            upstream=settings,
        )
        self._calls = calls = Calls(self._remote)
        if settings.api_version == 1:
            self.customer_data = CustomerDataV1(calls)
        else:
            self.customer_data = CustomerDataV2(calls)

    # what customer data does without is loaded by whoever uses it

    @cached_property
    def prospects(self) -> "Prospects":
        """Vainu's companies."""
        from adapters.vainu.prospects import Prospects

        return Prospects(self._calls)

    @cached_property
    def target_groups(self) -> "TargetGroups":
        """The account's lists of companies."""
        from adapters.vainu.target_groups import TargetGroups

        return TargetGroups(self._calls)

    @cached_property
    def webhook_configurations(self) -> "WebhookConfigurations":
        """Where Vainu sends company changes."""
        from adapters.vainu.webhook_configurations import WebhookConfigurations

        return WebhookConfigurations(self._calls, self.settings.webhook_configuration_path)

    async def check(self, deadline: Deadline) -> Account:
        """Sign in, read-only: asks for one customer data object (`GET customer_data/?page_size=1&page=1`)."""
        page = await self.customer_data.page(1, _ONE, deadline, "check")
        count = "an unknown number of" if page.total is None else str(page.total)
        version = self.customer_data.version
        return Account(f"Vainu API v{version} at {self._host}: {count} customer data objects")

    async def aclose(self) -> None:
        """Close connections."""
        await self._remote.aclose()


def _credentials(settings: VainuSettings) -> tuple[dict[str, str], list[str]]:
    """Headers, and every spelling of the secrets that must never be shown."""
    if settings.api_key is not None:
        key = settings.api_key.get_secret_value()
        return {"API-Key": key}, [key]
    username = settings.username or ""
    password = settings.password.get_secret_value() if settings.password else ""
    encoded = b64encode(f"{username}:{password}".encode()).decode()
    return {"Authorization": f"Basic {encoded}"}, [password, encoded]

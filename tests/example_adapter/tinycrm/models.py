"""The settings of one TinyCRM account: `[connections.NAME.tinycrm]`."""

from typing import Self

from pydantic import model_validator

from adapters.addresses import check_base_url
from adapters.secrets import HeaderSecret
from adapters.upstream import UpstreamSettings


class TinyCrmSettings(UpstreamSettings):
    """Where the account is, and its key."""

    base_url: str
    api_key: HeaderSecret

    @model_validator(mode="after")
    def _address_is_usable(self) -> Self:
        check_base_url(self.base_url, allow_http=self.allow_http)
        return self

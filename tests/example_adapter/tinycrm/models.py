"""The settings of one TinyCRM account: `[connections.NAME.tinycrm]`."""

from typing import Self

from pydantic import BaseModel, ConfigDict, model_validator

from adapters.addresses import check_base_url
from adapters.secrets import HeaderSecret


class TinyCrmSettings(BaseModel):
    """Where the account is, and its key."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    base_url: str
    allow_http: bool = False
    api_key: HeaderSecret

    @model_validator(mode="after")
    def _address_is_usable(self) -> Self:
        check_base_url(self.base_url, allow_http=self.allow_http)
        return self

"""The settings of `[connections.X.aixon]` (CONTRACT section 3)."""

from typing import Self

from pydantic import BaseModel, ConfigDict, model_validator

from adapters.addresses import check_base_url
from adapters.secrets import Secret


class AixonSettings(BaseModel):
    """One Appier Aixon account."""

    base_url: str
    api_key: Secret
    description: str = ""
    """The name of the customer-data cell that a sync makes (header `x-node-description`, S002)."""
    allow_http: bool = False

    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_validator(mode="after")
    def _check_base_url(self) -> Self:
        check_base_url(self.base_url, allow_http=self.allow_http)
        return self

"""The settings of `[connections.X.aixon]` (CONTRACT section 3)."""

from pydantic import BaseModel, ConfigDict, ValidationInfo, field_validator

from adapters.addresses import check_base_url
from adapters.secrets import HeaderSecret


class AixonSettings(BaseModel):
    """One Appier Aixon account."""

    # before base_url, whose check reads it
    allow_http: bool = False
    base_url: str
    api_key: HeaderSecret
    description: str = ""
    """The name of the customer-data cell that a sync makes (header `x-node-description`, S002)."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    @field_validator("base_url")
    @classmethod
    def _check_base_url(cls, value: str, info: ValidationInfo) -> str:
        return check_base_url(value, allow_http=bool(info.data.get("allow_http", False)))

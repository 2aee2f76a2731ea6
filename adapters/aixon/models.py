"""The settings of `[connections.X.aixon]` (CONTRACT section 3)."""

from collections.abc import Mapping
from datetime import tzinfo

from pydantic import Field, ValidationInfo, field_validator

from adapters.addresses import check_base_url
from adapters.aixon.encoding import Format
from adapters.aixon.table import ColumnTable, column_faults
from adapters.secrets import HeaderSecret
from adapters.upstream import UpstreamSettings


class AixonSettings(UpstreamSettings):
    """One Appier Aixon account."""

    base_url: str
    api_key: HeaderSecret
    description: str = ""
    """The name of the customer-data cell that a sync makes (header `x-node-description`, S002)."""
    body_format: Format = "json"
    """How bodies are written; S002 shows both."""
    columns: Mapping[str, str] = Field(default_factory=dict)
    """Column → JMESPath on the CRM's customer, laid over `table.DEFAULT_COLUMNS`; "" switches one off."""

    @field_validator("base_url")
    @classmethod
    def _check_base_url(cls, value: str, info: ValidationInfo) -> str:
        return check_base_url(value, allow_http=bool(info.data.get("allow_http", False)))

    @field_validator("description")
    @classmethod
    def _check_description(cls, value: str) -> str:
        if not (value.isascii() and value.isprintable()):
            raise ValueError("expected visible ASCII characters and blanks only, since it travels in a header")
        return value.strip()

    @field_validator("columns")
    @classmethod
    def _check_columns(cls, value: Mapping[str, str]) -> Mapping[str, str]:
        if faults := column_faults(value):
            raise ValueError("; ".join(faults))
        return value

    def table(self, zone: tzinfo) -> ColumnTable:
        """The column table in force; `zone` is the connection's, for times without an offset."""
        return ColumnTable(self.columns, zone)

    def cell_description(self, connection: str) -> str:
        """What a new cell is called. Two connections on one account are never given the same name unasked."""
        return self.description or f"{connection} customers"

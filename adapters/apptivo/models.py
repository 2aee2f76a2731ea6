"""Apptivo's settings: `[connections.X.apptivo]` (CONTRACT section 3). Nothing else reads the configuration."""

from functools import cached_property
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from adapters.addresses import check_base_url
from adapters.secrets import Secret
from adapters.upstream import UpstreamSettings
from adapters.vendor_dates import DateOrder

FeedSource = Literal[
    "tasks", "appointments", "followups", "calls", "notes", "emails", "opportunities", "newsfeed"
]  # fmt: skip
"""The feed's sources (CONTRACT section 6)."""
Outcome = Literal["won", "lost", "open"]
"""What became of an opportunity."""


class ActionOverride(BaseModel):
    """`[connections.X.apptivo.actions.SOURCE]`: corrects what endpoints.py guesses; what is left out stays."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str | None = Field(default=None, min_length=1)
    """Below the base URL, such as `app/dao/activities`."""
    action: str | None = None
    """The value of `a`; an empty one switches the source off."""
    list_keys: tuple[str, ...] | None = None
    """The keys that may hold the rows, tried in this order before `data` and `aaData`."""
    parameters: dict[str, str] | None = None
    """Laid over the query; `{id}` stands for the customer's id."""


class ApptivoSettings(UpstreamSettings):
    """How to call one firm's Apptivo, and what only that firm knows of itself."""

    base_url: str = "https://api.apptivo.com"
    """Host and, where a proxy needs one, a path. Four hosts serve the same paths (upstream-apis 1.1)."""
    api_key: Secret
    access_key: Secret
    """Both from Business Settings, API Access; made anew, they kill the old pair (apdoc)."""
    user_name: str | None = Field(default=None, min_length=1)
    """An employee's e-mail address: `userName`, act as that employee (phpmt)."""
    date_order: DateOrder = "DMY"
    won_stages: tuple[str, ...] = ("Closed Won",)
    """Names of the sales stages that mean won; case and outer blanks do not matter."""
    lost_stages: tuple[str, ...] = ("Closed Lost",)
    record_url: str | None = None
    """The customer's page in Apptivo, `{}` for its id."""
    business_id_attribute: str | None = Field(default=None, min_length=1)
    """The `customAttributeId` of the field that holds the business id; without one it is never written."""
    requests_per_second: float | None = Field(default=None, gt=0, le=10_000)
    """How many calls a second we allow ourselves, in each gateway process; none is no limit of ours."""
    actions: dict[FeedSource, ActionOverride] = Field(default_factory=dict)

    @field_validator("base_url")
    @classmethod
    def _check_base_url(cls, value: str, info: ValidationInfo) -> str:
        return check_base_url(value, allow_http=bool(info.data.get("allow_http", False)))

    @field_validator("record_url")
    @classmethod
    def _check_record_url(cls, value: str | None) -> str | None:
        if value is None:
            return None
        if "{}" not in value:
            raise ValueError("expected {} where the customer's id belongs")
        if not value.startswith(("https://", "http://")):
            raise ValueError("expected an address such as https://app.apptivo.com/customers/{}")
        return value

    # a firm's stages are folded once, not for each of its opportunities
    @cached_property
    def _won(self) -> frozenset[str]:
        return frozenset(map(_folded, self.won_stages))

    @cached_property
    def _lost(self) -> frozenset[str]:
        return frozenset(map(_folded, self.lost_stages))

    @property
    def stages_are_configured(self) -> bool:
        """Whether the firm named its own stages; only otherwise may a probability of 100 or 0 decide."""
        return bool({"won_stages", "lost_stages"} & self.model_fields_set)

    def outcome(self, stage: object, probability: int | float | None) -> Outcome:
        """What an opportunity's stage and probability (percent) mean to this firm.

        Apptivo marks neither won nor lost (upstream-apis 1.9, U): stages are matched by name, and the
        probability is a guess (G) for firms that named none.
        """
        name = _folded(stage)
        if name in self._won:
            return "won"
        if name in self._lost:
            return "lost"
        if self.stages_are_configured or probability not in (0, 100):
            return "open"
        return "won" if probability == 100 else "lost"


def _folded(stage: Any) -> str:
    return " ".join(stage.split()).casefold() if isinstance(stage, str) else ""

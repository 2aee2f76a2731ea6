# ruff: noqa: S101 - a test-suite says what must hold with assert
"""The contract of `AdapterSpec`: a name, settings, a field table."""

import re

import pytest
from pydantic import ValidationError

from adapters import fields
from adapters.contract import AdapterSpec
from adapters.testing.bench import Hooks, Remote, leaks, secrets_in


class SpecContract(Hooks):
    """What the gateway reads off the spec before it opens an adapter."""

    def test_the_name_can_be_a_table(self) -> None:
        """The spec's name is a plain word, since it is the value of `crm` and the name of a TOML table."""
        assert re.fullmatch(r"[a-z][a-z0-9_]{0,30}", self.spec.name), f"{self.spec.name!r}: a-z, 0-9 and _ only"
        assert isinstance(self.spec, AdapterSpec)

    def test_the_settings_are_frozen_and_know_their_keys(self, remote: Remote) -> None:
        """The settings model takes the hook's settings, refuses unknown keys, and cannot be changed afterwards."""
        given = self.settings(remote.url)
        with pytest.raises(ValidationError, match="no_such_key"):
            self.spec.settings.model_validate({**given, "no_such_key": 1})
        assert self.spec.settings.model_validate(given).model_config.get("frozen") is True, "expected frozen=True"

    def test_the_settings_mask_their_secrets(self, remote: Remote) -> None:
        """There is a secret, typed `adapters.secrets.Secret`, and no secret shows in the settings' repr."""
        settings = self.spec.settings.model_validate(self.settings(remote.url))
        assert secrets_in(settings), "expected at least one field of type adapters.secrets.Secret"
        assert not leaks(repr(settings), settings)

    def test_an_upstream_address_is_encrypted(self) -> None:
        """`base_url` takes https:// anywhere, and http:// on loopback only (`adapters.addresses.check_base_url`)."""
        self.spec.settings.model_validate(self.settings("https://crm.example.com"))
        with pytest.raises(ValidationError):
            self.spec.settings.model_validate(self.settings("http://crm.example.com"))

    def test_the_field_table_compiles(self) -> None:
        """Every expression of the adapter's own field table is JMESPath, and the table is not empty."""
        assert self.spec.fields
        assert fields.faults(self.spec.fields, self.spec.fields) == []

    def test_a_firm_s_own_field_table_is_checked(self) -> None:
        """`check_fields` takes the adapter's own targets, and names a target that there is not, and bad JMESPath."""
        target = next(iter(self.spec.fields))
        assert list(self.spec.check_fields({target: "company_name"})) == []
        assert [fault.partition(":")[0] for fault in self.spec.check_fields({"no such": "name"})] == ["no such"]
        assert [fault.partition(":")[0] for fault in self.spec.check_fields({target: "]["})] == [target]

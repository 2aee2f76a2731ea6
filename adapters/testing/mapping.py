# ruff: noqa: S101 - a test-suite says what must hold with assert
"""The contract of `MappingPreview`, for adapters that keep it; of others these tests ask nothing."""

from collections.abc import Sequence

from adapters.contract import Adapter
from adapters.mapping_preview import MappedRequest, MappingPreview
from adapters.testing.bench import Hooks, Remote


class MappingPreviewContract(Hooks):
    """What would be sent is told without a call."""

    def test_a_preview_makes_no_call(self, remote: Remote) -> None:
        """The CRM hears nothing of it, and holds what it held."""
        journal, before = remote.wire.simulator.journal, remote.size()
        journal.calls.clear()
        self._previewed(remote)
        assert list(journal.calls) == []
        assert remote.size() == before

    def test_a_preview_tells_every_value_or_why_there_is_none(self, remote: Remote) -> None:
        """The company's name is among the values, with the field it comes from; a person's name is, too."""
        requests = self._previewed(remote)
        values = [value for request in requests or () for value in request.values]
        assert all((value.value is None) == (value.left_out is not None) for value in values)
        assert all(value.target and "\n" not in value.target for value in values)
        if requests is not None:
            named = [value for value in values if value.value == self.company().name]
            assert [value for value in named if "company_name" in value.sources], "the name has lost its source"
            assert [value for value in values if "contacts[0].last_name" in value.sources]

    def _previewed(self, remote: Remote) -> Sequence[MappedRequest] | None:
        async def act(adapter: Adapter) -> Sequence[MappedRequest] | None:
            return adapter.preview(self.company()) if isinstance(adapter, MappingPreview) else None

        return self.run(remote, act)

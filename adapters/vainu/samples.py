"""Sample companies as Vainu would push them; `samples.json` says of each what it was made from.

Two are made from the documents' own samples, two more stand in them as namesakes, two are made up.
"""

import json
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any


@dataclass(frozen=True, slots=True)
class SampleCompany:
    """One company: the prospect in the shape of S001's `GET /prospect/{id}/all/`, and its leads."""

    key: str
    source: str
    """"made from a document: …" or "made up; …"."""
    vid: int
    """Vainu's id; the prospect's own fields carry it only inside `vainu_link`, as in S001."""
    domain: str | None
    prospect: Mapping[str, Any]
    leads: tuple[Mapping[str, Any], ...] = ()

    def push_body(self, wrapper: str | None = None) -> dict[str, Any]:
        """The body of an export push: prospect fields at the top, or under `wrapper`; `contacts` and `leads` beside.

        S001 says only "much in the same format as Public Prospect API displays it", so the frame is a guess (G).
        """
        prospect = dict(deepcopy(self.prospect))
        contacts = prospect.pop("contacts", [])
        if wrapper is not None:
            prospect = {wrapper: [prospect] if wrapper == "prospects" else prospect}
        return {**prospect, "contacts": contacts, "leads": deepcopy(list(self.leads))}


@cache
def samples() -> Mapping[str, SampleCompany]:
    """Every sample company by its key: samlink, vainu_finland, vainu_de, vainu_ny, norrsken, fjordlys."""
    text = files("adapters.vainu").joinpath("samples.json").read_text(encoding="utf-8")
    companies = [SampleCompany(**{**row, "leads": tuple(row["leads"])}) for row in json.loads(text)]
    return MappingProxyType({company.key: company for company in companies})

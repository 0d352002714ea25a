"""A quantity spread over places."""

from __future__ import annotations

from hub.documents.base import Part
from hub.documents.parts.identifiers import NO_IDS, Identifiers


class Distribution(Part):
    """How much of an item each place has or gets: stores, warehouses. `quantities` maps the id of the place, of the
    kind that `qualifier` says (`92` the buyer's, `9` D-U-N-S with suffix), to its quantity as it came. X12: SDQ, of
    which one holds ten places."""

    unit: str
    qualifier: str | None = None
    quantities: Identifiers = NO_IDS
    location: str | None = None

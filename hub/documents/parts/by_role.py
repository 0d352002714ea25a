"""Parties by the role that people ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub.documents.parts.parts import Party, find_party


class PartiesByRole:
    """For documents whose `parties` stand on the document itself. A role that nobody has is None; of several words for
    one role the first that is there counts."""

    if TYPE_CHECKING:
        parties: tuple[Party, ...]

    @property
    def ship_to(self) -> Party | None:
        return find_party(self.parties, "ship_to")

    @property
    def bill_to(self) -> Party | None:
        return find_party(self.parties, "bill_to")

    @property
    def buyer(self) -> Party | None:
        return find_party(self.parties, "buyer", "ordered_by")

    @property
    def seller(self) -> Party | None:
        return find_party(self.parties, "seller", "supplier", "vendor")

    @property
    def ship_from(self) -> Party | None:
        return find_party(self.parties, "ship_from")

    @property
    def remit_to(self) -> Party | None:
        return find_party(self.parties, "remit_to", "remittance")

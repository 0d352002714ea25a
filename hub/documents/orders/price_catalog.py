"""The canonical price catalog."""

from __future__ import annotations

import datetime
from typing import ClassVar, Literal

from pydantic import Field

from hub.documents.base import Document, Number, Part
from hub.documents.parts.by_role import PartiesByRole
from hub.documents.parts.commerce import Adjustment, Freight, Routing, Tax, Terms
from hub.documents.parts.goods import Description, Equipment, PackageText, Packaging, Packing, Price
from hub.documents.parts.identifiers import NO_IDS, Identifiers
from hub.documents.parts.lead_time import LeadTime
from hub.documents.parts.line import Subline
from hub.documents.parts.parts import Contact, Measurement, Milestone, Note, Party, Reference


class PriceListReference(Part):
    """The price list that a price comes from. X12: G36."""

    number: str
    issue: str | None = None
    date: datetime.date | None = None
    applies: str | None = None


class CatalogPrice(Price):
    """A price and when, for how many and under which conditions it holds. X12: the CTP loop of 832."""

    dates: tuple[Milestone, ...] = ()
    price_lists: tuple[PriceListReference, ...] = ()
    lead_times: tuple[LeadTime, ...] = ()
    references: tuple[Reference, ...] = ()
    packaging: tuple[Packaging, ...] = ()
    adjustments: tuple[Adjustment, ...] = ()
    taxes: tuple[Tax, ...] = ()


class CatalogSubline(Subline):
    """A component of a catalog item. X12: SLN."""

    prices: tuple[Price, ...] = ()
    packaging: tuple[Packaging, ...] = ()
    measurements: tuple[Measurement, ...] = ()


class CatalogItem(Part):
    """An item with its prices. X12: the LIN loop of 832. `maintenance` keeps its code: `001` change, `002` delete,
    `021` add, ..."""

    for_templates: ClassVar[frozenset[str]] = frozenset(("price",))

    number: str | None = None
    products: Identifiers = NO_IDS
    maintenance: str | None = None
    prices: tuple[CatalogPrice, ...] = ()
    descriptions: tuple[Description, ...] = ()
    measurements: tuple[Measurement, ...] = ()
    packaging: tuple[Packaging, ...] = ()
    package_texts: tuple[PackageText, ...] = ()
    packing: tuple[Packing, ...] = ()
    routings: tuple[Routing, ...] = ()
    equipment: tuple[Equipment, ...] = ()
    dates: tuple[Milestone, ...] = ()
    references: tuple[Reference, ...] = ()
    contacts: tuple[Contact, ...] = ()
    terms: tuple[Terms, ...] = ()
    lead_times: tuple[LeadTime, ...] = ()
    adjustments: tuple[Adjustment, ...] = ()
    freight: tuple[Freight, ...] = ()
    taxes: tuple[Tax, ...] = ()
    parties: tuple[Party, ...] = ()
    sublines: tuple[CatalogSubline, ...] = ()
    notes: tuple[Note, ...] = ()

    @property
    def description(self) -> str | None:
        """The first description in words."""
        return next((d.text for d in self.descriptions if d.text), None)

    def price(self, code: str) -> CatalogPrice | None:
        """The first price with the code (`RES` resale, `WHL` wholesale, `CON` contract, ...)."""
        return next((p for p in self.prices if p.code == code), None)


class PriceCatalog(PartiesByRole, Document):
    """A catalog of items and prices. X12: 832. `type` keeps its code: `PC` price catalog, `SC` sales catalog, ..."""

    kind: ClassVar[str] = "price_catalog"

    document: Literal["price_catalog@1"] = "price_catalog@1"
    number: str = Field(default="", max_length=256, description="The number by which its issuer knows it (BCT02)")
    purpose: str | None = None
    type: str | None = None
    catalog_version: str | None = None
    revision: str | None = None
    unit: str | None = None
    replaces: str | None = Field(default=None, description="The number of the other catalog that BCT06 names")
    replaces_version: str | None = None
    replaces_revision: str | None = None
    text: str | None = None
    currency_party: str | None = None
    exchange_rate: Number | None = None
    prices: tuple[Price, ...] = ()
    references: tuple[Reference, ...] = ()
    contacts: tuple[Contact, ...] = ()
    dates: tuple[Milestone, ...] = ()
    terms: tuple[Terms, ...] = ()
    lead_times: tuple[LeadTime, ...] = ()
    adjustments: tuple[Adjustment, ...] = ()
    packing: tuple[Packing, ...] = ()
    routings: tuple[Routing, ...] = ()
    equipment: tuple[Equipment, ...] = ()
    freight: tuple[Freight, ...] = ()
    package_texts: tuple[PackageText, ...] = ()
    taxes: tuple[Tax, ...] = ()
    parties: tuple[Party, ...] = ()
    notes: tuple[Note, ...] = ()
    items: tuple[CatalogItem, ...] = ()
    line_count: int | None = None
    hash_total: Number | None = Field(default=None, description="The sum that the sender states (CTT02)")

    @property
    def keys(self) -> tuple[tuple[str, str], ...]:
        return (("catalog", self.number),) if self.number else ()

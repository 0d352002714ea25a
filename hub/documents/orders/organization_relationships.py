"""How companies and their places belong together."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import ClassVar, Literal

from pydantic import Field

from hub.documents.base import Document, Part
from hub.documents.parts.by_role import PartiesByRole
from hub.documents.parts.parts import Milestone, Party, Reference


class Organization(Party):
    """A company or a place of it. X12: N1 and what follows it."""

    references: tuple[Reference, ...] = ()


class OrganizationLevel(Part):
    """One node of the tree. X12: HL. `level` is the code it came with (`35` company, `36` operating unit, ...)."""

    for_templates: ClassVar[frozenset[str]] = frozenset(("walk",))

    level: str
    id: str | None = None
    parties: tuple[Organization, ...] = ()
    levels: tuple[OrganizationLevel, ...] = ()

    def walk(self) -> Iterator[OrganizationLevel]:
        """This level and all below it, in the order of the document."""
        yield self
        for level in self.levels:
            yield from level.walk()


class OrganizationRelationships(PartiesByRole, Document):
    """A list of organizations. X12: 816. `parties` are who sends and who gets it; the organizations stand in
    `levels`."""

    kind: ClassVar[str] = "organization_relationships"
    for_templates: ClassVar[frozenset[str]] = frozenset(("walk",))

    document: Literal["organization_relationships@1"] = "organization_relationships@1"
    number: str = Field(default="", max_length=256, description="BHT03")
    structure: str | None = None
    purpose: str | None = None
    date: datetime.date | None = None
    time: str | None = None
    type: str | None = None
    dates: tuple[Milestone, ...] = ()
    references: tuple[Reference, ...] = ()
    parties: tuple[Organization, ...] = ()
    levels: tuple[OrganizationLevel, ...] = ()

    def walk(self) -> Iterator[OrganizationLevel]:
        """All levels, in the order of the document."""
        for level in self.levels:
            yield from level.walk()

    @property
    def keys(self) -> tuple[tuple[str, str], ...]:
        return (("organization_relationships", self.number),) if self.number else ()

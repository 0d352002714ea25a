"""A person or an organisation by its names."""

from __future__ import annotations

from hub.documents.base import Part
from hub.documents.parts.identifiers import NO_IDS, Identifiers
from hub.documents.parts.parts import Address, Contact, Reference


class Person(Part):
    """Somebody with a role: a word as for a party, or the code it came with. X12: NM1. `type` is `1` a person, `2` an
    organisation; `name` is the last name, or that of the organisation; `ids` are as those of a party."""

    role: str
    type: str
    name: str | None = None
    first: str | None = None
    middle: str | None = None
    prefix: str | None = None
    suffix: str | None = None
    ids: Identifiers = NO_IDS
    relationship: str | None = None
    related_role: str | None = None
    names: tuple[str, ...] = ()
    address: Address | None = None
    contacts: tuple[Contact, ...] = ()
    references: tuple[Reference, ...] = ()

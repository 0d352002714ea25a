"""What tells the units of a warehouse's line apart."""

from __future__ import annotations

from hub.documents.base import Part
from hub.documents.parts.appointment import Appointment
from hub.documents.parts.distribution import Distribution
from hub.documents.parts.parts import Party, Reference


class LineDetail(Part):
    """Lots, serial numbers and days of a part of a line. X12: the loop LX between LS and LE."""

    number: str
    references: tuple[Reference, ...] = ()
    appointments: tuple[Appointment, ...] = ()
    parties: tuple[Party, ...] = ()
    distributions: tuple[Distribution, ...] = ()

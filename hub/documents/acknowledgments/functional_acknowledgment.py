"""The functional acknowledgment: what became of a group, transaction by transaction."""

from __future__ import annotations

from typing import ClassVar, Literal

from hub.documents.base import Document, Part


class ErrorContext(Part):
    """What was in force where an error occurred: the trigger of a situational rule, or the business unit it stands in.
    X12: CTX. `name` and `reference` are CTX01, the place is CTX02 to CTX05, the data element numbers are CTX06. Where
    CTX01 is repeated it is kept whole, in extras, and neither has a value."""

    name: str | None = None
    reference: str | None = None
    segment: str | None = None
    position: int | None = None
    loop: str | None = None
    element: int | None = None
    component: int | None = None
    repetition: int | None = None
    number: int | None = None
    component_number: int | None = None


class ElementError(Part):
    """An element that is wrong. X12: AK4, IK4. `position` counts the elements of the segment from 1; `reference` is its
    data element number, `value` a copy of what stood there."""

    position: int
    component: int | None = None
    repetition: int | None = None
    reference: str | None = None
    code: str
    value: str | None = None
    contexts: tuple[ErrorContext, ...] = ()


class SegmentError(Part):
    """A segment that is wrong, or missing. X12: AK3, IK3. `position` counts the segments of the transaction from 1, its
    ST."""

    segment: str
    position: int
    loop: str | None = None
    code: str | None = None
    contexts: tuple[ErrorContext, ...] = ()
    elements: tuple[ElementError, ...] = ()


class AcknowledgedTransaction(Part):
    """What became of one transaction. X12: AK2 to AK5, AK2 to IK5. `status` is `A` accepted, `E` accepted with errors,
    `R` rejected, `M` `W` `X` rejected by a security check; `codes` say why."""

    set: str
    control_number: str
    convention: str | None = None
    status: str | None = None
    codes: tuple[str, ...] = ()
    segments: tuple[SegmentError, ...] = ()


class FunctionalAcknowledgment(Document):
    """What the receiver says of a group. X12: 997, 999. `number` is the control number of the group (AK102), `status`
    as of a transaction, or `P` partially accepted; a transaction that isn't listed was accepted when the group was."""

    kind: ClassVar[str] = "functional_acknowledgment"

    document: Literal["functional_acknowledgment@1"] = "functional_acknowledgment@1"
    group_code: str
    group_version: str | None = None
    status: str
    included: int
    received: int
    accepted: int
    codes: tuple[str, ...] = ()
    transactions: tuple[AcknowledgedTransaction, ...] = ()

    @property
    def keys(self) -> tuple[tuple[str, str], ...]:
        return (("group_control_number", self.number),)

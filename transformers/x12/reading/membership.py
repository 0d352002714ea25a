"""What a transaction has to do with the group it stands in, and a group with its interchange: the code of its kind, and
a number of its own."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from hub.core.agreement import Agreement
from hub.core.errors import DecodeError
from transformers.x12.declarations.catalogue import NEWEST, known_sets, set_declaration
from transformers.x12.envelope.event import Event
from transformers.x12.reading.transaction import Transaction

SECURITY = "005010"
"""Before this release 18 (AK502) and 19 (AK905) speak of security segments; what is wrong with a group is 6."""


def as_member(read: Transaction, gs: Sequence[str], event: Event, agreement: Agreement, *, again: bool) -> Transaction:
    """The transaction, refused where its set isn't of the group's kind (unless the agreement accepts errors), and where
    its control number stands in the group before (`again`) and the agreement cares for duplicates; else with a
    warning."""
    if read.error is None and (wrong := _other_kind(read.set, gs)):
        accepts = agreement.acknowledge is not None and agreement.acknowledge.errors == "accept"
        code = "18" if _at(gs, 8) >= SECURITY else "6"
        read = _refused(read, event, "ST01", code, wrong) if not accepts else _warned(read, wrong)
    if not again:
        return read
    text = f"ST02 {read.control_number!r} comes twice in the group"
    return _warned(read, text) if agreement.duplicate_days is None else _refused(read, event, "ST02", "23", text)


def repeated_group(gs: Sequence[str], event: Event) -> DecodeError:
    """Why a group whose number stands in its interchange before is refused, where the agreement cares for
    duplicates."""
    code = "19" if _at(gs, 8) >= SECURITY else "6"
    text = f"GS06 {_at(gs, 6)!r} comes twice in the interchange"
    return DecodeError(text, segment="GS", element="GS06", offset=event.offset, code=code)


def _other_kind(name: str, gs: Sequence[str]) -> str | None:
    kind = kinds().get(name)
    if not gs or kind is None or _at(gs, 1) == kind:
        return None
    return f"GS01 is {_at(gs, 1)[:10]!r}, and a {name} stands in a group of {kind}"


@lru_cache(maxsize=1)
def kinds() -> dict[str, str]:
    """By transaction set, the functional identifier code of its group (GS01)."""
    return {name: set_declaration(name, NEWEST).group for name in known_sets()}


def _warned(read: Transaction, text: str) -> Transaction:
    return read._replace(warnings=(*read.warnings, text))


def _refused(read: Transaction, event: Event, element: str, code: str, text: str) -> Transaction:
    error = DecodeError(text, segment="ST", element=element, offset=event.offset, code=code)
    return read._replace(document=None, error=error, findings=())


def _at(elements: Sequence[str], index: int) -> str:
    return elements[index] if index < len(elements) else ""

"""What we say of a transaction that we refuse for its totals: the 824, as a canonical document.

The 997 has accepted it: that one speaks of syntax (decision 5). Codes: `TR` of element 110 (OTI01, the transaction set
is rejected), `010` of element 647 (TED01, total out of balance); element 128 (OTI02) names the business document.
Sources: the public dictionaries of release 004010 (stedi.com, kasoftware.com).
"""

from __future__ import annotations

from collections.abc import Sequence

from hub.documents import ApplicationAdvice, Document
from hub.documents.acknowledgments.application_advice import AdvisedTransaction, ApplicationError
from transformers.x12.reading.transaction import Transaction
from transformers.x12.validation.totals import WrongTotal

ADVICE = "824"
REJECTED = "TR"
OUT_OF_BALANCE = "010"

QUALIFIERS = {"order": "PO", "order_change": "PO", "order_acknowledgment": "PO", "invoice": "IV", "ship_notice": "SI"}
"""By kind of document, what its number is (element 128). Of others the number of the transaction is named (TN)."""

LONGEST_TEXT = 60
LONGEST_NUMBER = 30
LONGEST_VALUE = 99


def application_advice(read: Transaction, gs: Sequence[str], partner: str) -> ApplicationAdvice:
    """Of a transaction that has a document and contradictions. `gs`: the elements of its group's GS. It has no date:
    that is the day on which it is written."""
    document = read.document
    assert document is not None  # noqa: S101 - the caller has looked
    return ApplicationAdvice(
        number=f"{_at(gs, 6) or '0'}-{read.control_number}"[:LONGEST_NUMBER],
        partner=partner,
        purpose="00",
        transactions=(_rejected(read, document, gs),),
    )


def _rejected(read: Transaction, document: Document, gs: Sequence[str]) -> AdvisedTransaction:
    qualifier = QUALIFIERS.get(document.kind, "TN")
    reference = document.number if qualifier != "TN" else read.control_number
    group, number = _at(gs, 6), read.control_number
    numbered = group.isdecimal() and len(group) < 10
    return AdvisedTransaction(
        result=REJECTED,
        qualifier=qualifier,
        reference=reference[:LONGEST_NUMBER],
        sender=_at(gs, 2) or None,
        receiver=_at(gs, 3) or None,
        group_control_number=group if numbered else None,
        control_number=number if numbered and 4 <= len(number) < 10 else None,
        set=read.set,
        errors=tuple(map(_error, read.contradictions)),
    )


def _error(found: WrongTotal) -> ApplicationError:
    place = (found.segment, found.position, found.element) if found.position else (None, None, None)
    segment, position, element = place
    return ApplicationError(
        code=OUT_OF_BALANCE,
        text=found.sentence[:LONGEST_TEXT].rstrip(),
        segment=segment,
        position=position,
        element=element,
        number=int(found.reference) if found.position and found.reference.isdecimal() else None,
        value=found.stated[:LONGEST_VALUE],
    )


def _at(elements: Sequence[str], index: int) -> str:
    return elements[index] if index < len(elements) else ""

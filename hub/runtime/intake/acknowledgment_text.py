"""What an acknowledgment means for us, in words. Codes: X12 data elements 715 to 723 and I18."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hub.core.ack import Ack
from hub.documents import FunctionalAcknowledgment
from hub.documents.acknowledgments.functional_acknowledgment import AcknowledgedTransaction
from hub.journal.interchanges.acknowledgments import TransactionVerdict

TAKING = frozenset(("A", "E", None))
"""What AK501 says of a transaction that was taken, or doesn't say. R, M, W and X refuse it; so does a code that nobody
knows, so that somebody looks."""

TAKING_GROUP = frozenset("AEP")
"""What AK901 says of a group of which something was taken."""

WORST = (Ack.REJECTED, Ack.ACCEPTED_WITH_ERRORS, Ack.ACCEPTED)

MOST_ERRORS = 20

GROUP: Mapping[str, str] = {
    "1": "the group isn't supported",
    "2": "the group's version isn't supported",
    "3": "the group's trailer is missing",
    "4": "the group control numbers in header and trailer differ",
    "5": "the number of transactions differs from the trailer's",
    "6": "the group control number is wrong",
}
TRANSACTION: Mapping[str, str] = {
    "1": "the set isn't supported",
    "2": "the trailer is missing",
    "3": "the control numbers in header and trailer differ",
    "4": "the number of segments differs from the trailer's",
    "5": "segments are in error",
    "6": "the set's identifier is missing or wrong",
    "7": "the control number is missing or wrong",
}
SEGMENT: Mapping[str, str] = {
    "1": "its id isn't known",
    "2": "it wasn't expected here",
    "3": "it is mandatory and missing",
    "4": "its loop occurs too often",
    "5": "it occurs too often",
    "6": "the set doesn't have it",
    "7": "it stands at the wrong place",
    "8": "its elements are in error",
}
ELEMENT: Mapping[str, str] = {
    "1": "is mandatory and missing",
    "2": "is missing, which others make mandatory",
    "3": "is one too many",
    "4": "is too short",
    "5": "is too long",
    "6": "has a character that isn't allowed",
    "7": "has a code that isn't allowed",
    "8": "is no valid date",
    "9": "is no valid time",
    "10": "excludes another one that is there",
}


@dataclass(frozen=True, slots=True)
class Judgement:
    """What became of what we sent: the status, who says so (997), and the errors in one sentence (empty: none). Of a
    batch: the verdicts by transaction, and that of the others."""

    status: Ack
    by: str
    text: str
    transactions: Mapping[str, TransactionVerdict]
    others: TransactionVerdict


def judgement_of(document: Any, by: str) -> Judgement:
    """Of a functional or an interchange acknowledgment."""
    if isinstance(document, FunctionalAcknowledgment):
        listed = _listed(document)
        text = "; ".join(_first(_errors(document)))
        return Judgement(_status(document), by, text, listed, _others(document, listed.values()))
    note = str(getattr(document, "note", None) or "")
    text = f"note code {note}" if note.strip("0") else ""
    status = Ack.REJECTED if document.status == "R" else Ack.NOTED
    return Judgement(status, by, text, {}, TransactionVerdict(status, text))


def _listed(document: FunctionalAcknowledgment) -> dict[str, TransactionVerdict]:
    """By transaction; of one that is listed more than once the worst."""
    found: dict[str, TransactionVerdict] = {}
    for transaction in document.transactions:
        name, verdict = _ordinal(transaction.control_number), _verdict(document, transaction)
        found[name] = min(found.get(name, verdict), verdict, key=lambda one: WORST.index(one.status))
    return found


def _status(document: FunctionalAcknowledgment) -> Ack:
    """Rejected when the group or our transaction in it is; partially accepted alone rejects nothing of ours."""
    found = {transaction.status for transaction in document.transactions}
    if document.status not in TAKING_GROUP or found - TAKING:
        return Ack.REJECTED
    listed_all = bool(document.transactions) and found <= {"A"}
    if "E" in found or document.status == "E" or (document.status == "P" and not listed_all):
        return Ack.ACCEPTED_WITH_ERRORS
    return Ack.ACCEPTED


def _verdict(document: FunctionalAcknowledgment, transaction: AcknowledgedTransaction) -> TransactionVerdict:
    """Of a transaction that is listed; in a group that is rejected nothing is accepted."""
    text = "; ".join(_first(_transaction_errors(transaction)))
    if document.status not in TAKING_GROUP or transaction.status not in TAKING:
        return TransactionVerdict(Ack.REJECTED, text or "; ".join(_group_errors(document)))
    return TransactionVerdict(Ack.ACCEPTED_WITH_ERRORS if transaction.status == "E" else Ack.ACCEPTED, text)


def _others(document: FunctionalAcknowledgment, listed: Iterable[TransactionVerdict]) -> TransactionVerdict:
    """Of the transactions that aren't listed: as the group's. Those of a group that is accepted in part, where none
    that is listed was rejected, may be the rejected ones: they count as such, so that somebody looks."""
    if document.status not in TAKING_GROUP:
        return TransactionVerdict(Ack.REJECTED, "; ".join(_group_errors(document)))
    found = [verdict.status for verdict in listed]
    if document.status == "P" and Ack.REJECTED not in found:
        return TransactionVerdict(Ack.REJECTED, "the group was accepted in part, and it isn't said which part")
    return TransactionVerdict(Ack.ACCEPTED_WITH_ERRORS if document.status == "E" and not found else Ack.ACCEPTED)


def _ordinal(control_number: str) -> str:
    """`0003` as `3`."""
    text = control_number.strip()
    return str(int(text)) if text.isascii() and text.isdigit() else text


def _errors(document: FunctionalAcknowledgment) -> Iterator[str]:
    yield from _group_errors(document)
    for transaction in document.transactions:
        yield from _transaction_errors(transaction)


def _group_errors(document: FunctionalAcknowledgment) -> Iterator[str]:
    for code in document.codes:
        yield f"group: {_meaning(GROUP, code)}"


def _transaction_errors(transaction: AcknowledgedTransaction) -> Iterator[str]:
    for code in transaction.codes:
        yield f"set {transaction.set}: {_meaning(TRANSACTION, code)}"
    for segment in transaction.segments:
        place = f"{segment.segment} at {segment.position}"
        if segment.code is not None and not (segment.code == "8" and segment.elements):
            yield f"{place}: {_meaning(SEGMENT, segment.code)}"
        for element in segment.elements:
            part = f"-{element.component}" if element.component else ""
            value = f", found {element.value!r}" if element.value is not None else ""
            yield f"{place}: element {element.position}{part} {_meaning(ELEMENT, element.code)}{value}"


def _meaning(table: Mapping[str, str], code: str) -> str:
    meaning = table.get(code)
    return f"{meaning} (code {code})" if meaning else f"code {code}"


def _first(errors: Iterator[str]) -> list[str]:
    found = list(errors)
    more = len(found) - MOST_ERRORS
    return found if more <= 0 else [*found[:MOST_ERRORS], f"{more} more"]

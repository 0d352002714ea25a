"""What an acknowledgment means for us, in words. Status codes: X12 data elements 715, 717 and I18."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from hub.core.ack import Ack, AckCodeNames
from hub.documents import FunctionalAcknowledgment
from hub.documents.acknowledgments.functional_acknowledgment import AcknowledgedTransaction
from hub.journal.interchanges.acknowledgments import TransactionVerdict
from hub.runtime.intake.acknowledgment_errors import AcknowledgmentErrors

TAKING = frozenset(("A", "E", None))
"""What AK501 says of a transaction that was taken, or doesn't say. R, M, W and X refuse it; so does a code that nobody
knows, so that somebody looks."""

TAKING_GROUP = frozenset("AEP")
"""What AK901 says of a group of which something was taken."""

WORST = (Ack.REJECTED, Ack.ACCEPTED_WITH_ERRORS, Ack.ACCEPTED)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What became of what we sent: the status, who says so (997), and the errors in one sentence (empty: none). Of a
    batch: the verdicts by transaction, and that of the others."""

    status: Ack
    by: str
    text: str
    transactions: Mapping[str, TransactionVerdict]
    others: TransactionVerdict


def judgement_of(document: Any, by: str, names: AckCodeNames) -> Judgement:
    """Of a functional or an interchange acknowledgment."""
    if isinstance(document, FunctionalAcknowledgment):
        errors = AcknowledgmentErrors(document, names)
        listed = _listed(document, errors)
        others = _others(document, listed.values(), errors)
        return Judgement(_status(document), by, errors.all(), listed, others)
    note = str(getattr(document, "note", None) or "")
    text = f"note code {note}" if note.strip("0") else ""
    status = Ack.REJECTED if document.status == "R" else Ack.NOTED
    return Judgement(status, by, text, {}, TransactionVerdict(status, text))


def _listed(document: FunctionalAcknowledgment, errors: AcknowledgmentErrors) -> dict[str, TransactionVerdict]:
    """By transaction; of one that is listed more than once the worst."""
    found: dict[str, TransactionVerdict] = {}
    for transaction in document.transactions:
        name, verdict = _ordinal(transaction.control_number), _verdict(document, transaction, errors)
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


def _verdict(
    document: FunctionalAcknowledgment, transaction: AcknowledgedTransaction, errors: AcknowledgmentErrors
) -> TransactionVerdict:
    """Of a transaction that is listed; in a group that is rejected nothing is accepted."""
    text = errors.of_transaction(transaction)
    if document.status not in TAKING_GROUP or transaction.status not in TAKING:
        return TransactionVerdict(Ack.REJECTED, text or errors.of_group())
    return TransactionVerdict(Ack.ACCEPTED_WITH_ERRORS if transaction.status == "E" else Ack.ACCEPTED, text)


def _others(
    document: FunctionalAcknowledgment, listed: Iterable[TransactionVerdict], errors: AcknowledgmentErrors
) -> TransactionVerdict:
    """Of the transactions that aren't listed: as the group's. Those of a group that is accepted in part, where none
    that is listed was rejected, may be the rejected ones: they count as such, so that somebody looks."""
    if document.status not in TAKING_GROUP:
        return TransactionVerdict(Ack.REJECTED, errors.of_group())
    found = [verdict.status for verdict in listed]
    if document.status == "P" and Ack.REJECTED not in found:
        return TransactionVerdict(Ack.REJECTED, "the group was accepted in part, and it isn't said which part")
    return TransactionVerdict(Ack.ACCEPTED_WITH_ERRORS if document.status == "E" and not found else Ack.ACCEPTED)


def _ordinal(control_number: str) -> str:
    """`0003` as `3`."""
    text = control_number.strip()
    return str(int(text)) if text.isascii() and text.isdigit() else text

"""The errors that a functional acknowledgment names, as sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain

from hub.core.ack import AckCodeNames
from hub.documents import FunctionalAcknowledgment
from hub.documents.acknowledgments.functional_acknowledgment import AcknowledgedTransaction

MOST_ERRORS = 20


class AcknowledgmentErrors:
    """Of one document: joined by semicolons, of many the first ones; empty: none."""

    def __init__(self, document: FunctionalAcknowledgment, names: AckCodeNames) -> None:
        self._document = document
        self._names = names

    def all(self) -> str:
        return joined(chain(self._of_group(), *map(self._of_transaction, self._document.transactions)))

    def of_group(self) -> str:
        return joined(self._of_group())

    def of_transaction(self, transaction: AcknowledgedTransaction) -> str:
        return joined(self._of_transaction(transaction))

    def _of_group(self) -> Iterator[str]:
        for code in self._document.codes:
            yield f"group: {_named(self._names.group, code)}"

    def _of_transaction(self, transaction: AcknowledgedTransaction) -> Iterator[str]:
        for code in transaction.codes:
            yield f"set {transaction.set}: {_named(self._names.transaction, code)}"
        for segment in transaction.segments:
            place = f"{segment.segment} at {segment.position}"
            if segment.code is not None and not (segment.code == "8" and segment.elements):
                yield f"{place}: {_named(self._names.segment, segment.code)}"
            for element in segment.elements:
                part = f"-{element.component}" if element.component else ""
                value = f", found {element.value!r}" if element.value is not None else ""
                yield f"{place}: element {element.position}{part}: {_named(self._names.element, element.code)}{value}"


def _named(names: Mapping[str, str], code: str) -> str:
    name = names.get(code)
    return f"{name} (code {code})" if name else f"code {code}"


def joined(errors: Iterator[str]) -> str:
    found = list(errors)
    more = len(found) - MOST_ERRORS
    return "; ".join(found if more <= 0 else [*found[:MOST_ERRORS], f"{more} more"])

"""What is in a file, as JSON: written while the file is read, so that its size doesn't matter."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

import orjson

from transformers.x12.finding import SegmentFinding
from transformers.x12.lineage.inspection import Closed, GroupSeen, InterchangeSeen, Seen, Stray, TransactionSeen


def error_dict(finding: SegmentFinding) -> dict[str, Any]:
    """One error. What isn't known of it is null, or left out where only few errors have it."""
    found: dict[str, Any] = {
        "code": finding.code,
        "segment": finding.segment or None,
        "position": finding.position or None,
        "element": finding.element,
        "message": finding.text,
    }
    more = {
        "component": finding.component,
        "repetition": finding.repetition,
        "loop": finding.loop,
        "reference": finding.reference,
        "value": finding.value,
        "offset": finding.offset,
    }
    return found | {name: value for name, value in more.items() if value is not None}


def transaction_dict(seen: TransactionSeen) -> dict[str, Any]:
    read = seen.read
    found: dict[str, Any] = {
        "set": read.set,
        "control_number": read.control_number,
        "segments": read.segments,
        "status": seen.status,
        "errors": [error_dict(finding) for finding in seen.findings],
    }
    return found | ({"warnings": list(read.warnings)} if read.warnings else {})


class JsonReport:
    """Takes what is seen in its order, and prints one JSON value."""

    def __init__(self) -> None:
        self._errors: dict[str, list[dict[str, Any]]] = {"body": [], "interchange": [], "group": []}
        self._first = True

    def print(self, seen: Iterable[Seen]) -> None:
        self._write('{"interchanges": [')
        for one in seen:
            self._take(one)
        self._write("\n]" if not self._first else "]")
        self._write(f', "errors": {_json(self._errors["body"])}}}\n')

    def _take(self, one: Seen) -> None:
        match one:
            case InterchangeSeen():
                isa = one.elements
                self._begin("interchange", one.refusal, "\n  ")
                self._write(_head(control_number=isa[13], sender=isa[6], receiver=isa[8], key="groups"))
            case GroupSeen():
                self._begin("group", one.refusal, "\n    ")
                self._write(_head(control_number=one.element(6), version=one.element(8), key="transactions"))
            case TransactionSeen():
                self._separate("\n      ")
                self._write(_json(transaction_dict(one)))
            case Stray():
                self._errors[one.level].append(error_dict(one.finding))
            case Closed():
                self._write(f'], "errors": {_json(self._errors[one.level])}}}')
                self._first = False
            case _:
                pass

    def _begin(self, level: str, refusal: SegmentFinding | None, indent: str) -> None:
        self._separate(indent)
        self._first = True
        self._errors[level] = [error_dict(refusal)] if refusal else []

    def _separate(self, indent: str) -> None:
        self._write(indent if self._first else f",{indent}")
        self._first = False

    @staticmethod
    def _write(text: str) -> None:
        sys.stdout.write(text)


def _head(*, key: str, **values: str) -> str:
    fields = ", ".join(f'"{name}": {_json(value)}' for name, value in values.items())
    return f'{{{fields}, "{key}": ['


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()

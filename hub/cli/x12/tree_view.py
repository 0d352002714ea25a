"""A file as an indented tree, its errors in place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from hub.cli.x12.lines import (
    delimiter_line,
    element_line,
    error_line,
    group_line,
    interchange_line,
    line,
    segment_line,
    show,
    transaction_line,
    warning_line,
)
from hub.cli.x12.tally import SeenTally
from transformers.x12.declarations.catalogue import known_sets, set_declaration
from transformers.x12.envelope.delimiters import as_text
from transformers.x12.finding import SegmentFinding
from transformers.x12.lineage.inspection import (
    AcknowledgmentSeen,
    Closed,
    GroupSeen,
    InterchangeSeen,
    Seen,
    Stray,
    TransactionSeen,
)
from transformers.x12.lineage.tree import SegmentNode, annotated, segment_texts


class TreeView:
    """Prints what is seen in its order. `brief`: of transactions only those with errors, and of these only the segments
    with errors; of each group how much was accepted. `only_errors`: the same of segments, and no counts."""

    def __init__(self, *, brief: bool = False, only_errors: bool = False) -> None:
        self._brief = brief
        self._only_errors = only_errors or brief
        self._group = SeenTally()

    def print(self, seen: Iterable[Seen]) -> None:
        for one in seen:
            self._group.count(one)
            self._take(one)

    def _take(self, one: Seen) -> None:
        match one:
            case InterchangeSeen():
                self._interchange(one)
            case GroupSeen():
                self._group = SeenTally()
                show(group_line(one))
                self._errors([one.refusal] if one.refusal else [], 2)
            case TransactionSeen():
                self._transaction(one)
            case AcknowledgmentSeen():
                show(line(1, ("TA1", "bold cyan"), *one.elements[1:]))
            case Stray():
                self._errors([one.finding], {"body": 0, "interchange": 1, "group": 2}[one.level])
            case Closed(level="group") if self._brief:
                show(line(2, str(self._group).partition(": ")[2] or "no transactions"))
            case _:
                pass

    def _interchange(self, one: InterchangeSeen) -> None:
        show(interchange_line(one))
        show(delimiter_line(one))
        self._errors([one.refusal] if one.refusal else [], 1)
        for text in one.warnings:
            show(warning_line(text, 1))

    @staticmethod
    def _errors(findings: list[SegmentFinding], depth: int) -> None:
        for finding in findings:
            show(error_line(finding, depth, placed=False))

    def _transaction(self, seen: TransactionSeen) -> None:
        if self._brief and not seen.findings:
            return
        name = _set_name(seen.read.set)
        show(transaction_line(seen, 2, name))
        for text in seen.read.warnings if not self._only_errors else ():
            show(warning_line(text, 3))
        errors: dict[int, list[SegmentFinding]] = {}
        for finding in seen.findings:
            errors.setdefault(finding.position, []).append(finding)
        for finding in (*errors.pop(0, ()), *errors.pop(1, ())):
            show(error_line(finding, 3))
        self._segments(seen, errors)
        for finding in (f for found in errors.values() for f in found):
            show(error_line(finding, 3, placed=False))

    def _segments(self, seen: TransactionSeen, errors: dict[int, list[SegmentFinding]]) -> None:
        """Takes out of `errors` what it prints."""
        shown: tuple[str, ...] = ()
        for node in _nodes(seen):
            found = errors.pop(node.position, [])
            if self._only_errors and not found:
                continue
            for depth, loop in enumerate(node.loops, 1):
                if node.loops[:depth] != shown[:depth]:
                    show(line(2 + node.depth - len(node.loops) + depth, (f"loop {loop}", "magenta")))
            shown = node.loops
            self._segment(node, found)

    @staticmethod
    def _segment(node: SegmentNode, found: list[SegmentFinding]) -> None:
        depth = 3 + node.depth
        show(segment_line(node, depth))
        for element in node.elements:
            show(element_line(node.id, element, depth + 1))
        for finding in found:
            show(error_line(finding, depth + 1))


def _nodes(seen: TransactionSeen) -> Iterator[SegmentNode]:
    """The segments between ST and SE."""
    agreement = seen.agreement
    marks = as_text(seen.delimiters, agreement.charset == "basic")
    texts = segment_texts(seen.event, seen.delimiters, agreement.charset)
    name = seen.read.set
    version = agreement.read_version(name, seen.version)
    return annotated(texts[1:], name, version, marks, agreement.overlays.get(name, ()))


def _set_name(name: str) -> str:
    return set_declaration(name, "004010").name if name in known_sets() else ""

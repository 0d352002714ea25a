"""The lines in which people read what is in an X12 file."""

from __future__ import annotations

import sys

from rich.text import Text

from hub.cli.shell.output import one_line, out
from hub.cli.x12.tally import SeenTally
from transformers.x12.declarations.code_names import code_name, date_text, time_text
from transformers.x12.finding import SegmentFinding
from transformers.x12.lineage.inspection import GroupSeen, InterchangeSeen, TransactionSeen
from transformers.x12.lineage.tree import ElementNode, SegmentNode

STYLES = {"accepted": "green", "accepted_with_errors": "yellow", "rejected": "red"}
NAME_WIDTH = 38
LONGEST = 200
"""Characters of a value that are shown."""


def show(text: Text) -> None:
    """Prints a line."""
    if out.is_terminal:
        out.print(text)
    else:
        sys.stdout.write(f"{text.plain}\n")


def safe(text: object, longest: int = LONGEST) -> str:
    """A value on one line: nothing in it steers the terminal."""
    shown = one_line(text)
    return shown if len(shown) <= longest or longest > LONGEST else f"{shown[:longest]}... ({len(shown)} characters)"


def line(depth: int, *parts: tuple[str, str] | str, whole: bool = False) -> Text:
    """Parts with two blanks between them, each plain or with its style; `whole`: however long they are."""
    made = Text("  " * depth)
    shown = [part if isinstance(part, tuple) else (part, "") for part in parts]
    for number, (text, style) in enumerate(part for part in shown if part[0]):
        made.append("  " if number else "")
        made.append(safe(text, len(text) if whole else LONGEST), style)
    return made


def interchange_line(seen: InterchangeSeen) -> Text:
    isa = seen.elements
    kinds = {"P": "production", "T": "test", "I": "information"}
    who = f"{isa[5]}/{isa[6]} -> {isa[7]}/{isa[8]}"
    partner = f"({seen.agreement.partner})" if seen.agreement.partner else ""
    when = f"{date_text(isa[9])} {time_text(isa[10])}".strip()
    return line(
        0, (f"interchange {isa[13]}", "bold"), who, partner, when, f"version {isa[12]}", kinds.get(isa[15], isa[15])
    )


def delimiter_line(seen: InterchangeSeen) -> Text:
    marks = seen.delimiters
    named = (
        ("elements", marks.element),
        ("components", marks.component),
        ("repetitions", marks.repetition),
        ("segments", marks.terminator),
    )
    return line(1, (f"separators: {', '.join(f'{name} {_show(byte)}' for name, byte in named if byte)}", "dim"))


def _show(byte: bytes) -> str:
    text = byte.decode("latin-1")
    return text if text.isprintable() and text != " " else repr(text)[1:-1]


def group_line(seen: GroupSeen) -> Text:
    if not seen.elements:
        return line(1, ("group without a GS", "bold"))
    who = f"{seen.element(2)} -> {seen.element(3)}"
    when = f"{date_text(seen.element(4))} {time_text(seen.element(5))}".strip()
    code = f"{seen.element(1)} {code_name('479', seen.element(1))}".strip()
    return line(1, (f"group {seen.element(6)}", "bold"), code, who, when, f"version {seen.element(8)}")


def transaction_line(seen: TransactionSeen, depth: int, name: str = "") -> Text:
    read = seen.read
    document = read.document
    what = f"{document.kind} {document.number}" if document is not None else ""
    title = f"{read.set or '?'} {name}".strip()
    with_others = seen.status == "rejected" and not seen.findings
    status = (seen.status.replace("_", " ") + (" with its group" if with_others else ""), STYLES[seen.status])
    segments = f"{read.segments} segment{'' if read.segments == 1 else 's'}"
    return line(depth, f"#{seen.number}", (title, "bold"), read.control_number, status, what, segments)


def segment_line(node: SegmentNode, depth: int) -> Text:
    style = "bold cyan" if node.placed else "bold red"
    return line(depth, (node.id, style), (node.name, "dim"))


def element_line(segment: str, node: ElementNode, depth: int) -> Text:
    place = f"{segment}{node.position:02}" + (f"-{node.component}" if node.component else "")
    place += f"[{node.repetition}]" if node.repetition else ""
    value = safe(node.text)
    parts = line(depth, (f"{place:<8}", "cyan"), (f"{node.name:<{NAME_WIDTH}}" if node.name else "", "dim"))
    parts.append("  ").append(value)
    if node.meaning:
        parts.append("  ").append(f"({safe(node.meaning)})", "green")
    return parts


def error_line(finding: SegmentFinding, depth: int, *, placed: bool = True) -> Text:
    """`placed`: it stands under the segment that it concerns. Else it says where that is."""
    where = finding.where if finding.segment and (finding.element or not placed) else ""
    if finding.position and finding.element and not placed:
        where += f" in segment {finding.position}"
    where = f" at {where}" if where and finding.position else f" at {finding.segment}" if finding.segment else ""
    byte = f", byte {finding.offset}" if finding.offset is not None and not placed else ""
    loop = f", loop {finding.loop}" if finding.loop and not placed else ""
    return line(depth, (f"! error {finding.code}{where}{loop}{byte}: {finding.text}", "red"))


def warning_line(text: str, depth: int) -> Text:
    return line(depth, (f"! warning: {text}", "yellow"))


def tally_line(tally: SeenTally) -> Text:
    return line(0, (str(tally), "green" if tally.good else "red"))

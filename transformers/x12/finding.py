"""Something wrong in a transaction, with all that a 997, a 999 or a person wants to know of it."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class SegmentFinding:
    """`code` is that of AK304 for what concerns the whole segment (`element` None), and that of AK403 for an element;
    the 999 has the same in IK304 and IK403. `position` counts segments from 1 (ST); `element`, `component` and
    `repetition` count from 1. `loop` is the innermost loop around the segment, `reference` the number of the data
    element, `trigger` the element by which another one is demanded or excluded, `opens`: the missing segment would
    begin a loop, `implementation` the code that the 999 has for what only the partner's rules make wrong, `offset`
    where the segment begins in the body (bytes, from 0; None before it is known). `warning`: the transaction is taken
    all the same. `passed`: what is read goes on as if the segment weren't there."""

    code: str
    segment: str
    position: int
    text: str
    element: int | None = None
    component: int | None = None
    repetition: int | None = None
    loop: str | None = None
    reference: str | None = None
    value: str | None = None
    trigger: int | None = None
    offset: int | None = field(default=None, compare=False)
    warning: bool = False
    opens: bool = False
    passed: bool = False
    implementation: str | None = None

    @property
    def where(self) -> str:
        """`PO1[4]`, `PO107`, `MEA04-2`: the segment with its position, or the element with its component."""
        if self.element is None:
            return f"{self.segment}[{self.position}]"
        return f"{self.segment}{self.element:02}" + (f"-{self.component}" if self.component else "")

    @property
    def sentence(self) -> str:
        """With its place, for a warning."""
        return f"{self.where}: {self.text}"


def quoted(text: str) -> str:
    """A value as the text of a finding shows it: of a long one the beginning."""
    return repr(text) if len(text) <= 40 else f"{text[:40]!r}..."

"""Where a reading stands in the bytes of its arrival: interchange, group and transaction, and the parts that steps have
made of it."""

from __future__ import annotations

from collections.abc import Sequence

PART = "part-"
"""How the position of a part begins that `split` has made: `1.1.3.part-EA`."""


def position_text(position: Sequence[str]) -> str:
    """A position as the journal writes it: `1.1.3`."""
    return ".".join(position)


def without_parts(position: str) -> str:
    """Where in the bytes it stands: the position without the parts that `split` has made."""
    return position_text([place for place in position.split(".") if not place.startswith(PART)])


def wanted(only: str | None, position: str, part: bool) -> bool:
    """Whether what stands at `position` is to be taken when only one place is. `part`: it isn't known yet which parts
    it has."""
    if only is None or only == position or answers(position, only):
        return True
    return part and only.startswith(f"{position}.{PART}" if position else PART)


def answers(position: str, only: str) -> bool:
    """Whether at a position stands the acknowledgment of the group, or of the interchange, in which a transaction
    stands: the verdict on it may change when the transaction is read again."""
    transaction = only.split(".")[:3]
    return len(transaction) == 3 and position in (f"{transaction[0]}.{transaction[1]}.ack", f"{transaction[0]}.ta1")

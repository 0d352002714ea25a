"""How much of a file was accepted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from transformers.x12.lineage.inspection import GroupSeen, InterchangeSeen, Seen, Stray, TransactionSeen


class SeenTally:
    """Counts what is seen."""

    def __init__(self) -> None:
        self.statuses: Counter[str] = Counter()
        self.interchanges = 0
        self.groups = 0
        self.envelope_errors = 0

    def count(self, seen: Seen) -> None:
        match seen:
            case TransactionSeen():
                self.statuses[seen.status] += 1
            case InterchangeSeen() | GroupSeen():
                self.envelope_errors += seen.refusal is not None
                self.interchanges += isinstance(seen, InterchangeSeen)
                self.groups += isinstance(seen, GroupSeen)
            case Stray():
                self.envelope_errors += 1
            case _:
                pass

    def counting(self, seen: Iterable[Seen]) -> Iterator[Seen]:
        """The same, counted as it passes."""
        for one in seen:
            self.count(one)
            yield one

    @property
    def good(self) -> bool:
        """Nothing was rejected."""
        return not self.envelope_errors and not self.statuses["rejected"]

    def __str__(self) -> str:
        total = sum(self.statuses.values())
        counted = [f"{self.statuses[s]} {s.replace('_', ' ')}" for s in _ORDER if self.statuses[s]]
        if self.envelope_errors:
            counted.append(_many(self.envelope_errors, "envelope error"))
        head = (
            f"{_many(total, 'transaction')} in {_many(self.groups, 'group')}, {_many(self.interchanges, 'interchange')}"
        )
        return f"{head}: {', '.join(counted)}" if counted else head


_ORDER = ("accepted", "accepted_with_errors", "rejected")


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"

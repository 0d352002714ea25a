"""Which of the transactions of a file are looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from transformers.x12.lineage.inspection import Closed, GroupSeen, InterchangeSeen, Seen, Stray, TransactionSeen


def chosen(seen: Iterable[Seen], wanted: Callable[[TransactionSeen], bool], *, strays: bool = True) -> Iterator[Seen]:
    """Only the transactions that are wanted, with the interchanges and groups around them; `strays`: and whatever is
    wrong with an envelope."""
    waiting: list[Seen] = []
    opened: list[bool] = []
    for one in seen:
        match one:
            case InterchangeSeen() | GroupSeen():
                waiting.append(one)
                opened.append(False)
                show = strays and one.refusal is not None
            case TransactionSeen():
                show = wanted(one)
            case Stray():
                show = strays
            case _:
                show = False
        if show:
            yield from waiting
            opened = [True] * len(opened)
            waiting = []
            if not isinstance(one, InterchangeSeen | GroupSeen):
                yield one
        if isinstance(one, Closed):
            if opened.pop():
                yield one
            else:
                waiting.pop()


def has_errors(seen: TransactionSeen) -> bool:
    return bool(seen.findings) or seen.status != "accepted"


def up_to(seen: Iterable[Seen], number: int) -> Iterator[Seen]:
    """No further than the group and interchange of one transaction: what stands behind isn't read."""
    found = False
    depth = 0
    for one in seen:
        depth += isinstance(one, InterchangeSeen | GroupSeen) - isinstance(one, Closed)
        if found and not isinstance(one, Closed):
            continue
        yield one
        found = found or (isinstance(one, TransactionSeen) and one.number == number)
        if found and depth == 0:
            return

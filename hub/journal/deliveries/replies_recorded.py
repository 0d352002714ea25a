"""The replies of far ends, as the events of a document have them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from hub.core.stage import Stage

REPLY = "reply"
"""Of the detail of an event: the reply that ended the attempt. `status`, `headers`, `body` (its claim), `size`, and
`cut` where the body is only its beginning."""


def with_replies_of_the_dead(events: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The events of a document, in their order. The last reply before a dead letter stands in an event of its own,
    because the keeper records the dead letter: here it joins that event, once it is there."""
    found: list[dict[str, Any]] = []
    for event in events:
        letter = (
            next((one for one in events if _is_end_of(event, one)), None) if event["stage"] == Stage.REPLIED else None
        )
        if letter is None:
            found.append(event)
        else:
            letter.setdefault("detail", {}).update(event["detail"])
    return found


def replies_in(events: Iterable[dict[str, Any]], destination: str) -> tuple[dict[str, Any], ...]:
    """Those of a destination, in the order of the events."""
    return tuple(
        {"at": event["at"], "attempt": event.get("attempt"), **event["detail"][REPLY]}
        for event in events
        if event.get("destination") == destination and REPLY in event.get("detail", {})
    )


def _is_end_of(replied: dict[str, Any], event: dict[str, Any]) -> bool:
    return (
        event["stage"] == Stage.DEAD
        and event["at"] >= replied["at"]
        and REPLY not in event.get("detail", {})
        and all(event.get(name) == replied.get(name) for name in ("route", "destination", "attempt"))
    )

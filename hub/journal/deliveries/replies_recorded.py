"""The replies of far ends, as the events of a document have them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from hub.core.stage import Stage
from hub.journal.story import StoryEvent

REPLY = "reply"
"""Of the detail of an event: the reply that ended the attempt. `status`, `headers`, `body` (its claim), `size`, and
`cut` where the body is only its beginning."""


def with_replies_of_the_dead(events: Sequence[StoryEvent]) -> list[StoryEvent]:
    """The events of a document, in their order. The last reply before a dead letter stands in an event of its own,
    because the keeper records the dead letter: here it joins that event, once it is there."""
    replies: dict[int, StoryEvent] = {}
    """By the number of a dead letter's event, the reply that it ends with."""
    joined: set[int] = set()
    for number, event in enumerate(events):
        if event.stage == Stage.REPLIED:
            ends = (n for n, one in enumerate(events) if n not in replies and _is_end_of(event, one))
            if (letter := next(ends, None)) is not None:
                replies[letter] = event
                joined.add(number)
    return [
        replace(event, detail={**event.detail, **replies[number].detail}) if number in replies else event
        for number, event in enumerate(events)
        if number not in joined
    ]


def replies_in(events: Iterable[StoryEvent], destination: str) -> tuple[dict[str, Any], ...]:
    """Those of a destination, in the order of the events."""
    return tuple(
        {"at": event.at, "attempt": event.attempt, **event.detail[REPLY]}
        for event in events
        if event.destination == destination and REPLY in event.detail
    )


def _is_end_of(replied: StoryEvent, event: StoryEvent) -> bool:
    return (
        event.stage == Stage.DEAD
        and event.at >= replied.at
        and REPLY not in event.detail
        and (event.route, event.destination, event.attempt) == (replied.route, replied.destination, replied.attempt)
    )

"""What can only be seen in the site as a whole: names that nobody uses, routes that can never match, overlaps."""

from __future__ import annotations

from hub.configuration.checks.answering import check_answering
from hub.configuration.checks.overlap import check_overlaps
from hub.configuration.checks.reach import check_reach
from hub.configuration.checks.shared_places import check_places
from hub.configuration.draft import Draft

MOST_QUEUES = 3000
QUEUE_COST = "an idle quorum queue costs 88 KB, and all of them delay a broker's restart"


def check_whole(draft: Draft) -> None:
    """Adds the findings of the whole. What is compiled is checked even when other parts have errors."""
    check_reach(draft)
    check_overlaps(draft)
    check_answering(draft)
    check_places(draft)
    _check_unused(draft)
    _check_queues(draft)


def _check_unused(draft: Draft) -> None:
    for kind in ("destination", "endpoint", "retry class", "hold"):
        if kind in draft.doubtful:
            continue
        for name, place in draft.declared.get(kind, {}).items():
            if (kind, name) not in draft.used and place.file != "built-in":
                draft.findings.warning(place, f"{kind} {name} is used by nothing")


def _check_queues(draft: Draft) -> None:
    queues = 1 + 2 * len(draft.sources)
    for route in draft.routes:
        delays = {
            delay
            for name in route.route.destinations
            if name in draft.destinations
            for delay in draft.destinations[name].retry.delays
        }
        queues += 2 + len(delays)
        if queues > MOST_QUEUES:
            text = f"up to this route the site needs more than {MOST_QUEUES} queues"
            draft.findings.warning(route.place("id"), text, QUEUE_COST)
            return

"""A source that waits for an answer needs exactly one destination that answers."""

from __future__ import annotations

from collections.abc import Iterator

from hub.configuration.draft import Draft, RouteDraft
from hub.configuration.site import SourceConfig

HOW = "write `answer: true` to exactly one destination of the routes that take its documents"


def check_answering(draft: Draft) -> None:
    """Every source that waits, against the routes that its documents can match."""
    for name, source in draft.sources.items():
        placed = draft.placed_sources.get(name)
        if placed is None or not placed.use.plugin.waits(placed.use.options):
            continue
        found = sorted(set(_answering(draft, source)))
        if len(found) != 1:
            said = f"{len(found)} destinations do: {', '.join(found)}" if found else "no destination does"
            draft.findings.error(placed.place("reply"), f"source {name} waits for an answer, and {said}", HOW)


def _answering(draft: Draft, source: SourceConfig) -> Iterator[str]:
    for route in draft.routes:
        if _can_match(route, source):
            for name in route.route.destinations:
                if name in draft.destinations and draft.destinations[name].answer:
                    yield name


def _can_match(route: RouteDraft, source: SourceConfig) -> bool:
    """As far as `when` tells."""
    when = route.route.when
    if "source" in when and source.name not in when["source"]:
        return False
    return "document" not in when or not source.documents or bool(set(when["document"]) & set(source.documents))

"""What sources take of an endpoint that they share: no two may take the same."""

from __future__ import annotations

from hub.configuration.draft import Draft


def check_places(draft: Draft) -> None:
    """`POST /orders` of a listener belongs to one source."""
    taken: dict[tuple[str, str], str] = {}
    for name, placed in draft.placed_sources.items():
        use = placed.use
        if use.on_endpoint is None:
            continue
        for place in use.plugin.places(use.options):
            first = taken.setdefault((str(use.endpoint), place), name)
            if first != name:
                text = f"source {name} and source {first} both take {place} of endpoint {use.endpoint}"
                draft.findings.error(placed.place(use.on_endpoint[0]), text)

"""What sources take of an endpoint that they share: no two may take the same."""

from __future__ import annotations

from hub.configuration.draft import Draft


def check_places(draft: Draft) -> None:
    """`POST /orders` of a listener belongs to one source."""
    taken: dict[tuple[str, str], str] = {}
    for name, placed in draft.placed_sources.items():
        plugin = placed.use.plugin
        if plugin.endpoint is None:
            continue
        endpoint = placed.use.value(plugin.endpoint[0])
        for place in plugin.places(placed.use.options):
            first = taken.setdefault((str(endpoint), place), name)
            if first != name:
                text = f"source {name} and source {first} both take {place} of endpoint {endpoint}"
                draft.findings.error(placed.place(plugin.endpoint[0]), text)

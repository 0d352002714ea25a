"""The routes that agreements make: what we acknowledge goes to the partner as any document does."""

from __future__ import annotations

from hub.configuration.draft import AgreementDraft, Draft, RouteDraft
from hub.configuration.files.yaml_file import YamlNode
from hub.core.agreement import Acknowledge
from hub.core.errors import FilePlace
from hub.core.routing.route import Route, Send

KINDS = ("functional_acknowledgment", "interchange_acknowledgment")
ADVICE = "application_advice"
DESK = "edi-desk"
"""Who answers for such a route where the agreement names no owner."""


def route_id(partner: str) -> str:
    return f"acknowledge-{partner.lower()}"


def make_acknowledge_routes(draft: Draft) -> None:
    """One for each agreement with `acknowledge`. It stands where the agreement says so, and takes test traffic too: a
    test file is acknowledged like any other, in an interchange that is marked as test."""
    for one in draft.agreements.values():
        terms, node = one.agreement.acknowledge, one.file.find(("x12", "acknowledge"))
        if terms is None or node is None:
            continue
        partner = one.agreement.partner
        id, place = route_id(partner), one.file.place_of(node)
        destination = _destination(draft, one, terms, node, place)
        if not draft.declare("route", id, place) or destination is None:
            continue
        kinds = (*KINDS, ADVICE) if one.agreement.advises else KINDS
        when = {"document": kinds, "partner": (partner,), "direction": ("outbound",), "test": (False, True)}
        route = Route(id, (Send(destination),), when, one.agreement.owner or DESK)
        draft.routes.append(RouteDraft(route, one.file, node))


def _destination(draft: Draft, one: AgreementDraft, terms: Acknowledge, node: YamlNode, place: FilePlace) -> str | None:
    """The destination that takes the acknowledgments, or None with an error."""
    partner = one.agreement.partner
    writers = draft.writers_for(partner)
    if terms.through is not None:
        at = one.file.place(("x12", "acknowledge", "through"))
        return terms.through if _takes(draft, terms.through, partner, writers, at) else None
    if len(writers) == 1:
        draft.used.add(("destination", writers[0]))
        return writers[0]
    if writers:
        text = (
            f"{' and '.join(writers)} both write X12 for {partner}"
            if len(writers) == 2
            else (f"{', '.join(writers)} write X12 for {partner}")
        )
        draft.findings.error(place, f"acknowledge: {text}", f"say which one takes them: through: {writers[0]}")
    elif set(draft.declared.get("destination", ())) <= set(draft.destinations):
        text = f"acknowledge: no destination writes X12 for {partner}, so that acknowledgments have no way to them"
        hint = f"write: {{x12: {partner}}} at a destination, or name one with `through`"
        draft.findings.error(place, text, hint)
    return None


def _takes(draft: Draft, name: str, partner: str, writers: tuple[str, ...], place: FilePlace) -> bool:
    if not draft.use("destination", name, place, "declare it in config/destinations.yaml"):
        return False
    if name not in writers and name in draft.destinations:
        text = f"through: destination {name} doesn't write X12 for {partner}"
        draft.findings.error(place, text, f"it needs write: {{x12: {partner}}}")
        return False
    return name in draft.destinations

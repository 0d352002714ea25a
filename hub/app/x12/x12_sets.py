"""The transaction sets that there are, and one as it is between a partner and us."""

from __future__ import annotations

from hub.core.agreement import Agreement
from hub.core.errors import ConfigError
from transformers.x12.declarations.catalogue import known_sets, set_declaration
from transformers.x12.declarations.declaration import SetDeclaration
from transformers.x12.declarations.description import SetDescription, describe
from transformers.x12.declarations.overlay import WrongRule, overlaid


def set_list() -> list[SetDeclaration]:
    """All of them, in one release."""
    return [set_declaration(name, "004010") for name in known_sets()]


def overlaid_description(name: str, release: str, agreement: Agreement | None) -> SetDescription:
    """The set, with the agreement's overlay laid over it and marked. Raises ConfigError for an overlay that doesn't
    fit."""
    standard = set_declaration(name, release)
    rules = agreement.overlays.get(name, ()) if agreement is not None else ()
    try:
        return describe(overlaid(standard, rules), standard)
    except WrongRule as error:
        raise ConfigError(f"the overlay for {name} doesn't fit it: {error}") from None

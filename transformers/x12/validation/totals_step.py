"""The step `totals`: refuses or holds documents whose totals contradict their lines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from hub.core.errors import DecodeError, RejectedError
from hub.core.partners import PartnerDirectory
from hub.core.plugin import LINEAR, Options, StepPlugin
from hub.core.step import Stepped
from hub.documents import Document
from transformers.x12.validation.totals import contradictions


class TotalsOptions(Options):
    """What becomes of documents whose totals are wrong."""

    hold: str | None = Field(
        None,
        description="At a destination: they wait as this hold of config/policies.yaml; without it they are refused.",
    )
    agreed: bool = Field(
        False,
        description=(
            "Only where the agreement with the document's partner says `totals: {hold: NAME}`, and as that hold. The"
            " hub puts such a step before those of each destination by itself."
        ),
    )
    partner: str | None = Field(None, description="With `agreed`: the partner to whom documents go that name none.")


class Totals:
    """Lets documents pass whose totals are those of their lines, or that state none."""

    def __init__(self, options: TotalsOptions, partners: PartnerDirectory) -> None:
        self._options, self._partners = options, partners

    def take(self, document: Document, facts: Mapping[str, Any]) -> Stepped:
        """Raises DecodeError with all that is wrong, RejectedError where it is a reason to hold the document."""
        hold = self._agreed(facts) if self._options.agreed else self._options.hold
        if self._options.agreed and not hold:
            return Stepped(document)
        found = contradictions(document)
        if not found:
            return Stepped(document)
        text = "; ".join(one.text for one in found)
        if hold:
            raise RejectedError(text, code="wrong_totals", hold=hold)
        raise DecodeError(text)

    def _agreed(self, facts: Mapping[str, Any]) -> str:
        for name in (facts.get("partner"), self._options.partner):
            agreement = self._partners.by_name(str(name)) if name else None
            if agreement is not None and agreement.totals_hold:
                return agreement.totals_hold
        return ""


PLUGIN = StepPlugin(
    name="totals",
    options=TotalsOptions,
    summary=(
        "Refuses documents whose totals (counts, sums, amounts) contradict their lines, or holds them: with everything"
        " that is wrong."
    ),
    example="agreed: true\n",
    build=lambda name, options, context: Totals(options, context.partners),
    shorthand="hold",
    holds=("hold",),
    partners=("partner",),
    bounded=lambda options: LINEAR,
)

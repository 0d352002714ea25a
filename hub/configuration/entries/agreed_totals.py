"""The step that agreements put before those of each destination: documents whose totals are wrong wait there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hub.configuration.checks.checked_use import texts
from hub.configuration.draft import Draft
from hub.configuration.entries.plug import Use
from hub.configuration.site import StepConfig
from hub.core.plugin import StepPlugin, WriterPlugin

STEP = "totals"


def agreed_totals(draft: Draft, writer: Use[WriterPlugin[Any]] | None) -> tuple[StepConfig, ...]:
    """It is there where an agreement holds documents for their totals, and the installation has the step."""
    plugin = draft.plugins.find(StepPlugin, STEP)
    if plugin is None or not any(one.agreement.totals_hold for one in draft.agreements.values()):
        return ()
    options = plugin.options.model_validate({"agreed": True, "partner": next(_partners(writer), None)})
    return (StepConfig(STEP, Use(plugin, options)),)


def _partners(writer: Use[WriterPlugin[Any]] | None) -> Iterator[str]:
    """By whose agreement it writes."""
    if writer is not None:
        for field in writer.plugin.partners:
            yield from texts(writer.value(field))

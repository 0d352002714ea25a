"""`gather` of a destination: documents that wait for each other, and go there in one message."""

from __future__ import annotations

from typing import Any

from hub.configuration.checks.checked_use import texts
from hub.configuration.draft import Draft
from hub.configuration.entries.plug import Use
from hub.configuration.files.models import Gather
from hub.configuration.files.validation import validated
from hub.configuration.files.yaml_file import YamlFile, YamlNode
from hub.configuration.site import DestinationConfig
from hub.core.agreement import BatchLimits
from hub.core.options.duration import seconds
from hub.core.options.nearest import did_you_mean
from hub.core.plugin import WriterPlugin


def read_gather(draft: Draft, file: YamlFile, node: YamlNode | None) -> tuple[BatchLimits | None, tuple[str, ...]]:
    """The terms, and the facts in which documents that go together are equal."""
    if node is None:
        return None, ()
    model = validated(Gather, file, node, draft.findings)
    if model is None:
        return None, ()
    for position, name in enumerate(model.by):
        if name not in draft.facts.facts:
            place = file.place_of((node.child("by") or node).child(position) or node)
            draft.findings.error(place, f"unknown fact {name}", did_you_mean(name, draft.facts.names))
    return BatchLimits(model.max, seconds(model.within)), model.by


def check_together(draft: Draft, file: YamlFile, node: YamlNode, config: DestinationConfig) -> None:
    """What can't be had where documents wait for each other, by `gather` or by the agreement of a partner."""
    place = file.place_of(node.child("gather") or node)
    together = config.gather is not None or _batches(draft, config.writer)
    if config.steps and together:
        text = "documents that wait for each other have no steps at the destination"
        draft.findings.error(file.place_of(node.child("steps") or node), text, "put the steps at the source")
    if config.gather is None:
        return
    if config.writer is not None and config.writer.plugin.partners:
        text = "which documents go to a partner in one interchange, its agreement says"
        draft.findings.error(place, text, "x12: {batch: {max: 100, wait: 1h}} in config/partners")
    if config.answer:
        draft.findings.error(place, "who waits for an answer can't wait for other documents: `answer` or `gather`")


def _batches(draft: Draft, writer: Use[WriterPlugin[Any]] | None) -> bool:
    """Whether the agreement of a partner that it writes for says that documents go together."""
    partners = [name for field in writer.plugin.partners for name in texts(writer.value(field))] if writer else []
    return any(draft.agreements[name].agreement.batch is not None for name in partners if name in draft.agreements)

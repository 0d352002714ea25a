"""Endpoints, sources and destinations: the entries that are made of plug-ins."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, TypeVar

from hub.configuration.checks.checked_use import DECLARED_IN, check_use
from hub.configuration.draft import Draft
from hub.configuration.entries.agreed_totals import agreed_totals
from hub.configuration.entries.gathering import check_together, read_gather
from hub.configuration.entries.plug import Use
from hub.configuration.entries.steps import read_steps
from hub.configuration.files.models import DESTINATION_KEYS, SOURCE_KEYS, UNPACK, ReplyEntry
from hub.configuration.files.named_files import check_named_files
from hub.configuration.files.secrets import check_entry
from hub.configuration.files.validation import validated
from hub.configuration.files.yaml_file import YamlFile, YamlNode
from hub.configuration.site import DestinationConfig, EndpointConfig, SourceConfig
from hub.core.errors import FilePlace
from hub.core.options.nearest import hint
from hub.core.plugin import (
    DestinationPlugin,
    EndpointPlugin,
    ReaderPlugin,
    SourcePlugin,
    TransformerPlugin,
    WriterPlugin,
)
from hub.core.replies.captures import check_capture
from hub.core.replies.replies import ReplyRule
from hub.core.retry import QUICK, RetryClass
from hub.core.topology import reply_source

P = TypeVar("P", bound=TransformerPlugin[Any])


def read_endpoints(draft: Draft, file: YamlFile) -> None:
    """config/endpoints.yaml."""
    for name, node, place in draft.entries(file, file.root, file.name):
        known = draft.declare("endpoint", name, place)
        check_entry(file, node, draft.findings, draft.plugins, EndpointPlugin)
        check_named_files(draft, file, node, EndpointPlugin)
        placed = draft.reading.keyed(EndpointPlugin, file, name, node)
        if placed:
            check_use(draft, placed)
        if known and placed:
            draft.endpoints[name] = EndpointConfig(name, placed.use, place)


def declare_destinations(draft: Draft, file: YamlFile, node: YamlNode) -> Callable[[], None]:
    """Declares the names now; what it returns reads the entries, once every name is known."""
    entries = [
        (name, value, place, draft.declare("destination", name, place))
        for name, value, place in draft.entries(file, node, "destinations")
    ]

    def read() -> None:
        for name, value, place, known in entries:
            check_entry(file, value, draft.findings, draft.plugins, DestinationPlugin)
            check_named_files(draft, file, value, DestinationPlugin)
            destination = _read_destination(draft, file, name, value, place)
            if known and destination:
                draft.destinations[name] = destination

    return read


def _read_destination(
    draft: Draft, file: YamlFile, name: str, node: YamlNode, place: FilePlace
) -> DestinationConfig | None:
    placed = draft.reading.keyed(DestinationPlugin, file, name, node, DESTINATION_KEYS)
    writer = _chosen(draft, WriterPlugin, file, node.child("write"))
    replies = tuple(_read_replies(draft, file, node.child("replies")))
    retry = _retry_class(draft, file, node.child("retry"))
    if placed is None:
        draft.doubtful.add("endpoint")
        return None
    endpoint = check_use(draft, placed)
    draft.placed[name] = placed
    captures = _read_captures(draft, file, node.child("capture"))
    replies_to = _read_answers(draft, file, name, node.child("read"))
    if node.child("write") is not None and writer is None:
        return None
    answer = _read_answer(draft, file, node.child("answer"))
    steps = read_steps(draft, file, node.child("steps"), check_use, "destination")
    gather, by = read_gather(draft, file, node.child("gather"))
    config = DestinationConfig(
        name=name,
        use=placed.use,
        place=place,
        retry=retry,
        writer=writer,
        replies=replies,
        endpoint=endpoint,
        captures=captures,
        replies_to=replies_to,
        answer=answer,
        steps=steps,
        gather=gather,
        gather_by=by,
    )
    check_together(draft, file, node, config)
    return replace(config, steps=(*agreed_totals(draft, writer), *steps))


def _chosen(draft: Draft, kind: type[P], file: YamlFile, node: YamlNode | None) -> Use[P] | None:
    if node is None:
        return None
    placed = draft.reading.chosen(kind, file, node)
    if placed is None:
        return None
    check_use(draft, placed)
    return placed.use


def _retry_class(draft: Draft, file: YamlFile, node: YamlNode | None) -> RetryClass:
    if node is None:
        draft.used.add(("retry class", QUICK.name))
        return draft.retry_classes[QUICK.name]
    place = file.place_of(node)
    if not isinstance(node.value, str):
        draft.findings.error(place, "`retry` takes the name of a retry class")
    elif draft.use("retry class", node.value, place, DECLARED_IN.format("policies")):
        return draft.retry_classes.get(node.value, QUICK)
    return QUICK


def _read_replies(draft: Draft, file: YamlFile, node: YamlNode | None) -> Iterator[ReplyRule]:
    if node is None:
        return
    if node.kind != "sequence":
        draft.findings.error(file.place_of(node), "`replies` should be a list")
    for item in node.items:
        reply = validated(ReplyEntry, file, item, draft.findings)
        if reply is None:
            draft.doubtful.add("hold")
            continue
        if reply.hold is not None:
            held = item.child("hold") or item
            draft.use("hold", reply.hold, file.place_of(held), DECLARED_IN.format("policies"))
        statuses = reply.status if isinstance(reply.status, tuple) else (reply.status,)
        yield ReplyRule(
            status=statuses,
            body=reply.body,
            headers=reply.headers,
            hold=reply.hold,
            delivered=reply.delivered is True,
            retry=reply.retry,
            refuse=reply.refuse,
            fault=reply.fault,
        )


def _read_answer(draft: Draft, file: YamlFile, node: YamlNode | None) -> bool:
    """`answer: true`."""
    if node is not None and not isinstance(node.value, bool):
        draft.findings.error(file.place_of(node), "`answer` should be true or false")
    return node is not None and node.value is True


def _read_captures(draft: Draft, file: YamlFile, node: YamlNode | None) -> dict[str, str]:
    """`capture: {erp_order: /id}`: kind of business key to where it stands in the reply."""
    if node is None:
        return {}
    if node.kind != "mapping":
        draft.findings.error(
            file.place_of(node), "`capture` should map names of business keys to paths: {erp_order: /id}"
        )
        return {}
    for name, value in node.entries.items():
        try:
            check_capture(name, value.value if isinstance(value.value, str) else "")
        except ValueError as error:
            draft.findings.error(file.place_of(value), str(error))
    return {name: str(value.value) for name, value in node.entries.items()}


def _read_answers(draft: Draft, file: YamlFile, name: str, node: YamlNode | None) -> str | None:
    """`read` of a destination: its replies are documents, of a source that is called after it. Gives the source's
    name."""
    if node is None:
        return None
    source, place = reply_source(name), file.place_of(node)
    reader = _chosen(draft, ReaderPlugin, file, node)
    draft.declared.setdefault("source", {})[source] = place
    if reader is None:
        return None
    kinds = tuple(kind.partition("@")[0] for kind in reader.plugin.documents(reader.options))
    draft.sources[source] = SourceConfig(source, None, reader, place, documents=kinds)
    return source


def declare_sources(draft: Draft, file: YamlFile, node: YamlNode, owner: str) -> Callable[[], None]:
    """As `declare_destinations`, for sources."""
    entries = [
        (name, value, place, draft.declare("source", name, place))
        for name, value, place in draft.entries(file, node, "sources")
    ]

    def read() -> None:
        for name, value, place, known in entries:
            check_entry(file, value, draft.findings, draft.plugins, SourcePlugin)
            check_named_files(draft, file, value, SourcePlugin)
            source = _read_source(draft, file, name, value, place, owner)
            if known and source:
                draft.sources[name] = source

    return read


def _read_source(
    draft: Draft, file: YamlFile, name: str, node: YamlNode, place: FilePlace, owner: str
) -> SourceConfig | None:
    placed = draft.reading.keyed(SourcePlugin, file, name, node, SOURCE_KEYS)
    read = node.child("read")
    if read is None and node.kind == "mapping":
        installed = ", ".join(draft.plugins.names(ReaderPlugin))
        draft.findings.error(place, f"source {name} says not how to `read` what it brings", f"installed: {installed}")
    reader = _chosen(draft, ReaderPlugin, file, read)
    if placed is None or reader is None:
        draft.doubtful |= {"endpoint", "hold"}
        return None
    check_use(draft, placed)
    draft.placed_sources[name] = placed
    kinds = tuple(kind.partition("@")[0] for kind in reader.plugin.documents(reader.options))
    unpack = _read_unpack(draft, file, node.child("unpack"))
    steps = read_steps(draft, file, node.child("steps"), check_use, "source")
    for step in steps:
        kinds = step.use.plugin.documents(step.use.options) or kinds
    return SourceConfig(name, placed.use, reader, place, owner, kinds, unpack, steps)


def _read_unpack(draft: Draft, file: YamlFile, node: YamlNode | None) -> str | None:
    """`unpack: gzip`."""
    if node is None:
        return None
    if node.value not in UNPACK:
        draft.findings.error(
            file.place_of(node), f"`unpack` can't be {node.value!r}", hint(str(node.value), UNPACK) or ", ".join(UNPACK)
        )
    return str(node.value)

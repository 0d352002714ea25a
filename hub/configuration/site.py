"""A site, checked and compiled: what the composition root builds the runtime from. Frozen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from hub.configuration.entries.plug import Use
from hub.configuration.files.finding import SiteFinding
from hub.core.agreement import BatchLimits
from hub.core.errors import FilePlace
from hub.core.message import empty
from hub.core.options.containment import Containment
from hub.core.options.work import DEFAULT_BOUNDS, WorkBounds
from hub.core.partners import PartnerDirectory
from hub.core.plugin import (
    DestinationPlugin,
    EndpointPlugin,
    Plugin,
    ReaderPlugin,
    SourcePlugin,
    StepPlugin,
    WriterPlugin,
)
from hub.core.replies.replies import ReplyRule
from hub.core.retry import RetryClass
from hub.core.routing.facts import FactSet
from hub.core.routing.route_table import RouteTable


@dataclass(frozen=True, slots=True)
class Settings:
    """config/hub.yaml. `containment` bounds the work on foreign bytes. `amqp` is the broker's URL, None for the
    embedded one; `journal` a path relative to the site or a database URL; `claims` a path. `console_host` and
    `console_port` serve metrics and health. `work` bounds what a template may do for one document. `hand_over`: see
    `hub.runtime.delivery.hand_over`."""

    broker: Literal["embedded", "amqp"] = "embedded"
    amqp: str | None = None
    journal: str = "var/hub.db"
    claims: str = "var/claims"
    console_host: str = "127.0.0.1"
    console_port: int = 8025
    work: WorkBounds = DEFAULT_BOUNDS
    containment: Containment = field(default_factory=Containment)
    hand_over: bool = True

    def __repr__(self) -> str:
        """Without the URLs, which may hold passwords."""
        return (
            f"Settings(broker={self.broker!r}, claims={self.claims!r}, console={self.console_host}:{self.console_port})"
        )


@dataclass(frozen=True, slots=True)
class EndpointConfig:
    """A named connection."""

    name: str
    use: Use[EndpointPlugin[Any]]
    place: FilePlace


@dataclass(frozen=True, slots=True)
class StepConfig:
    """A step, as the site calls it."""

    name: str
    use: Use[StepPlugin[Any]]


@dataclass(frozen=True, slots=True)
class SourceConfig:
    """An inbound channel adapter and the reader of what it brings. `documents`: the kinds it can yield; empty: any.
    Without an adapter it is the place of a destination's replies, which are read as documents. `unpack`: what bodies
    are packed in. `steps`: what happens to its documents before they are routed."""

    name: str
    use: Use[SourcePlugin[Any]] | None
    reader: Use[ReaderPlugin[Any]]
    place: FilePlace
    owner: str = ""
    documents: tuple[str, ...] = ()
    unpack: str | None = None
    steps: tuple[StepConfig, ...] = ()


@dataclass(frozen=True, slots=True)
class DestinationConfig:
    """An outbound channel adapter. Without a writer the canonical JSON is sent. `endpoint` names the endpoint it uses.
    `captures`: kinds of business keys, and where they stand in the reply. `replies_to` is the source as which replies
    are read as documents; None: they aren't. `answer`: its replies answer who has sent the document and waits. `steps`:
    what happens to a document before it is written. `gather`: documents wait for each other, and go together;
    `gather_by` are the facts in which they are equal."""

    name: str
    use: Use[DestinationPlugin[Any]]
    place: FilePlace
    retry: RetryClass
    writer: Use[WriterPlugin[Any]] | None = None
    replies: tuple[ReplyRule, ...] = ()
    endpoint: str | None = None
    captures: Mapping[str, str] = field(default_factory=empty)
    replies_to: str | None = None
    answer: bool = False
    steps: tuple[StepConfig, ...] = ()
    gather: BatchLimits | None = None
    gather_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HoldConfig:
    """A hold: its owner, and the seconds in which a person should decide."""

    name: str
    owner: str
    place: FilePlace
    sla: float | None = None


@dataclass(frozen=True, slots=True)
class Site:
    """Everything a hub needs to know of its site, by name."""

    settings: Settings
    endpoints: Mapping[str, EndpointConfig]
    sources: Mapping[str, SourceConfig]
    destinations: Mapping[str, DestinationConfig]
    retry_classes: Mapping[str, RetryClass]
    holds: Mapping[str, HoldConfig]
    facts: FactSet
    partners: PartnerDirectory
    table: RouteTable
    places: Mapping[str, FilePlace]
    """Where each route stands in the files."""
    version: str = ""
    """A digest of the files that the check read; see `hub.core.identity.site_version`. Empty while nobody has read them
    from a disk."""

    def uses(self) -> Iterator[Use[Plugin[Any]]]:
        """Every use of a plug-in."""
        for endpoint in self.endpoints.values():
            yield endpoint.use
        for source in self.sources.values():
            yield from (use for use in (source.use, source.reader) if use is not None)
            yield from (step.use for step in source.steps)
        for each in self.destinations.values():
            yield from (use for use in (each.use, each.writer) if use is not None)
            yield from (step.use for step in each.steps)


@dataclass(frozen=True, slots=True)
class Checked:
    """The outcome of a check: the site, or None when there is an error, and all findings in the order of the files."""

    site: Site | None
    findings: tuple[SiteFinding, ...]

    @property
    def errors(self) -> tuple[SiteFinding, ...]:
        return tuple(finding for finding in self.findings if finding.severity == "error")

    @property
    def warnings(self) -> tuple[SiteFinding, ...]:
        return tuple(finding for finding in self.findings if finding.severity == "warning")

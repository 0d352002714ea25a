"""The version of the site that is in force: one immutable snapshot at a time, swapped as a whole."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from hub.core.agreement import BatchLimits
from hub.core.broker import Broker
from hub.core.clock import Clock
from hub.core.errors import UNCONFIRMED
from hub.core.message import empty
from hub.core.partners import PartnerDirectory
from hub.core.ports import Destination, Reader, Writer
from hub.core.retry import RetryClass
from hub.core.routing.facts import FactSet
from hub.core.routing.route_table import RouteTable
from hub.core.step import NamedStep
from hub.journal.journal import Journal
from hub.journal.processes.suspects import Suspects
from hub.journal.schema import UNASSIGNED
from hub.runtime.contained.pool import WorkerPool
from hub.runtime.contained.recipe import Recipe
from hub.runtime.delivery.limit import Limit
from hub.runtime.metrics import Metrics
from hub.runtime.recovery.flight_recorder import FlightRecorder
from hub.runtime.recovery.own_queues import OwnQueues

DESK = "edi-desk"
"""Who answers for what concerns a partner when nobody else is named."""


@dataclass(frozen=True, slots=True)
class OpenDestination:
    """A destination that is ready to send. `writer` None: the canonical JSON goes out as it is. `limit` is its
    endpoint's, shared with all destinations that use the endpoint. `sequence` is whose control numbers the writer
    needs, None: it needs none. `batch`: documents wait for each other, and go together in one interchange; with
    `gather` in one message of the site's making, those that are equal in these facts. `steps`: what happens to a
    document before it is written. `captures`: kinds of business keys, and where they stand in the far end's reply.
    `replies_to`: the source as which replies are read as documents, None: they aren't."""

    name: str
    adapter: Destination
    writer: Writer | None
    retry: RetryClass
    limit: Limit | None = None
    sequence: str | None = None
    batch: BatchLimits | None = None
    captures: Mapping[str, str] = field(default_factory=empty)
    replies_to: str | None = None
    gather: tuple[str, ...] | None = None
    steps: tuple[NamedStep, ...] = ()

    @property
    def gathers(self) -> bool:
        """Whether documents are gathered by facts."""
        return self.gather is not None


@dataclass(frozen=True, slots=True)
class HoldPolicy:
    """Who owns a hold, and within how many seconds they are to decide."""

    name: str
    owner: str
    sla: float | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything that a message's way depends on, of one version."""

    version: str
    """Of the site: see `hub.configuration.site.Site`."""
    table: RouteTable
    facts: FactSet
    readers: Mapping[str, Reader]
    destinations: Mapping[str, OpenDestination]
    holds: Mapping[str, HoldPolicy]
    partners: PartnerDirectory = field(default_factory=PartnerDirectory)
    source_owners: Mapping[str, str] = field(default_factory=dict)
    """Who answers for a source: the owner of the file that it stands in."""
    steps: Mapping[str, tuple[NamedStep, ...]] = field(default_factory=dict)
    """By source: what happens to its documents before they are routed."""
    recipe: Recipe | None = None
    """What workers need to know; None: all work is done in this process."""
    limits: Mapping[str, Limit] = field(default_factory=empty)
    """By endpoint: what it bears."""
    duplicate_days: Mapping[str, int] = field(init=False)
    """By partner: how long an interchange control number of theirs may not come again; only of those that agreed on
    it."""

    def __post_init__(self) -> None:
        agreements = (self.partners.by_name(name) for name in self.partners.names)
        days = {a.partner: a.duplicate_days for a in agreements if a is not None and a.duplicate_days is not None}
        object.__setattr__(self, "duplicate_days", days)

    def contained_source(self, source: str, size: int, suspect: bool) -> Recipe | None:
        """The recipe by which a worker reads a body of `size` bytes; None: this process reads it. `suspect`:
        a process has died over it."""
        known = self.recipe.sources.get(source) if self.recipe is not None else None
        return self.recipe if known is not None and (suspect or size > known.bounded) else None

    def contained_writing(self, destination: str, size: int, suspect: bool) -> Recipe | None:
        """The recipe by which a worker writes a canonical form of `size` bytes; None: this process does. `suspect`: a
        process has died during it."""
        known = self.recipe.destinations.get(destination) if self.recipe is not None else None
        if known is None or (known.writer is None and not known.gathers and not known.steps):
            return None
        return self.recipe if suspect or size > known.bounded else None

    def hold_policy(self, name: str, partner: str | None) -> HoldPolicy:
        """Whose hold it is, as config/policies.yaml says. `unconfirmed` belongs to the owner of the partner's agreement
        first, and to the EDI desk last."""
        policy = self.holds.get(name)
        if name != UNCONFIRMED:
            return policy or HoldPolicy(name, UNASSIGNED)
        agreement = self.partners.by_name(partner) if partner else None
        owner = (agreement.owner if agreement is not None else "") or (policy.owner if policy else "") or DESK
        return HoldPolicy(name, owner, policy.sla if policy else None)

    def owner_of(self, route: str | None, source: str | None) -> str:
        """Who answers for what died on a route; without one, or when it is gone, who answers for the source."""
        known = self.table.by_id.get(route) if route else None
        return (known.owner if known is not None else self.source_owners.get(source or "")) or UNASSIGNED


@dataclass(slots=True)
class Runtime:
    """What the runtime's parts share: the outside world, and the snapshot in force. Read `snapshot` once per
    message."""

    broker: Broker
    journal: Journal
    metrics: Metrics
    log: Any
    snapshot: Snapshot
    pool: WorkerPool
    suspects: Suspects
    recorder: FlightRecorder
    clock: Clock
    declared: set[str] = field(default_factory=set)
    own_queues: OwnQueues = field(init=False)
    settled: Callable[[str], None] = lambda document_id: None
    """Told of each document of which an outcome has been committed."""

    def __post_init__(self) -> None:
        self.own_queues = OwnQueues(self.broker, self.log)

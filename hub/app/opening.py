"""From a checked site to what runs: readers, writers, endpoints, destinations and sources, built once and kept over a
reload where nothing about them has changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from hub.app.recipes import recipe_of
from hub.app.site_folder import SiteFolder
from hub.broker.rabbit.rabbit_broker import RabbitBroker
from hub.configuration.checks.checked_use import texts
from hub.configuration.entries.plug import Use
from hub.configuration.site import DestinationConfig, Site, SourceConfig, StepConfig
from hub.core.apart import Apart, apart_here
from hub.core.broker import Broker, BrokerLifecycle
from hub.core.clock import Clock
from hub.core.context import NO_BROKER, NO_MEMORY, NO_OUTCOMES, NO_REPETITIONS, Context, Look
from hub.core.errors import ConfigError
from hub.core.network.web import Repetitions
from hub.core.options.limits import LimitOptions
from hub.core.outcome import Outcomes
from hub.core.plugin import Plugin
from hub.core.ports import BatchingWriter, Memory, NumberedWriter, Reader, Source
from hub.core.replies.reply_body import look_here
from hub.core.step import AskingStep, NamedStep
from hub.core.topology import Topology, hub_topology, route_topology, source_topology
from hub.journal.journal import Journal
from hub.journal.processes.memory import JournalMemory
from hub.journal.repetitions import JournalRepetitions
from hub.runtime.delivery.limit import Breaker, Limit
from hub.runtime.runtime import HoldPolicy, OpenDestination, Snapshot
from transformers.unpack import unpacked_by

SPOOL = "var/spool"
"""Where bodies wait that are fetched or sent piece by piece; what a crash leaves there is of no use to anybody."""


@dataclass(slots=True)
class Opened:
    """Everything built from one version of a site."""

    site: Site
    snapshot: Snapshot
    sources: dict[str, Source]
    endpoints: dict[str, Any]
    built: dict[tuple[str, str], tuple[Any, Any]] = field(default_factory=dict)
    """(kind, name) -> (what it was built from, what was built)"""

    @property
    def answering(self) -> frozenset[str]:
        """The destinations whose replies are answers to who has sent the document."""
        return frozenset(name for name, config in self.site.destinations.items() if config.answer)

    def topology(self) -> Topology:
        """All that must exist at the broker before the first message."""
        adapters = [*self.sources.values(), *(open_.adapter for open_ in self.snapshot.destinations.values())]
        return Topology.joined(
            (
                hub_topology(),
                *(route_topology(route.id) for route in self.site.table.routes),
                *(source_topology(name) for name in self.site.sources),
                *(adapter.topology() for adapter in adapters if hasattr(adapter, "topology")),
            )
        )

    def limits(self) -> dict[str, Limit]:
        """The limits in force, by endpoint."""
        return {name: thing for (kind, name), (_, thing) in self.built.items() if kind == "limit"}

    def replaced_by(self, after: Opened) -> list[Any]:
        """What must be closed when `after` takes the place of this: endpoints and destinations that are not in it any
        more."""
        kept = {id(thing) for thing in after.endpoints.values()}
        kept |= {id(each.adapter) for each in after.snapshot.destinations.values()}
        mine = [*(each.adapter for each in self.snapshot.destinations.values()), *self.endpoints.values()]
        return [thing for thing in mine if id(thing) not in kept and hasattr(thing, "close")]

    async def close(self) -> None:
        for destination in self.snapshot.destinations.values():
            await destination.adapter.close()
        for endpoint in self.endpoints.values():
            close = getattr(endpoint, "close", None)
            if close is not None:
                await close()


class Opening:
    """Builds sites for one process."""

    def __init__(
        self,
        folder: SiteFolder,
        broker: Broker | None,
        log: Any,
        clock: Clock,
        journal: Journal | None = None,
        outcomes: Outcomes | None = None,
        look: Look = look_here,
        apart: Apart = apart_here,
    ) -> None:
        self._folder = folder
        self._broker = broker
        self._log = log
        self._clock = clock
        self._journal = journal
        self._outcomes = outcomes
        self._look, self._apart = look, apart
        self._texts: dict[tuple[str, str], str] = {}

    def open(self, site: Site, before: Opened | None = None) -> Opened:
        """Raises ConfigError where a template or schema can't be used."""
        self._texts = {}
        built: dict[tuple[str, str], tuple[Any, Any]] = {}
        old = before.built if before is not None else {}

        def keep(kind: str, name: str, made_of: Any, make: Any) -> Any:
            earlier = old.get((kind, name))
            earlier = built.get((kind, name), earlier)
            thing = earlier[1] if earlier is not None and earlier[0] == made_of else make()
            built[kind, name] = (made_of, thing)
            return thing

        endpoints: dict[str, Any] = {}
        context = self._context(site, endpoints, keep)
        for name, endpoint in site.endpoints.items():
            endpoints[name] = keep(
                "endpoint", name, self._key_of(endpoint.use), lambda e=endpoint, n=name: make(e.use, n, context)
            )
        destinations = dict(before.snapshot.destinations) if before is not None else {}
        for name, config in site.destinations.items():
            destinations[name] = self._destination(site, config, endpoints, keep)
        sources = {
            name: keep(
                "source",
                name,
                (*self._key_of(config.use), endpoint_of(config.use, endpoints)),
                lambda u=config.use, n=name: make(u, n, context),
            )
            for name, config in site.sources.items()
            if config.use is not None
        }
        readers = {name: reader_of(config, context) for name, config in site.sources.items()}
        holds = {name: HoldPolicy(name, hold.owner, hold.sla) for name, hold in site.holds.items()}
        steps = {name: steps_of(config.steps, context) for name, config in site.sources.items() if config.steps}
        owners = {name: config.owner for name, config in site.sources.items()} | reply_owners(site)
        earlier = before.snapshot.recipe if before is not None else None
        recipe = recipe_of(site, self._folder.path, self._texts, self._log, earlier)
        snapshot = Snapshot(
            version=site.version,
            table=site.table,
            facts=site.facts,
            readers=readers,
            destinations=destinations,
            holds=holds,
            partners=site.partners,
            source_owners=owners,
            steps=steps,
            recipe=recipe,
            limits={name: thing for (kind, name), (_, thing) in built.items() if kind == "limit"},
        )
        return Opened(site, snapshot, sources, endpoints, built)

    def _destination(
        self, site: Site, config: DestinationConfig, endpoints: Mapping[str, Any], keep: Any
    ) -> OpenDestination:
        context = self._context(site, endpoints, keep, config.replies)
        endpoint = endpoints.get(config.endpoint) if config.endpoint else None
        made_of = (self._key_of(config.use), config.replies, id(endpoint))
        adapter = keep("destination", config.name, made_of, lambda: make(config.use, config.name, context))
        writer = make(config.writer, config.name, context) if config.writer is not None else None
        sequence = writer.sequence if isinstance(writer, NumberedWriter) else None
        if config.endpoint:
            limit = self._limit(site, config.endpoint, endpoints, keep)
        else:
            own = LimitOptions(concurrent=config.use.plugin.concurrent(config.use.options))
            limit = keep("own limit", config.name, own, lambda: Limit(own, self._clock, endpoint=config.name))
        batch = writer.batch if isinstance(writer, BatchingWriter) else config.gather
        steps = steps_of(config.steps, context)
        gather = config.gather_by if config.gather is not None else None
        return OpenDestination(
            name=config.name,
            adapter=adapter,
            writer=writer,
            retry=config.retry,
            limit=limit,
            sequence=sequence,
            batch=batch,
            captures=config.captures,
            replies_to=config.replies_to,
            gather=gather,
            steps=steps,
        )

    def _limit(self, site: Site, name: str, endpoints: Mapping[str, Any], keep: Any) -> Limit:
        """One for each endpoint, shared by all who send to it or ask it; its counts live as long as its options do.
        Opening and closing of its breaker is told."""
        options = getattr(getattr(endpoints.get(name), "options", None), "limit", None)
        if not isinstance(options, LimitOptions):
            options = LimitOptions()
        if options.concurrent is None:
            use = site.endpoints[name].use
            options = options.model_copy(update={"concurrent": use.plugin.concurrent(use.options)})

        def log_change(breaker: Breaker, text: str) -> None:
            told = self._log.error if breaker == "open" else self._log.info
            told(f"breaker_{breaker}", endpoint=name, cause=text, left_alone_for=options.break_for)

        limit: Limit = keep("limit", name, options, lambda: Limit(options, self._clock, log_change, name))
        return limit

    def _context(self, site: Site, endpoints: Mapping[str, Any], keep: Any, replies: tuple[Any, ...] = ()) -> Context:
        return Context(
            site=self._folder.path,
            broker=self._broker or NO_BROKER,
            endpoint=endpoints.__getitem__,
            partners=site.partners,
            text=self._text,
            log=self._log,
            replies=replies,
            memory=self._memory,
            spool=self._folder.resolve(SPOOL),
            connect=self._connect,
            repetitions=self._repetitions,
            outcomes=self._outcomes or NO_OUTCOMES,
            facts=site.facts.facts,
            limit=lambda name: self._limit(site, name, endpoints, keep),
            work=site.settings.work,
            look=self._look,
            apart=self._apart,
            clock=self._clock,
        )

    def _connect(self, url: str, name: str) -> BrokerLifecycle:
        """Another RabbitMQ than the hub's own."""
        return RabbitBroker(url, self._clock, name=name)

    def _key_of(self, use: Use[Plugin[Any]]) -> tuple[Any, ...]:
        """What a use is built from: its options, and the files that they name."""
        files = (
            (folder, name) for field, folder in use.plugin.files.items() for name in texts(use.value(field)) if name
        )
        return (use.plugin.name, use.options, *(self._folder.version(folder, name) for folder, name in files))

    def _text(self, folder: str, name: str) -> str:
        """Remembered, so that workers build from the same texts."""
        text = self._folder.text(folder, name)
        self._texts[folder, name] = text
        return text

    def _memory(self, name: str) -> Memory:
        return JournalMemory(self._journal, name) if self._journal is not None else NO_MEMORY

    def _repetitions(self, name: str) -> Repetitions:
        return JournalRepetitions(self._journal, name) if self._journal is not None else NO_REPETITIONS


def reader_of(config: SourceConfig, context: Context) -> Reader:
    """Reads what the source brings, out of what it is packed in."""
    reader: Reader = make(config.reader, config.name, context)
    return unpacked_by(config.unpack, reader) if config.unpack is not None else reader


def steps_of(steps: Iterable[StepConfig], context: Context) -> tuple[NamedStep, ...]:
    """Raises ConfigError, also for a step that has an endpoint and no `ask`: a worker takes it, where there are no
    endpoints."""
    made = tuple(NamedStep(step.name, make(step.use, step.name, context)) for step in steps)
    for step, named in zip(steps, made, strict=True):
        if step.use.endpoint is not None and not isinstance(named.step, AskingStep):
            name = step.use.plugin.name
            text = f"the step plug-in {name} has an endpoint, but no methods `questions`, `ask` and `answered`"
            raise ConfigError(text, hint="see hub.core.step.AskingStep")
    return made


def reply_owners(site: Site) -> dict[str, str]:
    """Who answers for replies that can't be read: whose route sends there first."""
    return {
        config.replies_to: route.owner
        for name, config in site.destinations.items()
        if config.replies_to is not None
        for route in reversed(site.table.routes)
        if name in route.destinations
    }


def make(use: Use[Plugin[Any]], name: str, context: Context) -> Any:
    return use.plugin.build(name, use.options, context)


def endpoint_of(use: Use[Plugin[Any]], endpoints: Mapping[str, Any]) -> int:
    """Which built endpoint the options name: a new one makes what uses it new."""
    return id(endpoints.get(str(use.endpoint)))

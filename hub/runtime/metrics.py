"""What the hub counts and times, in a registry of its own."""

from __future__ import annotations

from functools import partial
from typing import Any, TypeVar

from prometheus_client import CollectorRegistry, Gauge, disable_created_metrics

from hub.runtime.tally import Counts, Durations, InFlights, Tally

T = TypeVar("T", bound=Tally[Any])

STAGE_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


BREAKERS = {"closed": 0, "half_open": 1, "open": 2}


class Gauges:
    """The children of a gauge by their labels, kept: looking one up costs a dict access."""

    def __init__(self, gauge: Gauge) -> None:
        self._gauge = gauge
        self._children: dict[tuple[str, ...], Gauge] = {}

    def labels(self, *values: str) -> Gauge:
        child = self._children.get(values)
        if child is None:
            child = self._children[values] = self._gauge.labels(*values)
        return child

    def clear(self) -> None:
        self._children.clear()
        self._gauge.clear()


class Metrics:
    """All metrics of one hub process. Names are `hub_<noun>_<unit>_total`; every one is described where it is made."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        count = self._counter
        self.received = count("hub_arrivals", "Arrivals taken from sources.", "source")
        self.read = count("hub_documents_read", "Documents read.", "source", "document")
        self.unreadable = count("hub_unreadable", "Parts of arrivals that could not be read.", "source")
        self.matched = count("hub_copies", "Copies made for routes that matched.", "route")
        self.handed_over = count("hub_handed_over", "Copies delivered at once, without the route's queue.", "route")
        self.unmatched = count("hub_unmatched", "Documents that no route took.", "source")
        self.sent = count("hub_sent", "Documents delivered.", "route", "destination")
        self.repeated = count("hub_repeated", "Deliveries left out, because their effect was recorded.", "route")
        self.failed = count("hub_attempts_failed", "Attempts that failed.", "route", "destination", "error")
        self.retried = count("hub_retries", "Copies sent to a retry queue.", "route", "destination")
        self.waiting = count("hub_waits", "Copies that wait for another message or process.", "route")
        self.held = count("hub_held", "Documents put on hold.", "route", "hold")
        self.dead = count("hub_dead_letters", "Dead letters taken in by the keeper.", "kind", "error")
        self.acknowledgments = count("hub_acknowledgments", "Acknowledgments of what was sent.", "partner", "status")
        self.reloads = count("hub_reloads", "Reloads of the route table.", "outcome")
        self.restarts = count("hub_source_restarts", "Sources restarted after an error.", "source")
        self.in_flight = self._register(InFlights("hub_in_flight", "Messages in work now.", ("stage",)))
        self.depth = Gauge("hub_queue_messages", "Messages ready in a queue.", ["queue"], registry=self.registry)
        self.orphans = Gauges(
            Gauge(
                "hub_orphaned_messages",
                "Messages for a route or source that is gone.",
                ["queue"],
                registry=self.registry,
            )
        )
        self.overdue = Gauge(
            "hub_acknowledgments_overdue", "Open holds of what was not acknowledged in time.", registry=self.registry
        )
        self.batch_waiting = Gauges(
            Gauge(
                "hub_batch_members_waiting",
                "Documents that wait for a batch.",
                ["destination"],
                registry=self.registry,
            )
        )
        of_wait = partial(Gauge, labelnames=["reason", "waits_for"], registry=self.registry)
        self.waiting_copies = Gauges(of_wait("hub_copies_waiting", "Copies that wait for something else than time."))
        self.waiting_oldest = Gauges(
            of_wait("hub_copies_waiting_oldest_seconds", "For how long the oldest of these copies waits.")
        )
        of_endpoint = partial(Gauge, labelnames=["endpoint"], registry=self.registry)
        self.breaker = Gauges(of_endpoint("hub_endpoint_breaker", "Of an endpoint: 0 closed, 1 half open, 2 open."))
        self.endpoint_waiting = Gauges(of_endpoint("hub_endpoint_waiting", "Requests that wait for their turn."))
        self.endpoint_in_use = Gauges(of_endpoint("hub_endpoint_in_use", "Requests under way at an endpoint."))
        self.broker_up = Gauge("hub_broker_up", "Whether the broker is reachable.", registry=self.registry)
        self.journal_up = Gauge("hub_journal_up", "Whether the journal commits.", registry=self.registry)
        self.table = Gauge(
            "hub_route_table_info", "The version of the site in force.", ["version"], registry=self.registry
        )
        text = (
            "How long a stage took: intake, send, route (one copy, from delivery to ack), hand_over (one, from commit"
            " to outcome)."
        )
        self.stage = self._register(Durations("hub_stage_seconds", text, ("stage",), STAGE_BUCKETS))

    def _counter(self, name: str, text: str, *labels: str) -> Counts:
        return self._register(Counts(name, text, labels))

    def _register(self, tally: T) -> T:
        self.registry.register(tally)
        return tally

"""Numbers of the hot path: plain attributes that a scrape reads. One thread counts, so that counting needs no lock."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import accumulate
from types import TracebackType
from typing import Generic, TypeVar

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

N = TypeVar("N")


class Count:
    """What only grows."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = 0.0

    def inc(self, amount: float = 1.0) -> None:
        self.value += amount


class InFlight:
    """How many are in work: a context for each. Entered by many tasks at once."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = 0.0

    def __enter__(self) -> None:
        self.value += 1.0

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.value -= 1.0


class Seconds:
    """Durations: how many were at most each of the bounds, and their sum. The last bound is infinite."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = (*bounds, float("inf"))
        self.counts = [0] * len(self.bounds)
        self.total = 0.0

    def observe(self, seconds: float) -> None:
        self.counts[bisect_left(self.bounds, seconds)] += 1
        self.total += seconds


class Tally(Collector, Generic[N]):
    """One metric: its numbers by the values of its labels. A look costs a dict access."""

    def __init__(self, name: str, text: str, labels: Sequence[str]) -> None:
        self.name, self.text, self._labels = name, text, tuple(labels)
        self.numbers: dict[tuple[str, ...], N] = {}

    def labels(self, *values: str) -> N:
        number = self.numbers.get(values)
        if number is None:
            if len(values) != len(self._labels):
                raise ValueError(f"{self.name} has the labels {self._labels}, not {len(values)} values")
            number = self.numbers[values] = self._new()
        return number

    def _new(self) -> N:
        raise NotImplementedError

    def collect(self) -> Iterator[Metric]:
        raise NotImplementedError


class Counts(Tally[Count]):
    """Counters."""

    def _new(self) -> Count:
        return Count()

    def collect(self) -> Iterator[Metric]:
        family = CounterMetricFamily(self.name, self.text, labels=self._labels)
        for values, count in list(self.numbers.items()):
            family.add_metric(values, count.value)
        yield family


class InFlights(Tally[InFlight]):
    """Gauges of what is in work."""

    def _new(self) -> InFlight:
        return InFlight()

    def collect(self) -> Iterator[Metric]:
        family = GaugeMetricFamily(self.name, self.text, labels=self._labels)
        for values, level in list(self.numbers.items()):
            family.add_metric(values, level.value)
        yield family


class Durations(Tally[Seconds]):
    """Histograms of seconds."""

    def __init__(self, name: str, text: str, labels: Sequence[str], bounds: Sequence[float]) -> None:
        super().__init__(name, text, labels)
        self._bounds = bounds

    def _new(self) -> Seconds:
        return Seconds(self._bounds)

    def collect(self) -> Iterator[Metric]:
        family = HistogramMetricFamily(self.name, self.text, labels=self._labels)
        for values, took in list(self.numbers.items()):
            names = map(floatToGoString, took.bounds)
            family.add_metric(values, list(zip(names, accumulate(took.counts), strict=True)), took.total)
        yield family

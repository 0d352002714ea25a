"""How much of the machine may be spent on bytes that a stranger has sent."""

from __future__ import annotations

from dataclasses import dataclass

MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class Containment:
    """The bounds of the work on foreign bytes, from config/hub.yaml. Times are in seconds, sizes in bytes.

    `workers` processes do the contained work, at most `per_source` of them for one source or destination; None: as many
    as the machine suggests. A piece of work has `processor_time` and `per_megabyte` more for each megabyte of its body,
    and waits `wall_clock` at most, which grows in the same measure. `memory` is what a worker may use beyond what it
    needs when it is idle. Work stays in the hub's own process for bodies up to `in_process_up_to`, where its plug-ins
    are bounded by construction. An arrival is quarantined when its workers were lost `quarantine_after` times, a copy
    is dead when hub processes died during it `poison_after` times.
    """

    workers: int | None = None
    per_source: int | None = None
    processor_time: float = 10.0
    per_megabyte: float = 20.0
    wall_clock: float = 120.0
    memory: int = 1000 * MEGABYTE
    in_process_up_to: int = 64_000
    quarantine_after: int = 2
    poison_after: int = 3

    def processor(self, size: int) -> float:
        """Seconds of processor time for a body of `size` bytes."""
        return self.processor_time + self.per_megabyte * size / MEGABYTE

    def wall(self, size: int) -> float:
        """Seconds that the hub waits for the results of a body of `size` bytes."""
        return self.wall_clock * self.processor(size) / self.processor_time

"""`make fuzz MINUTES=10`: the reader, the writer, overlays and partner files against chance, until the time is up.

Prints how many examples each target had and what was found; ends with 1 when there is a finding. Each is kept with its
smallest example under var/fuzz, and comes first in the next run.
"""

from __future__ import annotations

import os
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.database import DirectoryBasedExampleDatabase

from tests.fuzz.documents import KINDS, changed, made_up, real
from tests.fuzz.mutants import mutants, wrecks
from tests.fuzz.overlays import checked_with_a_place, is_laid_over, overlays, partner_files
from tests.fuzz.places import changed_transactions, keeps_its_places
from tests.fuzz.reading import (
    SPACED,
    agrees_with_its_diagnosis,
    is_answered,
    reads_over_white_space,
    reads_the_same_in_pieces,
    reads_to_documents_and_errors,
    spares_its_neighbours,
    traces_every_field,
)
from tests.fuzz.writing import agreements, carried

KEPT = Path("var/fuzz")
AT_ONCE = 100
"""Examples of a target before the next one has its turn."""

BYTES = st.one_of(mutants().map(lambda mutant: mutant[1]), wrecks(), st.binary(max_size=600))
SENT = st.sampled_from(KINDS).flatmap(
    lambda kind: st.tuples(
        st.one_of(made_up(kind), changed(kind)) if kind in real() else made_up(kind), agreements(kind)
    )
)


@dataclass(frozen=True)
class Target:
    """What is attacked, and with what. `holds` takes one example, and raises when a promise is broken."""

    name: str
    examples: st.SearchStrategy[Any]
    holds: Callable[[Any], Any]


TARGETS = (
    Target("reader: documents and errors", BYTES, reads_to_documents_and_errors),
    Target("reader: in pieces", st.tuples(BYTES, st.integers(1, 300)), lambda one: reads_the_same_in_pieces(*one)),
    Target("reader: neighbours", mutants(), lambda one: spares_its_neighbours(*one)),
    Target("reader: diagnosis", BYTES, agrees_with_its_diagnosis),
    Target("reader: lineage", BYTES, traces_every_field),
    Target(
        "reader: white space",
        st.tuples(st.sampled_from(SPACED), st.lists(st.text(" \t\r\n\f", max_size=4), min_size=1, max_size=9)),
        lambda one: reads_over_white_space(*one),
    ),
    Target("acknowledgments", BYTES, is_answered),
    Target("round trip: places", changed_transactions(), keeps_its_places),
    Target("writer", SENT, lambda one: carried(*one)),
    Target("overlays", overlays(), lambda one: is_laid_over(*one)),
    Target("partner files", partner_files(), checked_with_a_place),
)


def attacked(target: Target) -> tuple[int, str]:
    """How many examples were tried, and what was found."""
    tried = 0

    @settings(
        max_examples=AT_ONCE,
        deadline=None,
        database=DirectoryBasedExampleDatabase(KEPT / "examples"),
        suppress_health_check=list(HealthCheck),
    )
    @given(target.examples)
    def one(example: Any) -> None:
        nonlocal tried
        tried += 1
        target.holds(example)

    try:
        one()
    except Exception:
        return tried, traceback.format_exc()
    return tried, ""


def main() -> int:
    """Goes round the targets until the time is up; a target with a finding has no further turn."""
    until = time.monotonic() + float(os.environ.get("MINUTES", "10")) * 60
    tried = dict.fromkeys((target.name for target in TARGETS), 0)
    findings: dict[str, str] = {}
    while time.monotonic() < until and len(findings) < len(TARGETS):
        for target in TARGETS:
            if target.name in findings or time.monotonic() >= until:
                continue
            count, finding = attacked(target)
            tried[target.name] += count
            if finding:
                findings[target.name] = finding
                KEPT.mkdir(parents=True, exist_ok=True)
                (KEPT / f"{target.name.replace(': ', '-').replace(' ', '-')}.txt").write_text(finding)
    for name, count in tried.items():
        print(f"{name:32} {count:8} examples   {'FOUND SOMETHING' if name in findings else 'nothing found'}")
    for name, finding in findings.items():
        print(f"\n{name}:\n{finding}")
    print(f"\n{sum(tried.values())} examples, {len(findings)} findings")
    return bool(findings)


if __name__ == "__main__":
    sys.exit(main())

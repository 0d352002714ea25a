"""What `hub doctor` looks at, one finding each."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Literal

from hub.app.diagnosing.broker_diagnosis import BrokerDiagnosis
from hub.app.diagnosing.console_diagnosis import told_by_console
from hub.app.diagnosing.descriptors import descriptors_allowed, descriptors_needed
from hub.app.diagnosing.finding import HealthFinding
from hub.app.journal_view import looking_at, missing_journal
from hub.app.keeping.left_behind import refuse_left
from hub.app.keeping.private_files import too_open
from hub.app.plugin_discovery import discover
from hub.app.site_folder import SiteFolder
from hub.configuration.site import Site
from hub.core.errors import ConfigError, JournalUnavailable, plain
from hub.core.hold import HoldStatus
from hub.journal.batches.batches import Batches
from hub.journal.commands import Commands
from hub.journal.commit.claims import ClaimStore
from hub.journal.copies.waits import Waits
from hub.journal.deliveries.dead_filter import DeadFilter
from hub.journal.deliveries.decisions import Decisions
from hub.journal.interchanges.interchanges_sent import InterchangesSent
from hub.journal.journal import Journal

OWN = "mediation-hub"

BATCH_SECONDS = 60.0
"""A batch that is closed for so long and not published can't be published as it is."""

LONG_WAIT = 3600.0
"""Seconds after which a copy that still waits is an error."""


class Diagnosis:
    """Looks at everything; what can't be looked at because something before it is wrong is left out."""

    def __init__(self, site: Path) -> None:
        self._folder = SiteFolder(site)

    async def run(self) -> AsyncIterator[HealthFinding]:
        yield HealthFinding("python", "ok", sys.version.split()[0])
        yield self._names()
        try:
            checked = self._folder.check(discover())
        except ConfigError as error:
            yield HealthFinding("site", "error", plain(error))
            return
        errors, warnings = len(checked.errors), len(checked.warnings)
        state: Literal["ok", "warning", "error"] = "error" if errors else "warning" if warnings else "ok"
        told = ", ".join(f"{n} {noun}{'' if n == 1 else 's'}" for n, noun in ((errors, "error"), (warnings, "warning")))
        yield HealthFinding("site", state, f"{told}: see hub check" if errors + warnings else told)
        if checked.site is None:
            return
        yield self._claims(checked.site)
        yield descriptors(checked.site)
        yield self._private(checked.site)
        if left := self._left(checked.site):
            yield left
        async for finding in self._journal(checked.site):
            yield finding

    def _left(self, site: Site) -> HealthFinding | None:
        """What keeps a hub from starting after the site has grown."""
        try:
            refuse_left(self._folder, site.settings)
        except ConfigError as error:
            return HealthFinding("left behind", "error", plain(error))
        return None

    @staticmethod
    def _names() -> HealthFinding:
        """`adapters` and `transformers` are names that other distributions use too."""
        owners = packages_distributions()
        foreign = {
            name: others
            for name in ("hub", "adapters", "transformers")
            if (others := sorted({owner for owner in owners.get(name, []) if owner != OWN}))
        }
        if foreign:
            text = "; ".join(f"{name} also belongs to {', '.join(others)}" for name, others in foreign.items())
            return HealthFinding("packages", "error", f"{text}: give the hub an environment of its own")
        return HealthFinding("packages", "ok", "no other distribution owns a package of the hub's")

    def _claims(self, site: Site) -> HealthFinding:
        path = self._folder.resolve(site.settings.claims)
        parent = next(p for p in (path, *path.parents) if p.exists())
        if not os.access(parent, os.W_OK):
            return HealthFinding("claims", "error", f"{path} can't be written")
        if path.exists() and (trouble := ClaimStore(path).probe()):
            return HealthFinding("claims", "error", trouble)
        return HealthFinding("claims", "ok", str(path))

    def _private(self, site: Site) -> HealthFinding:
        """The hub repairs what is its own when it starts."""
        found = too_open(self._folder, site)
        if not found:
            return HealthFinding("modes", "ok", "the hub's files are for its user alone")
        more = f", and {len(found) - 1} more" if len(found) > 1 else ""
        return HealthFinding("modes", "error", f"{found[0]}{more}: `chmod go-rwx`, or restart the hub as the owner")

    async def _journal(self, site: Site) -> AsyncIterator[HealthFinding]:
        missing = missing_journal(self._folder, site.settings)
        async with AsyncExitStack() as stack:
            try:
                journal = await stack.enter_async_context(looking_at(self._folder, site.settings))
            except (JournalUnavailable, ConfigError) as error:
                yield HealthFinding("journal", "error", plain(error))
                return
            kind = "SQLite" if journal.is_sqlite else "PostgreSQL"
            yield HealthFinding(
                "journal", "ok", f"{kind}: the first start makes {missing}" if missing is not None else kind
            )
            yield self._clock(journal)
            running = await Commands(journal).processes()
            text = ", ".join(
                f"pid {row.pid} on {row.host.partition('/')[0]}, version {row.table_version}" for row in running
            )
            yield HealthFinding("hub", "ok" if running else "warning", text or "no hub runs on this site")
            if len({row.table_version for row in running}) > 1:
                yield HealthFinding(
                    "tables",
                    "error",
                    "processes work by different versions of the site's files: hub reload reaches all of them",
                )
            async for finding in self._waiting(journal):
                yield finding
            async for finding in BrokerDiagnosis(self._folder, site, journal, running=bool(running)).run():
                yield finding
            if running and site.settings.console_port:
                for finding in await asyncio.to_thread(told_by_console, site.settings):
                    yield finding

    @staticmethod
    def _clock(journal: Journal) -> HealthFinding:
        """Hosts that share a journal follow the clock of the database; people and partners read that of the host."""
        told = journal.clock.told
        return HealthFinding("clock", "error" if told else "ok", told or "this host and the database agree")

    @staticmethod
    async def _waiting(journal: Journal) -> AsyncIterator[HealthFinding]:
        decisions, now = Decisions(journal), journal.clock()
        dead = await decisions.count_dead(DeadFilter(), now)
        yield HealthFinding(
            "dead letters", "warning" if dead else "ok", f"{dead}: see hub dead list" if dead else "none"
        )
        holds = await decisions.holds((HoldStatus.OPEN,))
        late = sum(1 for row in holds if row.due_at is not None and row.due_at < now)
        text = f"{len(holds)} open, {late} overdue: see hub hold list" if holds else "none"
        yield HealthFinding("holds", "error" if late else "ok", text)
        yield await _copies(journal)
        yield await _batches(journal, now)
        yield await _acknowledgments(journal, now)


def descriptors(site: Site) -> HealthFinding:
    """Connections beyond the limit are refused, and whatever else needs a file then fails."""
    needed, allowed = descriptors_needed(site), descriptors_allowed()
    if needed <= allowed:
        return HealthFinding(
            "descriptors", "ok", f"{allowed} allowed, the listeners and the rest need at most {needed}"
        )
    text = f"{allowed} allowed (RLIMIT_NOFILE), {needed} needed when all listeners are full: raise the limit"
    return HealthFinding(
        "descriptors", "error", f"{text} (LimitNOFILE, ulimit -n), or lower `connections` of the listeners"
    )


async def _copies(journal: Journal) -> HealthFinding:
    """Copies that wait for something else than time."""
    waiting = await Waits(journal).counts()
    if not waiting:
        return HealthFinding("waiting", "ok", "no copy waits")
    told = ", ".join(f"{one.count} for {one.waits_for or 'other messages'} ({one.reason})" for one in waiting[:5])
    oldest = journal.clock() - waiting[0].oldest
    state: Literal["warning", "error"] = "error" if oldest > LONG_WAIT else "warning"
    return HealthFinding("waiting", state, f"{told}; the oldest for {oldest:.0f}s: see hub waiting list")


async def _batches(journal: Journal, now: float) -> HealthFinding:
    """Batches that were closed and can't leave."""
    stuck = await Batches(journal).stuck(now - BATCH_SECONDS)
    if not stuck:
        return HealthFinding("batches", "ok", "none that can't be published")
    first = f"{stuck[0].id[:12]} for {stuck[0].destination}: {stuck[0].cause or 'no hub has published it'}"
    return HealthFinding("batches", "error", f"{len(stuck)} can't be published: see hub batch list ({first})")


async def _acknowledgments(journal: Journal, now: float) -> HealthFinding:
    """What partners should have acknowledged by now, whether a hub has noticed it or not."""
    late = await InterchangesSent(journal).overdue(now)
    if not late:
        return HealthFinding("acknowledgments", "ok", "none overdue")
    text = ", ".join(f"{count} of {partner}" for partner, count in late.items())
    first = next(iter(late))
    return HealthFinding(
        "acknowledgments", "warning", f"overdue: {text}: see hub partner acks {first} --status overdue"
    )

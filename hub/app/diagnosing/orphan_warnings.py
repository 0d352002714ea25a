"""What `hub check` says of copies that wait for a route which the site has no more."""

from __future__ import annotations

from collections.abc import Container

from hub.app.diagnosing.broker_diagnosis import FileDepths
from hub.app.site_folder import SiteFolder
from hub.app.site_stores import journal_url
from hub.clock.system_clock import SystemClock
from hub.configuration.files.finding import SiteFinding
from hub.configuration.site import Site
from hub.core.errors import FilePlace, HubError
from hub.core.topology import Topology
from hub.journal.copies.waits import Waits
from hub.journal.database.urls import engine_url, sqlite_path
from hub.journal.declared_queues import DeclaredQueues
from hub.journal.journal import Journal
from hub.journal.migrate import is_current

PATIENCE = 2.0
"""Seconds after which a journal that doesn't answer is not asked."""


async def orphan_warnings(folder: SiteFolder, site: Site) -> list[SiteFinding]:
    """Of queues on the embedded broker, and of rows. Empty where the journal can't be reached: nothing is created for a
    check."""
    url = journal_url(folder, site.settings)
    path = sqlite_path(engine_url(url)) if engine_url(url).startswith("sqlite") else None
    if path is not None and not path.is_file():
        return []
    journal = Journal(url, folder.resolve(site.settings.claims), SystemClock(), patience=PATIENCE)
    try:
        await journal.open(migrate=False)
    except HubError:
        return []
    try:
        if not await journal.read(
            is_current
        ):  # an empty database, or one of an older version: a start brings it up to date
            return []
        return [warning(text) for text in await _find_orphans(folder, site, journal)]
    except HubError:
        return []
    finally:
        await journal.close()


async def _find_orphans(folder: SiteFolder, site: Site, journal: Journal) -> list[str]:
    routes: Container[str] = site.table.by_id
    queues: dict[str, int] = {}
    if site.settings.broker == "embedded":
        found = await DeclaredQueues(journal).orphans(FileDepths(folder), Topology(), routes)
        gone = {name for name, route in await DeclaredQueues(journal).all() if route is not None}
        queues = {queue: count for queue, count in found.items() if queue in gone}
    waiting = await Waits(journal).without(routes)
    told = [f"{queue} holds {count}" for queue, count in queues.items()]
    return told + [f"{count} copies of the route {route} wait as rows" for route, count in waiting.items()]


def warning(text: str) -> SiteFinding:
    return SiteFinding(
        FilePlace("routes"),
        "warning",
        f"{text}, and the route is not there any more",
        "bring it back to have them taken",
    )

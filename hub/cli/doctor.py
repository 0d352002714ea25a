"""`hub doctor`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import typer
from rich.text import Text

from hub.app.diagnosing.diagnosis import Diagnosis
from hub.app.diagnosing.finding import HealthFinding
from hub.cli.shell.output import FOUND, AsJson, one_line, out, print_json, status
from hub.cli.site import HERE, SiteDir, run
from hub.clock.system_clock import SystemClock


def doctor(site: SiteDir = HERE, as_json: AsJson = False) -> None:
    """Looks over the installation, the site, the journal, the broker and what waits in them; changes nothing.

    Exit code 1 when something is wrong. Example: hub doctor --site /srv/hub
    """

    async def work() -> list[HealthFinding]:
        return [finding async for finding in findings(site)]

    found = run(work())
    wrong = any(finding.state == "error" for finding in found)
    if as_json:
        print_json({"ok": not wrong, "at": SystemClock()(), "findings": [finding.as_dict() for finding in found]})
    else:
        for finding in found:
            out.print(status(finding.state), Text(one_line(f"{finding.what}: {finding.text}")))
    raise typer.Exit(FOUND if wrong else 0)


async def findings(site: Path) -> AsyncIterator[HealthFinding]:
    async for finding in Diagnosis(site).run():
        yield finding

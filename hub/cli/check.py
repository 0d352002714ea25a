"""`hub check`."""

from __future__ import annotations

from dataclasses import replace

import typer

from hub.app.diagnosing.orphan_warnings import orphan_warnings
from hub.app.site_folder import SiteFolder
from hub.cli.shell.output import FOUND, AsJson, counted, out, print_json, say
from hub.cli.site import HERE, SiteDir, checked_site, run


def check(site: SiteDir = HERE, as_json: AsJson = False) -> None:
    """Checks config/ and routes/ as one whole, and changes nothing.

    Each finding is `file:line:column: error|warning: text (did you mean ...?)`. Exit code 1 when there is an error.
    Example: hub check --site /srv/hub --json
    """
    checked = checked_site(site)
    if checked.site is not None:
        left = run(orphan_warnings(SiteFolder(site), checked.site))
        checked = replace(checked, findings=(*checked.findings, *left))
    errors, warnings = len(checked.errors), len(checked.warnings)
    if as_json:
        table = checked.site.version if checked.site else None
        found = [finding.as_dict() for finding in checked.findings]
        print_json({"ok": not errors, "errors": errors, "warnings": warnings, "table": table, "findings": found})
    else:
        for finding in checked.findings:
            out.print(str(finding), style="red" if finding.severity == "error" else "yellow", markup=False)
        if checked.site is not None:
            made = checked.site
            say(
                f"ok: {counted(len(made.table), 'route')}, {counted(len(made.sources), 'source')},"
                f" {counted(len(made.destinations), 'destination')}, {counted(warnings, 'warning')} (version"
                f" {made.version})",
                "green",
            )
        else:
            say(f"{counted(errors, 'error')}, {counted(warnings, 'warning')}", "red")
    raise typer.Exit(FOUND if errors else 0)

"""`hub reload`."""

from __future__ import annotations

from hub.cli.output import AsJson, fail, print_json, say
from hub.cli.site import HERE, SiteDir, checked_site, command


def reload(site: SiteDir = HERE, as_json: AsJson = False) -> None:
    """Makes the running hub read its files again. A version with errors changes nothing.

    Example: hub reload --site /srv/hub
    """
    checked = checked_site(site)
    if checked.site is None:
        fail("\n".join(str(finding) for finding in checked.errors) + "\nnothing was reloaded")
    result = command(site, "reload", {}, 30.0)
    if as_json:
        print_json(result)
        return
    say(f"table {result['before']} -> {result['table']}", "green")
    for word in ("added", "changed", "removed"):
        if result[word]:
            say(f"{word}: {', '.join(result[word])}")
    if result.get("restart_needed"):
        say(result["restart_needed"], "yellow")

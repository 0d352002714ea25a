"""`hub reload`."""

from __future__ import annotations

from hub.cli.output import AsJson, print_json, say
from hub.cli.site import HERE, SiteDir, command


def reload(site: SiteDir = HERE, as_json: AsJson = False) -> None:
    """Makes the running hub read its files again. A version with errors changes nothing.

    Example: hub reload --site /srv/hub
    """
    result = command(site, "reload", {}, 60.0, record=False)
    if as_json:
        print_json(result)
        return
    if result["before"] == result["table"]:
        say(f"routes unchanged (table {result['table']}); everything else was read again", "green")
    else:
        say(f"table {result['before']} -> {result['table']}", "green")
    for word in ("added", "changed", "removed"):
        if result[word]:
            say(f"{word}: {', '.join(result[word])}")
    if result.get("restart_needed"):
        say(result["restart_needed"], "yellow")

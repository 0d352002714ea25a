"""`hub version`."""

from __future__ import annotations

import platform

import hub
from hub.cli.shell.output import AsJson, print_json, say


def version(as_json: AsJson = False) -> None:
    """Prints the version of the hub and of Python."""
    if as_json:
        print_json({"hub": hub.__version__, "python": platform.python_version()})
    else:
        say(f"hub {hub.__version__} (Python {platform.python_version()})")

"""File descriptors: what the listeners of a site may open, and what a process may have."""

from __future__ import annotations

import resource

from hub.configuration.site import Site

RESERVE = 256
"""For journal, broker, claims, spool, files and connections that the hub opens itself."""

CONSOLE = 100
"""Connections of the console."""


def descriptors_needed(site: Site) -> int:
    """When every listener has all the connections that its options allow."""
    uses = [*(each.use for each in site.endpoints.values()), *(each.use for each in site.sources.values())]
    listeners = sum(use.plugin.descriptors(use.options) for use in uses if use is not None)
    return RESERVE + (CONSOLE if site.settings.console_port else 0) + listeners


def descriptors_allowed() -> int:
    """Of a process started as this one, after `allow_all_descriptors`."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[1]


def allow_all_descriptors() -> None:
    """Raises the soft limit, often 1,024, to the hard one. The hub polls with epoll, which has no bound of its own."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))

"""File descriptors: what the listeners of a site may open, and what a process may have."""

from __future__ import annotations

import resource

from hub.configuration.site import Site
from hub.core.plugin import EndpointPlugin, SourcePlugin

RESERVE = 256
"""For journal, broker, claims, spool, files and connections that the hub opens itself."""

CONSOLE = 100
"""Connections of the console."""


def descriptors_needed(site: Site) -> int:
    """When every listener has all the connections that its options allow."""
    listeners = (
        use.plugin.descriptors(use.options)
        for use in site.uses()
        if isinstance(use.plugin, EndpointPlugin | SourcePlugin)
    )
    return RESERVE + (CONSOLE if site.settings.console_port else 0) + sum(listeners)


def descriptors_allowed() -> int:
    """Of a process started as this one, after `allow_all_descriptors`."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[1]


def allow_all_descriptors() -> None:
    """Raises the soft limit, often 1,024, to the hard one. The hub polls with epoll, which has no bound of its own."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))

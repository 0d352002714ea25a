"""Files in folders: a source that claims by an atomic rename, a destination that writes atomically."""

from __future__ import annotations

from typing import Any

from adapters.file.destination import FileDestination, FileDestinationOptions
from adapters.file.source import FileSource, FileSourceOptions
from hub.core.plugin import Context, Plugin

__all__ = ["PLUGINS", "FileDestination", "FileDestinationOptions", "FileSource", "FileSourceOptions"]


def build_source(name: str, options: Any, context: Context) -> FileSource:
    return FileSource(name, options, context)


def build_destination(name: str, options: Any, context: Context) -> FileDestination:
    return FileDestination(options, context)


PLUGINS = (
    Plugin(
        name="file",
        kind="source",
        options=FileSourceOptions,
        summary="Takes the files that are dropped into a folder.",
        example='folder: var/drop/acme\nmatch: "*.edi"\nsettle: 2s\n',
        build=build_source,
    ),
    Plugin(
        name="file",
        kind="destination",
        options=FileDestinationOptions,
        summary="Writes each document to a file of its own, atomically.",
        example='folder: var/out/invoices\nname: "{document}_{number}.json"\n',
        build=build_destination,
        fact_templates=("name",),
    ),
)

"""Files in folders of this machine, or of any store that fsspec speaks to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from adapters.file.destination import FileDestination, FileDestinationOptions
from adapters.file.source import FileSource, FileSourceOptions
from adapters.file.store import FileStore, StoreEndpointOptions
from adapters.file.store_destination import StoreDestination
from adapters.file.store_source import StoreSource
from hub.core.context import Context
from hub.core.network.clear_text import credentials_in_the_clear, holds_password, lets_in
from hub.core.plugin import DestinationPlugin, EndpointPlugin, Problem, SourcePlugin

__all__ = [
    "PLUGINS",
    "FileDestination",
    "FileDestinationOptions",
    "FileSource",
    "FileSourceOptions",
    "FileStore",
    "StoreDestination",
    "StoreEndpointOptions",
    "StoreSource",
]


def build_endpoint(name: str, options: StoreEndpointOptions, context: Context) -> FileStore:
    return FileStore(name, options)


def build_source(name: str, options: FileSourceOptions, context: Context) -> FileSource | StoreSource:
    if options.store is not None:
        return StoreSource(name, options, context.endpoint_of(FileStore, options.store), context)
    return FileSource(name, options, context)


def build_destination(
    name: str, options: FileDestinationOptions, context: Context
) -> FileDestination | StoreDestination:
    if options.store is not None:
        return StoreDestination(options, context.endpoint_of(FileStore, options.store))
    return FileDestination(options, context)


def local_folder(options: FileSourceOptions | FileDestinationOptions) -> tuple[str, ...]:
    return (options.folder,) if options.store is None else ()


def wrong_with_store(options: StoreEndpointOptions, endpoint: None, site: Path) -> Iterator[Problem]:
    known = lets_in(options.options)
    if holds_password(options.url) or known:
        yield from credentials_in_the_clear("url", options.url, "credentials travel")
    if known:
        yield from credentials_in_the_clear(
            "options", str(options.options.get("endpoint_url", "")), "credentials travel"
        )


AT_ONCE = 16
"""Files written at once, each by a thread."""

PLUGINS = (
    EndpointPlugin(
        name="store",
        options=StoreEndpointOptions,
        concurrent=lambda options: options.connections,
        summary=(
            "A store of files that isn't a folder of this machine: S3 and its likes, and what else fsspec speaks to."
        ),
        example='url: s3://acme-exchange/edi\noptions: {key: "${S3_KEY}", secret: "${S3_SECRET}"}\n',
        build=build_endpoint,
        inspect=wrong_with_store,
    ),
    SourcePlugin(
        name="file",
        options=FileSourceOptions,
        summary="Takes the files that are dropped into a folder.",
        example='folder: var/drop/acme\nmatch: "*.edi"\nsettle: 2s\n',
        build=build_source,
        endpoint=("store", "store"),
        shared_folders=local_folder,
    ),
    DestinationPlugin(
        name="file",
        options=FileDestinationOptions,
        concurrent=lambda options: AT_ONCE,
        summary="Writes each document to a file of its own, atomically.",
        example='folder: var/out/invoices\nname: "{document}_{number}.json"\n',
        build=build_destination,
        endpoint=("store", "store"),
        shared_folders=local_folder,
        fact_templates=("name",),
    ),
)

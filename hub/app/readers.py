"""Readers outside a running hub, for looking at files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from hub.app.site_folder import SiteFolder
from hub.core.context import Context
from hub.core.errors import ConfigError, DecodeError
from hub.core.message import EMPTY
from hub.core.options.nearest import hint
from hub.core.partners import PartnerDirectory
from hub.core.plugin import ReaderPlugin
from hub.core.plugins import Plugins
from hub.core.ports import Body, Reader, Reading, TracingReader
from hub.documents import from_foreign_json
from transformers.unpack import unpacked_by


class AnyJson:
    """Reads one canonical document, whichever its first key says it is."""

    def read(self, body: Body, headers: Mapping[str, Any] = EMPTY) -> Iterator[Reading]:
        try:
            yield Reading((), document=from_foreign_json(b"".join(body.chunks())))
        except DecodeError as error:
            yield Reading((), error=error)


def reader_of_source(name: str, site: Path, plugins: Plugins, environ: Mapping[str, str]) -> Reader:
    """What a source of the site reads with, out of what it is packed in. Raises ConfigError."""
    from hub.app.opening import reader_of  # brokers and journals come with it

    folder = SiteFolder(site)
    checked = folder.check(plugins, environ)
    if checked.site is None:
        raise ConfigError("\n".join(str(finding) for finding in checked.errors))
    config = checked.site.sources.get(name)
    if config is None:
        raise ConfigError(f"there is no source {name!r}", hint=hint(name, checked.site.sources))
    return reader_of(
        config, Context(site, partners=checked.site.partners, text=folder.text, work=checked.site.settings.work)
    )


def reader_for(file: Path, site: Path, plugins: Plugins, environ: Mapping[str, str], name: str | None) -> Reader:
    """The reader that `name` says, else JSON for what begins with `{` or `[`, else X12; what it is packed in comes off.
    Partners are the site's, where there is one. Raises ConfigError for an unknown reader."""
    if name is None:
        with file.open("rb") as stream:
            begin = stream.read(512).removeprefix(b"\xef\xbb\xbf").lstrip()
        name = "json" if begin[:1] in (b"{", b"[") else "x12"
    if name == "json":
        return AnyJson()
    plugin = plugins.find(ReaderPlugin, name)
    if plugin is None:
        raise ConfigError(f"there is no reader {name!r}", hint=f"installed: {', '.join(plugins.names(ReaderPlugin))}")
    try:
        options = plugin.options.model_validate({"strangers": "take"} if name == "x12" else {})
    except ValidationError:
        raise ConfigError(f"the reader {name} needs options: name a source that has them with --source") from None
    context = Context(site=site, partners=partners_of(site, plugins, environ))
    return unpacked_by("auto", plugin.build(name, options, context))


def x12_reader(site: Path, plugins: Plugins, environ: Mapping[str, str]) -> TracingReader:
    """The reader `x12` with the site's partners, whatever the interchanges are packed in. Raises ConfigError where this
    installation has none."""
    plugin = plugins.find(ReaderPlugin, "x12")
    if plugin is None:
        raise ConfigError("there is no reader 'x12'", hint=f"installed: {', '.join(plugins.names(ReaderPlugin))}")
    context = Context(site=site, partners=partners_of(site, plugins, environ))
    made = unpacked_by("auto", plugin.build("x12", plugin.options.model_validate({"strangers": "take"}), context))
    if not isinstance(made, TracingReader):
        raise ConfigError("the reader 'x12' of this installation has no lineage")
    return made


def partners_of(site: Path, plugins: Plugins, environ: Mapping[str, str]) -> PartnerDirectory:
    """The partners of a site; none where there is no site, or where it has errors."""
    if not (site / "config").is_dir():
        return PartnerDirectory()
    found = SiteFolder(site).check(plugins, environ).site
    return found.partners if found is not None else PartnerDirectory()

"""A drafted partner's file in its site: whether it would stand there, and how it gets there."""

from __future__ import annotations

from collections.abc import Mapping

from hub.app.site_folder import SiteFolder
from hub.app.x12.partner_scaffold import Scaffold
from hub.configuration.check import check_site
from hub.configuration.files.finding import Finding
from hub.core.errors import ConfigError, Place
from hub.core.plugin import Plugins


def objections(
    site: SiteFolder, scaffold: Scaffold, plugins: Plugins, environ: Mapping[str, str]
) -> tuple[Finding, ...]:
    """The errors that the file would have among the others of the site; alone where there is no site."""
    files = dict(site.files()) if (site.path / "config").is_dir() else {}
    if scaffold.file in files:
        hint = "call the partner something else with --name, or check the file with `hub partner check`"
        return (Finding(Place(scaffold.file), "error", "the file is there already", hint),)
    files[scaffold.file] = scaffold.text.encode()
    checked = check_site(files, plugins, environ, site.exists)
    return tuple(finding for finding in checked.errors if finding.place.file == scaffold.file)


def put(site: SiteFolder, scaffold: Scaffold) -> None:
    """Writes the file. Raises ConfigError where there is no site, or a file of that name."""
    if not (site.path / "config").is_dir():
        raise ConfigError(f"{site.path} is no site: it has no config/ folder", hint="give it with --site DIR")
    path = site.path / scaffold.file
    path.parent.mkdir(exist_ok=True)
    try:
        with path.open("x", encoding="utf-8") as stream:
            stream.write(scaffold.text)
    except FileExistsError:
        raise ConfigError("the file is there already", Place(scaffold.file)) from None

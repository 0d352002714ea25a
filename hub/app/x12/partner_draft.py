"""A drafted partner's file in its site: whether it would stand there, and how it gets there."""

from __future__ import annotations

from collections.abc import Mapping

from hub.app.site_folder import SiteFolder
from hub.app.x12.partner_scaffold import PartnerScaffold
from hub.configuration.check import check_site
from hub.configuration.files.finding import SiteFinding
from hub.core.errors import ConfigError, FilePlace
from hub.core.plugins import Plugins


def objections(
    site: SiteFolder, scaffold: PartnerScaffold, plugins: Plugins, environ: Mapping[str, str]
) -> tuple[SiteFinding, ...]:
    """The errors that the file would have among the others of the site; alone where there is no site."""
    files = dict(site.files()) if (site.path / "config").is_dir() else {}
    if scaffold.file in files:
        hint = "call the partner something else with --name, or check the file with `hub partner check`"
        return (SiteFinding(FilePlace(scaffold.file), "error", "the file is there already", hint),)
    files[scaffold.file] = scaffold.text.encode()
    checked = check_site(files, plugins, environ, site.exists)
    return tuple(finding for finding in checked.errors if finding.place.file == scaffold.file)


def put(site: SiteFolder, scaffold: PartnerScaffold) -> None:
    """Writes the file. Raises ConfigError where there is no site, or a file of that name."""
    if not (site.path / "config").is_dir():
        raise ConfigError(f"{site.path} is no site: it has no config/ folder", hint="give it with --site DIR")
    path = site.path / scaffold.file
    path.parent.mkdir(exist_ok=True)
    try:
        with path.open("x", encoding="utf-8") as stream:
            stream.write(scaffold.text)
    except FileExistsError:
        raise ConfigError("the file is there already", FilePlace(scaffold.file)) from None

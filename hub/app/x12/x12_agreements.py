"""The agreements of a site, for looking at X12 files outside a running hub."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from hub.app.site_folder import SiteFolder
from hub.configuration.draft import Draft
from hub.configuration.entries.agreements import read_partner
from hub.configuration.files.yaml_loader import load
from hub.core.agreement import Agreement
from hub.core.errors import ConfigError
from hub.core.options.nearest import did_you_mean
from hub.core.partners import PartnerDirectory
from hub.core.plugins import Plugins
from hub.documents import DOCUMENTS

FOLDER = "config/partners/"


def agreements_of(site: Path, environ: Mapping[str, str]) -> PartnerDirectory:
    """The partners of a site, whatever else is wrong with it; none where there is no site. Raises ConfigError for what
    is wrong with the partners' files."""
    folder = SiteFolder(site)
    draft = Draft(Plugins.of(()), folder.exists, DOCUMENTS)
    if not (site / FOLDER).is_dir():
        return PartnerDirectory()
    for name, data in folder.files().items():
        if name.startswith(FOLDER) and data:
            read_partner(draft, load(name, data, environ))
    if draft.findings.errors:
        raise ConfigError("\n".join(str(f) for f in draft.findings if f.severity == "error").removeprefix("error: "))
    return PartnerDirectory(one.agreement for one in draft.agreements.values())


def agreement_named(partners: PartnerDirectory, partner: str) -> Agreement:
    """Raises ConfigError for a partner that the site doesn't have."""
    if (found := partners.by_name(partner)) is None:
        known = (
            f"known: {', '.join(partners.names)}" if partners.names else "there are none here; --site names the site"
        )
        raise ConfigError(f"there is no partner {partner!r}", hint=did_you_mean(partner, partners.names) or known)
    return found

"""From the bytes of a site's files to a checked site, or to everything that is wrong with them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from hub.configuration.checks.trial import check_transformers
from hub.configuration.checks.whole import check_whole
from hub.configuration.draft import Draft, Text
from hub.configuration.entries.acknowledge_routes import make_acknowledge_routes
from hub.configuration.entries.agreements import check_agreements, read_partner
from hub.configuration.entries.connections import declare_destinations, declare_sources, read_endpoints
from hub.configuration.entries.fact_paths import read_facts
from hub.configuration.entries.routes import read_routes
from hub.configuration.files.models import ROUTES_FILE_KEYS
from hub.configuration.files.policies import declare_built_in, read_policies, read_settings
from hub.configuration.files.secrets import check_secrets
from hub.configuration.files.yaml_file import YamlFile
from hub.configuration.files.yaml_loader import load
from hub.configuration.site import Checked, Site
from hub.core.errors import ConfigError, FilePlace
from hub.core.options.nearest import did_you_mean, hint
from hub.core.partners import PartnerDirectory
from hub.core.plugins import Plugins
from hub.core.routing.route_table import RouteTable
from hub.documents import DOCUMENTS, Document

if TYPE_CHECKING:
    from pathlib import Path

HUB = "config/hub.yaml"
ENDPOINTS = "config/endpoints.yaml"
POLICIES = "config/policies.yaml"
FACTS = "config/facts.yaml"
DESTINATIONS = "config/destinations.yaml"
SINGLE = (HUB, ENDPOINTS, POLICIES, FACTS, DESTINATIONS)
PARTNERS = "config/partners/*.yaml"
ROUTES = "routes/*.yaml"
TESTS = "routes/*.test.yaml"
OTHERS = ("routes/templates/", "routes/schemas/", "routes/fixtures/", "config/schemas/")
FORMAT = 1


def check_site(
    files: Mapping[str, bytes],
    plugins: Plugins,
    environ: Mapping[str, str],
    exists: Callable[[str], bool],
    documents: Mapping[str, type[Document]] = DOCUMENTS,
    folder: Path | None = None,
    text: Text | None = None,
) -> Checked:
    """Checks a site as one whole and compiles it.

    `files` are all YAML files below config/ and routes/, by path relative to the site (`config/partners/acme.yaml`);
    `exists` tells whether a file of the site is there; `folder` is where plug-ins may look into such files, None:
    nowhere; `text` gives the texts of templates, schemas and tables, with which readers, writers and steps are built on
    trial, None: they aren't. Never raises for what the files hold; every error of every file is a finding. With an
    error there is no site.
    """
    draft = Draft(plugins, exists, documents, folder, text)
    _parse(draft, files, environ)
    _read(draft)
    check_whole(draft)
    check_transformers(draft)
    return Checked(None if draft.findings.errors else _site(draft), tuple(draft.findings))


def wanted(name: str) -> bool:
    """Whether a path relative to the site is a file that `check_site` reads."""
    return name in SINGLE or _is(name, PARTNERS) or (_is(name, ROUTES) and not _is(name, TESTS))


def _is(name: str, pattern: str) -> bool:
    return fnmatchcase(name, pattern) and name.count("/") == pattern.count("/")


def _parse(draft: Draft, files: Mapping[str, bytes], environ: Mapping[str, str]) -> None:
    if not any(wanted(name) for name in files):
        draft.findings.error(FilePlace(HUB), "there is no site here", "a site has config/ and routes/; see --site DIR")
    for name in sorted(files):
        if not wanted(name):
            _not_read(draft, name)
            continue
        try:
            file = load(name, files[name], environ)
        except ConfigError as error:
            draft.findings.raised(error, FilePlace(name))
            continue
        draft.files[name] = file
        for found in file.errors:
            draft.findings.raised(found, FilePlace(name))


def _not_read(draft: Draft, name: str) -> None:
    """A file that looks as if it should be read is not passed over in silence."""
    if _is(name, TESTS) or name.startswith(OTHERS) or not name.startswith(("config/", "routes/")):
        return
    if name.endswith(".yml"):
        draft.findings.warning(FilePlace(name), "this file is not read", "its name should end in .yaml")
    elif name.endswith(".yaml"):
        known = did_you_mean(name, SINGLE) or "routes stand in routes/, partners in config/partners/"
        draft.findings.warning(FilePlace(name), "this file is not read", known)


def _read(draft: Draft) -> None:
    if hub := draft.files.get(HUB):
        read_settings(draft, hub)
        check_secrets(hub, hub.root, draft.findings)
    for name, read in ((POLICIES, read_policies), (FACTS, read_facts), (ENDPOINTS, read_endpoints)):
        if file := draft.files.get(name):
            read(draft, file)
    declare_built_in(draft)
    for file in _matching(draft, PARTNERS):
        read_partner(draft, file)
    later: list[Callable[[], None]] = []
    if file := draft.files.get(DESTINATIONS):
        later.append(declare_destinations(draft, file, file.root))
    routes = [(file, _owner(draft, file)) for file in _matching(draft, ROUTES) if _check_head(draft, file)]
    for file, owner in routes:
        if node := file.root.child("destinations"):
            later.append(declare_destinations(draft, file, node))
        if node := file.root.child("sources"):
            later.append(declare_sources(draft, file, node, owner))
    for entries in later:
        entries()
    check_agreements(draft)
    make_acknowledge_routes(draft)
    for file, owner in routes:
        if node := file.root.child("routes"):
            read_routes(draft, file, node, owner)


def _matching(draft: Draft, pattern: str) -> Iterable[YamlFile]:
    return [file for name, file in draft.files.items() if _is(name, pattern)]


def _check_head(draft: Draft, file: YamlFile) -> bool:
    """Whether a routes file is a mapping; format and keys are checked on the way."""
    root = file.root
    if root.kind != "mapping":
        draft.findings.error(file.place_of(root), "a routes file is a mapping", f"keys: {', '.join(ROUTES_FILE_KEYS)}")
        return False
    for key, node in root.keys.items():
        if key not in ROUTES_FILE_KEYS:
            draft.findings.error(file.place_of(node), f"unknown key {key!r}", hint(key, ROUTES_FILE_KEYS))
    version = root.child("format")
    if version is None:
        draft.findings.error(file.place_of(root), "the key 'format' is missing", f"write format: {FORMAT}")
    elif version.value != FORMAT or isinstance(version.value, bool):
        draft.findings.error(file.place_of(version), f"format {version.raw} is not known", f"write format: {FORMAT}")
    return True


def _owner(draft: Draft, file: YamlFile) -> str:
    node = file.root.child("owner")
    if node is not None and isinstance(node.value, str) and node.value.strip():
        return node.value
    place = file.place_of(node or file.root)
    draft.findings.error(place, "`owner` should name who answers for these routes")
    return ""


def _site(draft: Draft) -> Site:
    return Site(
        settings=draft.settings,
        endpoints=draft.endpoints,
        sources=draft.sources,
        destinations=draft.destinations,
        retry_classes=draft.retry_classes,
        holds=draft.holds,
        facts=draft.facts,
        partners=PartnerDirectory(one.agreement for one in draft.agreements.values()),
        table=RouteTable(route.route for route in draft.routes),
        places={route.route.id: route.place("id") for route in draft.routes},
    )

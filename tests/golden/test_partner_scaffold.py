"""The file that a sample drafts: sound in a site, and the sample doesn't depart from it."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.app.plugin_discovery import discover
from hub.app.site_folder import SiteFolder
from hub.app.x12.partner_draft import objections
from hub.app.x12.partner_scaffold import scaffold
from hub.configuration.check import check_site
from hub.core.ports import FileBody
from tests.golden.x12_files import FIXTURES, SHIPPED
from transformers.x12.terms.departures import departures
from transformers.x12.terms.observation import observe

SOUND = [*sorted(FIXTURES.glob("*.edi")), *sorted(SHIPPED.glob("acme-8*.edi"))]
PLUGINS = discover()


@pytest.mark.parametrize("path", SOUND, ids=lambda path: path.stem)
def test_a_sample_drafts_an_agreement_from_which_it_doesnt_depart(path: Path) -> None:
    (observed,) = observe(FileBody(path))
    drafted = scaffold(observed, path.name)
    checked = check_site({drafted.file: drafted.text.encode()}, PLUGINS, {}, lambda name: False)
    assert [str(finding) for finding in checked.findings] == []
    assert checked.site is not None
    agreement = checked.site.partners.by_name(drafted.partner)
    assert agreement is not None
    found = [one for one in departures(FileBody(path), agreement) if not one.note]
    assert [f"{one.where}: {one.text}" for one in found] == [] or observed.broken


@pytest.mark.parametrize("path", sorted((FIXTURES / "broken").glob("*.edi")), ids=lambda path: path.stem)
def test_a_broken_sample_drafts_a_sound_file_or_none(path: Path, tmp_path: Path) -> None:
    for observed in observe(FileBody(path)):
        assert objections(SiteFolder(tmp_path), scaffold(observed, path.name), PLUGINS, {}) == ()

"""What is generated from the declarations is up to date, and every declaration holds what it promises."""

from __future__ import annotations

import importlib
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from hub.app.plugin_discovery import discover
from hub.core.plugin import Plugin, named_fields

ROOT = Path(__file__).parents[3]
REFERENCE = ROOT / "docs/reference"


def test_the_reference_pages_are_up_to_date(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "docs")
    pages = importlib.import_module("generate").pages()
    for name, text in pages.items():
        assert (REFERENCE / name).read_text() == text.rstrip() + "\n", f"{name}: run `make docs`"
    assert {path.relative_to(REFERENCE).as_posix() for path in REFERENCE.rglob("*.md")} == set(pages)


@pytest.mark.parametrize("path", sorted(REFERENCE.rglob("*.md")), ids=lambda path: path.stem)
def test_the_links_of_a_page_lead_somewhere(path: Path) -> None:
    links = re.findall(r"\]\(([^)#]+\.md)", path.read_text())
    assert [link for link in links if not (path.parent / link).exists()] == []


def all_plugins() -> list[Any]:
    known = discover().by_kind
    return [pytest.param(p, id=f"{kind} {p.name}") for kind in known for p in known[kind].values()]


@pytest.mark.parametrize("plugin", all_plugins())
def test_a_declaration_has_an_example_that_its_own_model_takes(plugin: Plugin) -> None:
    resolved = re.sub(r"\$\{[^}]+\}", "http://example.test", plugin.example)
    plugin.options.model_validate_json(json.dumps(yaml.safe_load(resolved) or {}))


@pytest.mark.parametrize("plugin", all_plugins())
def test_a_declaration_describes_every_option(plugin: Plugin) -> None:
    assert plugin.summary.endswith(".")
    undescribed = [name for name, field in plugin.options.model_fields.items() if not field.description]
    assert undescribed == []


@pytest.mark.parametrize("plugin", all_plugins())
def test_a_declaration_names_only_fields_that_its_model_has(plugin: Plugin) -> None:
    fields = set(plugin.options.model_fields)
    fields |= {name for name in dir(plugin.options) if isinstance(getattr(plugin.options, name, None), property)}
    assert set(named_fields(plugin)) <= fields

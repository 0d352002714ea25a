"""The examples of the pages of adapters and transformers: each is part of a site that loads, and what is pure is
built."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from hub.app.plugin_discovery import discover
from hub.app.site_folder import SiteFolder
from hub.configuration.site import Checked
from hub.core.context import Context
from hub.core.plugin import Plugin, endpoint_field
from hub.core.routing.facts import BUILT_IN
from hub.core.step import AskingStep
from tests.support.soap_orders import ACCEPTANCE, TYPES, WSDL

PAGES = Path(__file__).parents[3] / "docs/reference/plugins"
EXAMPLE = re.compile(r"^## (\w+)\n.*?```yaml\n# (\S+)\n(.*?)```", re.MULTILINE | re.DOTALL)
PLUGINS = discover()
PARTNER = """\
partner: ACME
ids: [{qualifier: "01", id: "043645501"}]
we: {qualifier: "01", id: "068717859"}
x12: {version: "004010", receive: ["850"], send: ["855"]}
"""
STUBS = {
    ".json.j2": '{"number": "1"}',
    ".json": "{}",
    ".xsd": '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="order"/></xs:schema>',
    ".wsdl": WSDL,
    "accepted.xml": ACCEPTANCE,
    ".csv": "code,name\nA,B\n",
}
"""What a file holds that an example names, by the end of its name."""


@dataclass(frozen=True)
class Example:
    """One example of a page."""

    plugin: Plugin
    file: str
    text: str

    def __str__(self) -> str:
        return f"{self.plugin.kind} {self.plugin.name}"


def examples() -> Iterator[Example]:
    for path in sorted(PAGES.glob("*.md")):
        for kind, file, text in EXAMPLE.findall(path.read_text()):
            yield Example(PLUGINS.by_kind[kind.lower()][path.stem], file, text)


def test_every_plug_in_has_a_page_with_an_example() -> None:
    shown = {(example.plugin.kind, example.plugin.name) for example in examples()}
    assert shown == {(kind, name) for kind in PLUGINS.by_kind for name in PLUGINS.by_kind[kind]}


@pytest.mark.parametrize("example", list(examples()), ids=str)
def test_the_example_is_part_of_a_site_that_loads(example: Example, tmp_path: Path) -> None:
    checked = site_with(example, tmp_path)
    assert [str(finding) for finding in checked.errors] == []
    assert checked.site is not None


@pytest.mark.parametrize("example", [e for e in examples() if e.plugin.kind in ("reader", "writer", "step")], ids=str)
def test_a_reader_writer_or_step_is_built_from_its_example(example: Example, tmp_path: Path) -> None:
    site = site_with(example, tmp_path).site
    assert site is not None
    if example.plugin.kind == "writer":
        use = site.destinations["out"].writer
    else:
        (source,) = site.sources.values()
        use = source.reader if example.plugin.kind == "reader" else source.steps[0].use
    assert use is not None
    context = Context(
        site=tmp_path,
        text=lambda folder, name: (tmp_path / folder / name).read_text(),
        partners=site.partners,
        facts=BUILT_IN,
    )
    built = use.plugin.build("example", use.options, context)
    if example.plugin.kind == "step":
        assert isinstance(built, AskingStep) or callable(built.take)
    else:
        assert callable(built.read if example.plugin.kind == "reader" else built.write)


def site_with(example: Example, folder: Path) -> Checked:
    """A site that has nothing but the example, and what it names."""
    files = {"config/hub.yaml": "broker: embedded\n", "config/partners/acme.yaml": PARTNER, example.file: example.text}
    values = options_of(example)
    named = endpoint_field(example.plugin)
    if named is not None and (name := values.get(named[0])):
        files["config/endpoints.yaml"], kind = endpoint(name, named[1])
        files |= named_files(kind, yaml.safe_load(resolved(kind.example)))
    files |= named_files(example.plugin, values)
    files["routes/schemas/types.xsd"] = TYPES
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    secrets = dict.fromkeys(re.findall(r"\$\{(\w+)\}", "".join(files.values())), "http://example.test/a-long-secret")
    return SiteFolder(folder).check(PLUGINS, secrets)


def endpoint(name: str, kind: str) -> tuple[str, Plugin]:
    """An endpoint of that name: what its own page shows."""
    plugin = PLUGINS.by_kind["endpoint"][kind]
    options = "".join(f"    {line}\n" for line in plugin.example.splitlines())
    return f"{name}:\n  {kind}:\n{options}", plugin


def options_of(example: Example) -> dict[str, Any]:
    found = yaml.safe_load(resolved(example.plugin.example))
    return found if isinstance(found, dict) else {}


def resolved(text: str) -> str:
    return re.sub(r"\$\{[^}]+\}", "x", text)


def named_files(plugin: Plugin, options: dict[str, Any]) -> dict[str, str]:
    """The files of the site that the options name."""
    found = {}
    for field, folder in plugin.files.items():
        declared = plugin.options.model_fields.get(field)
        value = options.get((declared.alias or field) if declared is not None else field)
        if isinstance(value, str):
            ending = next(ending for ending in STUBS if value.endswith(ending))
            found[f"{folder}/{value}"] = STUBS[ending]
    return found

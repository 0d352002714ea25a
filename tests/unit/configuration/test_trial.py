"""`hub check` finds what would fail at the start, or with each message: templates, schemas and tables that can't be
used."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from hub.app.plugin_discovery import discover
from hub.app.site_folder import SiteFolder
from hub.core.context import Context
from hub.core.plugin import Options, StepPlugin
from hub.core.plugins import Plugins
from tests.support.site import INBOX, SiteOnDisk

ROUTE = "routes:\n  - {id: orders, when: {document: order}, to: [erp]}\n"
STEPS = "routes/acme.yaml:8:"
TABLE = {"config/tables/rates.csv": "code,rate\nEUR,1\n"}


def found(tmp_path: Path, files: Mapping[str, str], plugins: Plugins | None = None) -> list[str]:
    site = SiteOnDisk(tmp_path)
    for name, text in files.items():
        site.write(name, text)
    return [str(one) for one in SiteFolder(tmp_path).check(plugins or discover(), site.environ).errors]


def step(text: str) -> dict[str, str]:
    return {"routes/acme.yaml": f"{INBOX}    steps:\n      - {{name: ours, {text}}}\n{ROUTE}"}


def reader(text: str) -> dict[str, str]:
    return {"routes/acme.yaml": INBOX.replace("{json: order@1}", text) + ROUTE}


def writer(text: str) -> dict[str, str]:
    return {"config/destinations.yaml": f"erp:\n  rest: {{endpoint: erp, call: POST /orders}}\n  write: {text}\n"}


def enrich(column: str) -> dict[str, str]:
    return step(f'enrich: {{table: rates.csv, key: "{{number}}", set: {{currency: {column}}}}}')


BROKEN = {
    "a template of a step": (
        step("map: ours.json.j2"),
        {"routes/templates/ours.json.j2": "{\n{% for %}"},
        (STEPS, "ours.json.j2: line 2"),
    ),
    "a template of a split": (
        step("split: {template: ours.json.j2}"),
        {"routes/templates/ours.json.j2": "[{% for %}]"},
        (STEPS, "ours.json.j2: line 1"),
    ),
    "a filter that isn't there": (
        step("map: ours.json.j2"),
        {"routes/templates/ours.json.j2": "{{ document.number | shout }}"},
        ("ours.json.j2: line 1", "shout"),
    ),
    "a template of a reader": (
        reader("{json: {document: order@1, map: shop.json.j2}}"),
        {"routes/templates/shop.json.j2": "{{ body. }}"},
        ("routes/acme.yaml:6:", "shop.json.j2: line 1"),
    ),
    "a template of a writer": (
        writer("{template: erp.json.j2}"),
        {"routes/templates/erp.json.j2": "{% if %}"},
        ("config/destinations.yaml:3:", "erp.json.j2: line 1"),
    ),
    "a template that includes one that isn't there": (
        writer("{template: erp.json.j2}"),
        {"routes/templates/erp.json.j2": '{% include "lines.json.j2" %}'},
        ("config/destinations.yaml:3:", "erp.json.j2", "lines.json.j2"),
    ),
    "a template that includes a broken one": (
        writer("{template: erp.json.j2}"),
        {
            "routes/templates/erp.json.j2": '{% include "lines.json.j2" %}',
            "routes/templates/lines.json.j2": "{% for %}",
        },
        ("config/destinations.yaml:3:", "lines.json.j2: line 1"),
    ),
    "a code table that isn't there": (
        step("map: ours.json.j2"),
        {"routes/templates/ours.json.j2": "{{ 1 | table('units') }}"},
        (STEPS, "ours.json.j2", "config/tables/units.csv"),
    ),
    "a schema that is none": (
        writer("{template: erp.json.j2, schema: erp.json}"),
        {"routes/templates/erp.json.j2": "{}", "routes/schemas/erp.json": '{"type": 3}'},
        ("config/destinations.yaml:3:", "routes/schemas/erp.json: $.type"),
    ),
    "a schema of a step that is no JSON": (
        step("validate: {schema: ours.json}"),
        {"routes/schemas/ours.json": "{"},
        (STEPS, "routes/schemas/ours.json isn't JSON"),
    ),
    "a schema that refers to another": (
        step("validate: {schema: ours.json}"),
        {"routes/schemas/ours.json": '{"properties": {"number": {"$ref": "https://schemas.example/number"}}}'},
        (STEPS, "routes/schemas/ours.json", "https://schemas.example/number"),
    ),
    "an XML Schema that is none": (
        reader("{xml: {document: order@1, map: old.json.j2, schema: old.xsd}}"),
        {"routes/templates/old.json.j2": "{}", "routes/schemas/old.xsd": "<schema/>"},
        ("routes/acme.yaml:6:", "routes/schemas/old.xsd"),
    ),
    "an XSLT that is none": (
        reader("{xml: {document: order@1, xslt: old.xsl}}"),
        {"routes/templates/old.xsl": "<stylesheet"},
        ("routes/acme.yaml:6:", "routes/templates/old.xsl"),
    ),
    "a table with a short row": (enrich("rate"), {"config/tables/rates.csv": "code,rate\nEUR\n"}, (STEPS, "line 2")),
    "a column that the table hasn't": (enrich("price"), TABLE, (STEPS, "price")),
    "a file that is no text": (
        step("map: ours.json.j2"),
        {"routes/templates/ours.json.j2": "\udcff"},
        (STEPS, "ours.json.j2"),
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_cant_be_used_is_found_where_it_is_named(tmp_path: Path, name: str) -> None:
    use, files, said = BROKEN[name]
    site = SiteOnDisk(tmp_path)
    for path, text in {**use, **files}.items():
        site.write(path, "").write_bytes(text.encode("utf-8", "surrogateescape"))
    (error,) = [str(one) for one in SiteFolder(tmp_path).check(discover(), site.environ).errors]
    assert all(part in error for part in said), error


def test_what_can_be_used_is_no_finding(tmp_path: Path) -> None:
    assert found(tmp_path, {**enrich("rate"), **TABLE}) == []


def test_an_include_that_may_be_missing_is_none(tmp_path: Path) -> None:
    template = '{% include "a.json.j2" ignore missing %}{% include ["b.json.j2", "erp.json.j2"] %}'
    assert found(tmp_path, {**writer("{template: erp.json.j2}"), "routes/templates/erp.json.j2": template}) == []


def test_each_use_of_a_broken_file_is_told(tmp_path: Path) -> None:
    text = (
        f"{INBOX}    steps:\n      - {{name: one, map: ours.json.j2}}\n      - {{name: two, map:"
        f" ours.json.j2}}\n{ROUTE}"
    )
    errors = found(tmp_path, {"routes/acme.yaml": text, "routes/templates/ours.json.j2": "{% if %}"})
    assert [error.split(":")[1] for error in errors] == ["8", "9"]


@pytest.mark.parametrize("kind", ["map: ours.j2", "split: {template: ours.j2}"])
def test_a_template_that_makes_no_json_by_its_name_is_refused(tmp_path: Path, kind: str) -> None:
    (error,) = found(tmp_path, {**step(kind), "routes/templates/ours.j2": "{}"})
    assert STEPS in error
    assert ".json.j2" in error


def test_a_condition_that_is_wrong_is_told_once(tmp_path: Path) -> None:
    assert len(found(tmp_path, step('filter: "totl > 3"'))) == 1


class AskOptions(Options):
    """Whom it asks."""

    endpoint: str


def _asks(name: str, options: AskOptions, context: Context) -> object:
    return context.endpoint(options.endpoint).ask


def test_a_step_that_needs_its_endpoint_is_built_at_the_start(tmp_path: Path) -> None:
    known = [plugin for kind in discover().by_kind.values() for plugin in kind.values()]
    asks = StepPlugin(
        name="asks",
        options=AskOptions,
        summary="Asks.",
        example="",
        build=_asks,
        shorthand="endpoint",
        endpoint=("endpoint", "rest"),
    )
    assert found(tmp_path, step("asks: erp"), Plugins.of([*known, asks])) == []


class NoOptions(Options):
    """None."""


def ask_the_hub(name: str, options: NoOptions, context: Context) -> None:
    context.log.bind(step=name)


def test_a_builder_that_wants_what_only_a_running_hub_has_is_told_of(tmp_path: Path) -> None:
    wants = StepPlugin(name="wants", options=NoOptions, summary="Wants the log.", example="{}", build=ask_the_hub)
    known = [plugin for kind in discover().by_kind.values() for plugin in kind.values()]
    (told,) = found(tmp_path, step("wants: {}"), Plugins.of([*known, wants]))
    assert "wants can't be used: RuntimeError: no log was given here" in told

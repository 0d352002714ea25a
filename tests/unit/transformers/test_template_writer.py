"""The writer `template`: what comes out is what the format and the schema say, or an error that names the place."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from hub.core.context import Context
from hub.core.errors import ConfigError, MappingError
from hub.core.ports import WriteContext
from hub.documents import Document, Order, from_json
from hub.documents.parts.line import Line
from transformers.template import PLUGIN, TemplateWriter

SITE = Path(__file__).resolve().parents[3]
CONTEXT = WriteContext(
    "d1", "erp", "k1", datetime(2026, 3, 2, 8, 15, tzinfo=UTC), {"partner": "ACME", "total": Decimal(5)}
)
ORDER = Order(
    number='10"4\n5<&', date=date(2026, 3, 2), lines=(Line(quantity=Decimal("1.50"), price=Decimal("2.005")),)
)


def write(text: str, name: str = "t.json.j2", schema: str | None = None, document: Document = ORDER) -> bytes:
    writer = TemplateWriter(name, {name: text}.__getitem__, ("s.json", schema) if schema else None)
    written = writer.write(document, CONTEXT)
    assert writer.write(document, CONTEXT) == written
    return written.body


def test_what_it_sees() -> None:
    text = "{{ document.number }}|{{ facts.partner }}|{{ key }}|{{ document_id }}|{{ now.isoformat() }}"
    assert write(text, "t.txt.j2").decode() == '10"4\n5<&|ACME|k1|d1|2026-03-02T08:15:00+00:00'


def test_json_is_safe_inside_strings_and_as_values() -> None:
    text = """{"a": "no {{ document.number }}", "b": {{ document.number | tojson }}, "c": {{ document.date | tojson }},
      "d": {{ document.lines[0].price | tojson }}, "e": {{ document.lines[0].price | fixed(2) | number }},
      "f": {{ document.lines[0] | tojson }}, "g": {{ none | tojson }}, "h": {{ document.lines | length }}}"""
    assert json.loads(write(text)) == {
        "a": 'no 10"4\n5<&',
        "b": '10"4\n5<&',
        "c": "2026-03-02",
        "d": "2.005",
        "e": 2.01,
        "f": {"quantity": "1.50", "price": "2.005"},
        "g": None,
        "h": 1,
    }
    assert b'"e": 2.01,' in write(text)


def test_xml_is_escaped_and_must_be_well_formed() -> None:
    assert write("<o n='{{ document.number }}'>{{ document.number }}</o>", "t.xml.j2") == (
        b"<o n='10&#34;4\n5&lt;&amp;'>10&#34;4\n5&lt;&amp;</o>"
    )
    with pytest.raises(MappingError, match="isn't well-formed XML"):
        write("<o>{{ document.number }}</p>", "t.xml.j2")
    with pytest.raises(MappingError, match="DOCTYPE"):
        write('<!DOCTYPE o [<!ENTITY e "x">]><o>{{ document.number }}</o>', "t.xml.j2")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{\n{{ document.nubmer | tojson }}}", "line 2: .*no attribute 'nubmer'"),
        ("{{ nothing }}", "'nothing' is undefined"),
        ("{{ facts.colour | tojson }}", "no attribute 'colour'"),
        ('{"a": "{{ document.currency }}"}', r"missing \(None\)"),
        ("{{ document.__class__.__mro__ | tojson }}", "can't reach"),
        ("{{ document.number | number }}", "expected a number"),
        ("{{ 1 / 0 }}", "division by zero"),
        ('{"a": {{ document.number }} }', "isn't JSON"),
        ('{"a": 1, "a": 2}', "stands twice"),
        ('{"a": NaN}', "JSON doesn't have"),
        ("{{ document.lines[7].number }}", "undefined|no element"),
        ("{% for a in range(10000000) %}{% endfor %}", "range"),
    ],
)
def test_a_mistake_is_a_mapping_error_that_names_the_place(text: str, said: str) -> None:
    with pytest.raises(MappingError, match=said):
        write(text)


def test_the_output_must_satisfy_the_schema() -> None:
    schema = '{"type": "object", "properties": {"lines": {"items": {"properties": {"q": {"multipleOf": 0.1}}}}}}'
    assert write('{"lines": [{"q": 1.1}]}', schema=schema)
    with pytest.raises(MappingError, match=r"^\$\.lines\[1\]\.q: .*multiple of.*as s\.json wants it"):
        write('{"lines": [{"q": 1.1}, {"q": 1.15}]}', schema=schema)


@pytest.mark.parametrize(
    ("name", "text", "schema", "said"),
    [
        ("t.json.j2", "{% if %}", None, "line 1"),
        ("t.json.j2", "{}", '{"type": "nonsense"}', "nonsense"),
        ("t.json.j2", "{}", "{", "isn't JSON"),
        ("t.xml.j2", "<a/>", "{}", "a schema checks JSON"),
    ],
)
def test_a_wrong_template_or_schema_is_a_config_error(name: str, text: str, schema: str | None, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        TemplateWriter(name, {name: text}.__getitem__, ("s.json", schema) if schema else None)


def test_a_missing_template_is_named() -> None:
    with pytest.raises(ConfigError, match=r"gone\.json\.j2"):
        TemplateWriter("gone.json.j2", {}.__getitem__)


def test_templates_include_others() -> None:
    texts = {"a.json.j2": '{"n": {% include "n.j2" %}}', "n.j2": "{{ document.number | tojson }}"}
    assert json.loads(TemplateWriter("a.json.j2", texts.__getitem__).write(ORDER, CONTEXT).body) == {"n": ORDER.number}


def test_the_shipped_templates_write_the_shop_order() -> None:
    context = Context(site=SITE, text=lambda folder, name: (SITE / folder / name).read_text("utf-8"))
    options = PLUGIN.options.model_validate({"template": "order-to-erp.json.j2", "schema": "erp-order.schema.json"})
    shop = from_json((SITE / "routes/fixtures/shop-order.json").read_bytes())
    written = PLUGIN.build("erp", options, context).write(shop, CONTEXT)
    assert written.content_type == "application/json"
    order = json.loads(written.body)
    assert (order["number"], order["total"], order["ship_to"]["state"]) == ("WEB-7781342", "90.40", "VT")
    assert [line["sku"] for line in order["lines"]] == ["LDR-6", "HMR-16OZ"]


def test_an_order_that_the_erp_cannot_take_names_the_field() -> None:
    context = Context(site=SITE, text=lambda folder, name: (SITE / folder / name).read_text("utf-8"))
    options = PLUGIN.options.model_validate({"template": "order-to-erp.json.j2", "schema": "erp-order.schema.json"})
    with pytest.raises(MappingError, match=r"\$\.lines"):
        PLUGIN.build("erp", options, context).write(Order(number="1"), CONTEXT)

"""What templates of a site must not reach, and how they end when they do too much."""

from __future__ import annotations

import json
import resource
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from lxml import etree

from hub.core.errors import ConfigError, MappingError
from hub.core.options.work import WorkBounds
from hub.core.ports import WriteContext
from hub.documents import DOCUMENTS, Document, from_json
from hub.documents.base import Part
from hub.mapping.canonical import BodyItem, Canonical
from hub.mapping.reachable import reachable
from hub.mapping.site_template import SiteTemplate
from transformers.csv import PLUGINS as CSV
from transformers.split import SplitTemplate
from transformers.steps import Map
from transformers.template import TemplateWriter
from transformers.xml.node import XmlNode

ORDER = from_json(b'{"document":"order@1","number":"1","partner":"ACME","lines":[{"quantity":"2","price":"2.5"}]}')
SMALL = WorkBounds(steps=100_000, characters=4_000_000)
"""A twentieth of the defaults: what ends at these ends at those, in twenty times the time."""

CONTEXT = WriteContext("d" * 32, "erp", "k" * 32, datetime(2026, 3, 2, tzinfo=UTC), {"partner": "ACME"})
SECONDS = 3
"""CPU time in which a template ends that would go on for ever."""

PICKLE = "cos\\nsystem\\n(S'touch /tmp/never'\\ntR."

REACHING = [
    "{{ document.parse_raw(BODY, proto='pickle', allow_pickle=true) }}",
    "{{ document.parse_file('/etc/passwd') }}",
    "{{ document['parse_raw'](BODY, proto='pickle', allow_pickle=true) }}",
    "{{ (document | attr('parse_file'))('/etc/passwd') }}",
    "{{ [document] | map(attribute='parse_raw') | first }}",
    "{{ [document] | map('attr', 'parse_raw') | first }}",
    "{{ ([document] | groupby('model_fields') | first)[0] }}",
    "{{ [document] | sort(attribute='model_config') | map(attribute='model_config') | first }}",
    "{{ [document, document] | sum(attribute='__dict__') }}",
    "{{ '{0.parse_raw}'.format(document) }}",
    "{{ '{0.__class__.__mro__}'.format(document) }}",
    "{{ '{d.model_fields}'.format_map({'d': document}) }}",
    "{{ document.model_copy(update={'number': '2'}) }}",
    "{{ document.model_json_schema() }}",
    "{{ document.model_extra }}",
    "{{ document.__class__ }}",
    "{{ document.lines[0].model_dump() }}",
    "{{ document.lines[0].construct() }}",
    "{{ facts.pop('partner') }}",
    "{{ facts.clear() }}",
    "{{ ''.__class__ }}",
    "{{ dict.fromkeys('ab') }}",
    "{{ range.__call__ }}",
    "{{ cycler.__init__.__globals__ }}",
    "{{ self._TemplateReference__context }}",
    "{{ namespace.__init__ }}",
    "{{ now.__reduce__() }}",
    "{{ 'a'.encode() }}",
    "{{ document.keys.__class__ }}",
    "{{ document.walk.__self__ }}",
    "{{ lipsum() }}",
]


@pytest.mark.parametrize("text", REACHING)
def test_a_template_reaches_nothing_that_is_not_listed(text: str) -> None:
    template = SiteTemplate("t.j2", lambda folder, name: text)
    with pytest.raises(MappingError, match=r"^t\.j2: line 1: "):
        template.render({"document": ORDER, "facts": {"partner": "ACME"}, "now": CONTEXT.now, "BODY": PICKLE})


def test_what_templates_reach_of_documents_is_declared() -> None:
    """Every part of every document: fields, properties, and the methods that are listed."""
    methods = {
        f"{cls.__name__}.{name}" for cls in parts(Part) for name in reachable(cls) if callable(getattr(cls, name, None))
    }
    assert methods == {
        *("ShipNotice.walk", "Level.walk", "StockItem.quantity", "CatalogItem.price", "Adjustment.value"),
        *("OrderStatus.walk", "OrderStatusLevel.walk", "ActivityItem.quantity"),
        *("OrganizationRelationships.walk", "OrganizationLevel.walk"),
    }
    of_pydantic = {name for name in dir(Part) if name not in reachable(Part)}
    assert {"parse_raw", "parse_file", "model_dump", "copy", "construct"} <= of_pydantic
    assert not any(reachable(cls) & of_pydantic for cls in parts(Part))
    assert all("kind" in reachable(cls) for cls in DOCUMENTS.values())


def parts(base: type[Part]) -> Iterator[type[Part]]:
    for cls in base.__subclasses__():
        yield cls
        yield from parts(cls)


GROW = "{% set ns = namespace(x=%s) %}{% for i in range(200) %}{% set ns.x = %s %}{% endfor %}{{ ns.x }}"
DOING = {
    "loops": "{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}",
    "loops that keep nothing": (
        "{% for a in range(100000) %}{% for b in range(100000) if b < 0 %}{% endfor %}{% endfor %}"
    ),
    "macros": "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(60) }}",
    "macros that pass on": (
        "{% macro m(n) %}{% if n %}{{ m(n - 1, varargs, varargs) }}{% else %}{{ varargs }}{% endif %}{% endmacro %}{{"
        " m(60) }}"
    ),
    "itself": "{% include 't.j2' %}{% include 't.j2' %}",
    "recursive loops": "{% for x in [1, 2] recursive %}{{ loop([1, 2]) }}{% endfor %}",
    "generators": "{% for i in range(100000) %}{{ range(100000) | map('string') | join }}{% endfor %}",
    "sums": "{% for i in range(100000) %}{{ range(100000) | sum }}{% endfor %}",
    "times": "{{ 'a' * 10 ** 9 }}",
    "times a list": "{{ [1] * 10 ** 9 }}",
    "filter in a block": "{% filter center(10 ** 9) %}a{% endfilter %}",
    "power": "{{ 9 ** (9 ** 9) }}",
    "powers": GROW.replace("%s", "3", 1).replace("%s", "ns.x * ns.x"),
    "plus": GROW.replace("%s", "'aa'", 1).replace("%s", "ns.x + ns.x"),
    "tilde": GROW.replace("%s", "'aa'", 1).replace("%s", "ns.x ~ ns.x"),
    "lists of lists": GROW.replace("%s", "[1]", 1).replace("%s", "[ns.x, ns.x]"),
    "objects of objects": GROW.replace("%s", "{}", 1).replace("%s", "{'a': ns.x, 'b': ns.x}"),
    "lists and lists": GROW.replace("%s", "[1]", 1).replace("%s", "(ns.x + ns.x)"),
    "set block": (
        "{% set ns = namespace(x='aa') %}{% for i in range(200) %}{% set y %}{{ ns.x }}{{ ns.x }}{% endset %}{% set"
        " ns.x = y %}{% endfor %}"
    ),
    "center": "{{ 'a' | center(10 ** 9) }}",
    "center method": "{{ 'a'.center(10 ** 9) }}",
    "ljust": "{{ 'a'.ljust(10 ** 9) }}",
    "zfill": "{{ '1'.zfill(10 ** 9) }}",
    "pad": "{{ 'a' | pad(10 ** 9) }}",
    "percent": "{{ '%999999999d' % 1 }}",
    "percent star": "{{ '%*d' % (999999999, 1) }}",
    "percent precision": "{{ '%.999999999f' % 1.5 }}",
    "percent of a mapping": "{{ '%(x)s' * 100000 % {'x': 'y' * 100000} }}",
    "format filter": "{{ '%999999999s' | format('x') }}",
    "format method": "{{ '{:>999999999}'.format('a') }}",
    "format within a format": "{{ '{:>{w}}'.format('a', w=999999999) }}",
    "format many times": "{{ ('{0}' * 1000000).format('y' * 100000) }}",
    "replace": "{{ ('a' * 1000000) | replace('', 'b' * 1000000) }}",
    "replace method": "{{ ('a' * 1000000).replace('a', 'b' * 1000000) }}",
    "join": "{{ ['a'] * 100000 | int | join('b' * 1000000) }}{{ (['a'] * 100000) | join('b' * 1000000) }}",
    "join method": "{{ ('b' * 1000000).join(['a'] * 100000) }}",
    "indent": "{{ ('x\n' * 1000) | indent(10 ** 9) }}",
    "indent by a text": "{{ ('x\n' * 100000) | indent('y' * 100000) }}",
    "tojson": "{{ {'a': 1} | tojson(indent=10 ** 9) }}",
    "batch": "{{ [1] | batch(10 ** 9, 'x') | list }}",
    "slice": "{{ [1] | slice(10 ** 9) | list }}",
    "round": "{{ 1.5 | round(10 ** 8, 'floor') }}",
    "sum of lists": "{{ [[1]] * 100000 | int | sum(start=[]) }}{{ ([[1]] * 100000) | sum(start=[]) }}",
    "wordwrap": "{{ ('a' * 1000000) | wordwrap(1, wrapstring='b' * 1000000) }}",
    "striptags": "{{ ('<b>' * 1000000) | striptags }}",
    "comparing": "{% set x = 'a' * 20000000 %}{% for i in range(100000) %}{{ 1 if x ~ 'b' == x ~ 'c' }}{% endfor %}",
    "looking for": "{% set x = 'a' * 20000000 %}{% for i in range(100000) %}{{ 'b' in x }}{% endfor %}",
    "slices": "{% set x = 'a' * 20000000 %}{% for i in range(100000) %}{{ x[i:] | length }}{% endfor %}",
    "the document": "{% for i in range(100000) %}{% for j in range(1000) %}{{ document }}{% endfor %}{% endfor %}",
    "documents as JSON": "{{ ([document] * 1000000) | tojson }}",
    "output": "{% set x = 'a' * 1000000 %}{% for i in range(100000) %}{{ x }}{% endfor %}",
    "output of a macro": (
        "{% set x = 'a' * 1000000 %}{% macro m() %}{% for i in range(100000) %}{{ x }}{% endfor %}{% endmacro %}{{"
        " m() }}"
    ),
}


@pytest.mark.parametrize("name", ["t.j2", "t.json.j2", "t.xml.j2"])
def test_a_template_that_does_too_much_is_ended_with_its_line(name: str) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for what, text in DOING.items():
        text = text.replace("'t.j2'", f"'{name}'")
        began = time.thread_time()
        with pytest.raises((MappingError, ConfigError), match=rf"^{name}: line \d+: "):
            SiteTemplate(name, lambda folder, wanted, text=text: "\n\n" + text, SMALL).render({"document": ORDER})
        assert time.thread_time() - began < SECONDS, what
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 400_000  # KB


WIDE, LONG = "found the width", "a number of more than 4096 digits"
POWER = "(document.lines[0].quantity ** 1000000)"
BEFORE_IT_COSTS = {
    "{{ '{:٩٩٩٩٩٩٩٩٩}'.format('x') }}": WIDE,
    "{{ '{:.٩٩٩٩٩٩٩٩٩f}'.format(1.5) }}": WIDE,
    "{{ '{a:1٩٩٩٩٩٩٩٩}'.format_map({'a': 1}) }}": WIDE,
    "{{ '{:{w}}'.format('a', w='٩٩٩٩٩٩٩٩٩') }}": WIDE,
    "{{ '{:00001.999999999f}'.format(1.5) }}": WIDE,
    "{{ ('{:' ~ '0' * 30 ~ '999999999}').format(1) }}": WIDE,
    "{{ '%00001d %999999999d' % (1, 1) }}": WIDE,
    "{{ '%00001d %999999999d' | format(1, 1) }}": WIDE,
    "{{ ('%9999d' * 10000) % ((1,) * 10000) }}": "more than 4000000 characters",
    "{{ ('%(a)9999d' * 10000) % {'a': 1} }}": "more than 4000000 characters",
    "{{ ('%-9999.1f' * 10000) % ((1,) * 10000) }}": "more than 4000000 characters",
    "{{ ('%*d' * 10000) % ((9999,) * 20000) }}": "more than 4000000 characters",
    "{{ ('%*d' * 10000) % ((-9999,) * 20000) }}": "more than 4000000 characters",
    "{{ ('%9999d' * 10000) | format(a=1) }}": "more than 4000000 characters",
    f"{{{{ {POWER} | int }}}}": LONG,
    f"{{{{ '%d' % {POWER} }}}}": LONG,
    f"{{{{ {POWER} | round }}}}": LONG,
    f"{{{{ (1 / {POWER}) | string }}}}": LONG,
    "{{ far | int }}": LONG,
    "{{ far | round }}": LONG,
    "{{ far | float }}": LONG,
    "{{ '%d' % far }}": LONG,
    "{{ '%d' | format(far) }}": LONG,
    "{{ '%(far)d' % {'far': far} }}": LONG,
    "{{ '{:f}'.format(far) }}": LONG,
    "{{ '{far:f}'.format_map({'far': far}) }}": LONG,
}


@pytest.mark.parametrize("text", BEFORE_IT_COSTS)
def test_what_would_be_too_wide_or_too_long_is_refused_before_it_is_made(text: str) -> None:
    """Its words tell that the bound ended it, and not what it had made by then."""
    given = {"document": ORDER, "far": Decimal("1E+300000")}
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(MappingError, match=rf"^t\.j2: line 1: {BEFORE_IT_COSTS[text]}"):
        SiteTemplate("t.j2", lambda folder, name: text, SMALL).render(given)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 60_000  # KB


BOUNDS = WorkBounds(steps=200, characters=5000)
ENDLESS = '{% for i in range(1000) %}{% endfor %}{"a": 1}'


def template(name: str = "t.json.j2") -> SiteTemplate:
    return SiteTemplate(name, lambda folder, wanted: ENDLESS, BOUNDS)


def test_wherever_a_template_runs_its_work_is_bounded() -> None:
    """Writers, steps, and what makes canonical documents of JSON, rows and XML."""
    csv = next(plugin for plugin in CSV if plugin.kind == "writer")
    rows = csv.build("rows", csv.options.model_validate({"rows": "t.json.j2", "columns": ("a",)}), site())
    runs: list[Any] = [
        lambda: TemplateWriter("t.json.j2", lambda name: ENDLESS, bounds=BOUNDS).write(ORDER, CONTEXT),
        lambda: Map(template(), None).take(ORDER, {}),
        lambda: SplitTemplate(template(), None).take(ORDER, {}),
        lambda: Canonical("order@1", template()).document(BodyItem({"body": {}})),
        lambda: rows.write(ORDER, CONTEXT),
    ]
    for run in runs:
        with pytest.raises(Exception, match=r"t\.json\.j2: line 1: more than 200 steps .*raise `templates"):
            run()


def site() -> Any:
    from hub.core.context import Context

    return Context(site=None, text=lambda folder, name: ENDLESS, work=BOUNDS)


def test_nodes_of_xml_give_what_they_list_and_nothing_else() -> None:
    node = XmlNode(etree.fromstring("<a><b>1</b></a>"), {})
    text = "{{ body.text('b') }} {{ body.name }} {{ xpath('b') }}"
    assert SiteTemplate("t.j2", lambda f, n: text).render({"body": node, "xpath": node.text}) == "1 a 1"
    for path in ("_element", "_at('b')", "__class__", "text.__self__"):
        with pytest.raises(MappingError):
            SiteTemplate("t.j2", lambda f, n, path=path: f"{{{{ body.{path} }}}}").render({"body": node})


def test_ten_thousand_lines_stay_within_the_bounds() -> None:
    lines = [{"number": str(n), "quantity": "1", "price": "2.5", "products": {"VN": f"SKU{n}"}} for n in range(10_000)]
    order = from_json(json.dumps({"document": "order@1", "number": "1", "lines": lines}).encode())
    text = """{"lines": [{% for line in document.lines %}{% for kind, id in line.products.items() %}
      {"total": {{ document.total | tojson }}, "id": "{{ kind ~ id.upper() }}", "more": {{ line.quantity * 2 + 1 | number }},
       "amount": {{ line.amount | fixed(2) | tojson }}}{{ "," if not loop.last }}{% endfor %}{{ "," if not loop.last }}{% endfor %}]}"""  # noqa: E501
    text = text.replace("line.quantity * 2 + 1 | number", "(line.quantity * 2 + 1) | number")
    made = SiteTemplate("t.json.j2", lambda folder, name: text).render({"document": order})
    assert len(json.loads(made)["lines"]) == 10_000


def test_a_property_is_computed_once_in_a_rendering(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    class Slow(Document):
        @property
        def total(self) -> Any:
            asked.append(1)
            return 7

    text = "{% for i in range(100) %}{{ document.total }}{% endfor %}"
    made = SiteTemplate("t.j2", lambda folder, name: text).render({"document": Slow(number="1")})
    assert made == "7" * 100
    assert len(asked) == 1

"""The reader `xml`: documents out of XML, within bounds, and nothing that reaches out."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.core.errors import ConfigError
from hub.core.ports import BytesBody
from tests.unit.transformers.reading import Pieces, Repeated, built, said
from transformers.xml import PLUGIN

MAP = """{"number": "{{ xpath('o:Number') }}", "currency": {{ body.text('@currency', default='USD') | tojson }},
 "lines": [{% for line in body.all('o:Line') %}{"quantity": "{{ line.text('@qty') | decimal(',') }}",
 "descriptions": [{"text": "{{ line }}"}] }{{ ',' if not loop.last }}{% endfor %}]}"""
XSD = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:o" elementFormDefault="qualified">
<xs:element name="Order"><xs:complexType><xs:sequence><xs:element name="Number" type="xs:string"/>
<xs:element name="Line" maxOccurs="9"><xs:complexType mixed="true"><xs:attribute name="qty" use="required"/></xs:complexType></xs:element>
</xs:sequence><xs:attribute name="currency"/></xs:complexType></xs:element></xs:schema>"""  # noqa: E501
TEXT = """<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform" xmlns:o="urn:o">
<xsl:output method="text"/><xsl:template match="/*">{"number": "<xsl:value-of select="%s"/>"}</xsl:template></xsl:stylesheet>"""  # noqa: E501
FILES = {
    "routes/templates/o.json.j2": MAP,
    "routes/schemas/o.xsd": XSD,
    "routes/templates/o.xsl": TEXT % "o:Number",
}
ORDER = (
    '<o:Order xmlns:o="urn:o" currency="EUR"><o:Number>A"1</o:Number><o:Line qty="1,50">Nägel &amp;'
    " Co</o:Line></o:Order>"
)
ONE = "{document: order@1, map: o.json.j2, namespaces: {o: 'urn:o'}}"
EACH = "{document: order@1, map: o.json.j2, schema: o.xsd, each: '/o:Orders/o:Order', namespaces: {o: 'urn:o'}}"


def errors(body: bytes, options: str = ONE, files: dict[str, str] = FILES) -> str:
    found = said(list(built(PLUGIN, options, files).read(BytesBody(body))))
    return found[-1][1]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1"])
def test_xml_becomes_canonical_through_a_template(encoding: str) -> None:
    body = f'<?xml version="1.0" encoding="{encoding}"?>{ORDER}'.encode(encoding)
    (reading,) = built(PLUGIN, ONE, FILES).read(Pieces(body))
    order = reading.document
    assert (order.number, order.currency, str(order.lines[0].quantity)) == ('A"1', "EUR", "1.50")
    assert order.lines[0].descriptions[0].text == "Nägel & Co"


def test_xml_becomes_canonical_through_an_xslt() -> None:
    options = "{document: order@1, xslt: o.xsl, namespaces: {o: 'urn:o'}}"
    assert said(list(built(PLUGIN, options, FILES).read(BytesBody(ORDER.replace('"1<', "2<").encode())))) == [
        ("", "A2")
    ]


def test_each_element_at_the_path_is_a_document_and_a_bad_one_spoils_no_other() -> None:
    bad = ORDER.replace(' qty="1,50"', "")
    body = f'<o:Orders xmlns:o="urn:o"><o:Head/>\n{ORDER}\n{bad}\n{ORDER}</o:Orders>'.encode()
    found = said(list(built(PLUGIN, EACH, FILES).read(Pieces(body))))
    assert [found[0], found[2]] == [("1", 'A"1'), ("3", 'A"1')]
    assert found[1][1].startswith("! line 3: Element '{urn:o}Line': The attribute 'qty' is required")
    assert found[1][1].endswith("(as o.xsd wants it)")


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ("", "not XML"),
        ("<a>", "not XML"),
        (ORDER.replace("o:Number", "o:Nr"), "o.json.j2: line 1: there is nothing at o:Number of Order (line 1)"),
        (ORDER.replace("1,50", "x"), "found 'x', expected a number"),
        (ORDER + "<b/>", "not XML"),
        ("<a>" * 201 + "</a>" * 201, "nested more than 200 deep"),
        ("<a>" * 100_000, "not XML: Excessive depth"),
        (f"<r><a b='{'x' * 1_048_577}'/></r>", "an element with more than 1000 attributes, or one of more than"),
        (f"<r><a b='{'x' * 10_000_001}'/></r>", "not XML: Resource limit exceeded"),
        (f"<a b='{'x' * 10_000_001}'/>", "no element within the first"),
        ("<a " + " ".join(f"b{n}=''" for n in range(1001)) + "/>", "an element with more than 1000 attributes"),
        (" " * 70_000 + "<a/>", "no element within the first"),
        ("<!--" + "x" * 90_000 + "--><!DOCTYPE a><a/>", "no element within the first"),
    ],
)
def test_what_is_wrong_is_said(body: str, wrong: str) -> None:
    assert wrong in errors(body.encode())


LAUGHS = '<!DOCTYPE l [<!ENTITY a "ha">' + "".join(
    f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9)
)


@pytest.mark.parametrize(
    "body",
    [
        f"{LAUGHS}]><l>&j;</l>".encode(),
        f"{LAUGHS}]><l x='&j;'/>".encode(),
        b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
        b'<?xml version="1.0"?>\n<!-- c -->\n<!DOCTYPE a SYSTEM "http://192.0.2.1/evil.dtd"><a/>',
        '<?xml version="1.0" encoding="utf-16"?><!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>'.encode("utf-16"),
        '<?xml version="1.0" encoding="IBM037"?><!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>'.encode("cp037"),
        b"<!DOCTYPE a><a/>",
    ],
)
def test_a_document_type_is_refused(body: bytes) -> None:
    found = errors(body)
    assert "document type" in found or "not XML" in found
    assert "root:" not in found


def test_markup_in_character_data_is_no_document_type() -> None:
    body = ORDER.replace("Nägel", "<![CDATA[<!DOCTYPE html>]]>").encode()
    (reading,) = built(PLUGIN, ONE, FILES).read(BytesBody(body))
    assert reading.document.lines[0].descriptions[0].text == "<!DOCTYPE html> & Co"


@pytest.mark.parametrize(
    "select",
    ["document('secret.xml')", "document('file:///etc/passwd')", "document('http://192.0.2.1/')"],
)
def test_a_stylesheet_reads_nothing_beside_what_it_is_given(select: str, tmp_path: Path) -> None:
    options = "{document: order@1, xslt: x.xsl}"
    found = errors(ORDER.encode(), options, {"routes/templates/x.xsl": TEXT % select})
    assert found.startswith("! ")
    assert "root:" not in found


def test_a_stylesheet_writes_nothing_and_ends(tmp_path: Path) -> None:
    target = tmp_path / "written"
    writes = f"""<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform" xmlns:x="http://exslt.org/common"
      extension-element-prefixes="x"><xsl:output method="text"/><xsl:template match="/"><x:document href="{target}">a</x:document></xsl:template></xsl:stylesheet>"""  # noqa: E501
    errors(ORDER.encode(), "{document: order@1, xslt: x.xsl}", {"routes/templates/x.xsl": writes})
    assert not target.exists()
    loop = """<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"><xsl:template match="/"><xsl:call-template name="l"/></xsl:template>
      <xsl:template name="l"><xsl:call-template name="l"/></xsl:template></xsl:stylesheet>"""  # noqa: E501
    assert errors(ORDER.encode(), "{document: order@1, xslt: x.xsl}", {"routes/templates/x.xsl": loop}).startswith("! ")


def test_a_schema_includes_what_stands_beside_it_and_nothing_else() -> None:
    def including(place: str) -> dict[str, str]:
        schema = (
            f'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:include schemaLocation="{place}"/></xs:schema>'
        )
        part = '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="a" type="xs:int"/></xs:schema>'
        return FILES | {"routes/schemas/s.xsd": schema, "routes/schemas/part.xsd": part}

    options = "{document: order@1, map: o.json.j2, schema: s.xsd}"
    assert "'x' is not a valid value" in errors(b"<a>x</a>", options, including("part.xsd"))
    for place in ("file:///etc/passwd", "http://192.0.2.1/s.xsd", "../secret.xsd"):
        with pytest.raises(ConfigError):
            built(PLUGIN, options, including(place))


@pytest.mark.parametrize(
    ("options", "wrong"),
    [
        ("{document: order@1}", "say how documents are made of it"),
        ("{document: order@1, map: o.json.j2, each: 'Orders'}", "names of elements from the root"),
        ("{document: order@1, map: o.json.j2, each: '/o:Orders'}", "the prefix 'o'"),
    ],
)
def test_options_that_say_too_little(options: str, wrong: str) -> None:
    with pytest.raises(ValueError, match=wrong):
        built(PLUGIN, options, FILES)


def test_a_large_body_is_read_in_flat_memory() -> None:
    body = Repeated(b'<o:Orders xmlns:o="urn:o">', ORDER.encode() + b"\n", 4_000, b"</o:Orders>")
    reader = built(PLUGIN, EACH, FILES)
    before = resident()
    tracemalloc.start()
    try:
        count = sum(1 for one in reader.read(body) if one.document is not None)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 4_000
    assert peak < 4_000_000
    assert resident() - before < 30_000_000


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


@settings(max_examples=100, deadline=None)
@given(st.one_of(st.binary(max_size=200), st.text("<>/ao:&;\"'=!D[]- x", max_size=80).map(str.encode)))
def test_any_bytes_give_readings_and_nothing_else(data: bytes) -> None:
    for options in (ONE, EACH):
        for body in (data, b'<o:Orders xmlns:o="urn:o">' + data):
            found = list(built(PLUGIN, options, FILES).read(BytesBody(body)))
            assert all((one.document is None) != (one.error is None) for one in found)

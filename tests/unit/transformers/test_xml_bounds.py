"""Stylesheets and XPaths that would take for ever, or make too much: each ends, with a cause, and spoils no other
document."""

from __future__ import annotations

import time

import pytest

from hub.core.ports import BytesBody
from tests.unit.transformers.reading import built, said
from transformers.xml import PLUGIN

FRAME = (
    '<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"><xsl:output'
    ' method="text"/>%s</xsl:stylesheet>'
)
CALL = '<xsl:call-template name="x"><xsl:with-param name="n" select="$n - 1"/></xsl:call-template>'
NUMBER = '{"number": "<xsl:value-of select="@n"/>"}'
WIDE = f"""<xsl:template match="/*">{NUMBER}<xsl:if test="@hostile"><xsl:call-template name="x"><xsl:with-param name="n" select="60"/>
</xsl:call-template></xsl:if></xsl:template><xsl:template name="x"><xsl:param name="n"/><xsl:if test="$n &gt; 0">{CALL}{CALL}</xsl:if></xsl:template>"""  # noqa: E501
DEEP = f"""<xsl:template match="/*">{NUMBER}<xsl:if test="@hostile"><xsl:call-template name="x"/></xsl:if></xsl:template>
<xsl:template name="x"><xsl:call-template name="x"/></xsl:template>"""  # noqa: E501
CUBIC = f"""<xsl:template match="/*">{NUMBER}<xsl:for-each select="b"><xsl:sort select="."/><xsl:for-each select="../b"><xsl:for-each select="../b">
</xsl:for-each></xsl:for-each></xsl:for-each></xsl:template>"""  # noqa: E501
HUGE = f"""<xsl:template match="/*">{NUMBER}<xsl:for-each select="b"><xsl:for-each select="../b"><xsl:value-of select="../@pad"/>
</xsl:for-each></xsl:for-each></xsl:template>"""  # noqa: E501
READS = "{document: order@1, xslt: o.xsl, each: /all/order}"


def read(stylesheet: str, hostile: str) -> list[tuple[str, str]]:
    files = {"routes/templates/o.xsl": FRAME % stylesheet}
    body = f'<all><order n="1"/>{hostile}<order n="3"/></all>'.encode()
    began = time.perf_counter()
    found = said(list(built(PLUGIN, READS, files).read(BytesBody(body))))
    assert time.perf_counter() - began < 20
    assert (found[0], found[-1]) == (("1", "1"), ("3", "3"))
    return found


@pytest.mark.parametrize(
    ("stylesheet", "hostile", "wrong"),
    [
        (WIDE, '<order n="2" hostile="1"/>', "o.xsl: more than 1000000 templates and turns of loops; it is ended"),
        (DEEP, '<order n="2" hostile="1"/>', "o.xsl: "),
        (CUBIC, '<order n="2">' + "<b/>" * 400 + "</order>", "more than 1000000 templates and turns of loops"),
        (HUGE, f'<order n="2" pad="{"x" * 1000}">' + "<b/>" * 300 + "</order>", "characters, more than 64000000"),
    ],
    ids=["wide recursion", "deep recursion", "loops in loops", "output"],
)
def test_a_stylesheet_ends_and_says_why(stylesheet: str, hostile: str, wrong: str) -> None:
    found = read(stylesheet, hostile)
    assert wrong in found[1][1]


@pytest.mark.parametrize(
    ("path", "wrong"),
    [
        ("(" * 10_000 + "1" + ")" * 10_000, "can't be evaluated"),
        ("//b[" * 500 + "1" + "]" * 500, ""),
        ("document('file:///etc/passwd')", "can't be evaluated"),
        ("re:test('a', '(a+)+$')", "can't be evaluated"),
    ],
    ids=["nested", "predicates", "document", "regular expression"],
)
def test_an_xpath_that_cannot_be_spoils_its_document_alone(path: str, wrong: str) -> None:
    template = "{\"number\": \"{{ body.text(body.text('@path')) if body.has('@path') else body.text('@n') }}\"}"
    options = "{document: order@1, map: o.json.j2, each: /all/order}"
    body = f'<all><order n="1"/><order path="{path}"/><order n="3"/></all>'.encode()
    began = time.perf_counter()
    found = said(list(built(PLUGIN, options, {"routes/templates/o.json.j2": template}).read(BytesBody(body))))
    assert time.perf_counter() - began < 10
    assert (found[0], found[2]) == (("1", "1"), ("3", "3"))
    assert found[1][1].startswith("! ")
    assert wrong in found[1][1]

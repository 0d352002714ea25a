"""Small bodies that would become large, or take long: what comes of them is counted while it is read."""

from __future__ import annotations

import gzip
import resource
import time
from collections.abc import Callable
from typing import Any

import pytest

from hub.core.context import Context
from hub.core.errors import DecodeError
from hub.core.plugin import Plugin
from hub.core.ports import BytesBody
from hub.mapping.json_list import elements as elements_of_list
from tests.support.growth import growth
from tests.unit.transformers.reading import built, said
from transformers import json, ndjson
from transformers.unpack import inflating, unpacked_by
from transformers.xml import PLUGIN as XML
from transformers.xml import elements, stylesheet

EMPTY_MEMBER = gzip.compress(b"", mtime=0)
XSLT = {
    "routes/templates/o.xsl": (
        """<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform" xmlns:f="urn:f"
      xmlns:func="http://exslt.org/functions" extension-element-prefixes="func"><func:function name="f:f"><xsl:param name="n"/>
      <xsl:choose><xsl:when test="$n &gt; 0"><func:result select="f:f($n - 1) + f:f($n - 1)"/></xsl:when><xsl:otherwise>
      <func:result select="1"/></xsl:otherwise></xsl:choose></func:function>
      <xsl:template match="/"><xsl:value-of select="f:f(200)"/></xsl:template></xsl:stylesheet>"""  # noqa: E501
    ),
    "routes/templates/o.json.j2": '{"number": "1"}',
}


def packed(kind: str) -> Any:
    return unpacked_by(kind, built(json.PLUGIN, "{document: order@1}", {}))


def xml(options: str = "{document: order@1, map: o.json.j2}") -> Any:
    return built(XML, options, XSLT)


def parts(count: int) -> bytes:
    return b"Content-Type: multipart/mixed; boundary=a\r\n\r\n" + b"--a\n\n" * count


ENDED: dict[str, tuple[Callable[[], Any], Callable[[], bytes], str]] = {
    "gzip members": (lambda: packed("gzip"), lambda: EMPTY_MEMBER * 50_000, "more than 1000 gzip members"),
    "MIME parts": (lambda: packed("mime"), lambda: parts(100_000), "more than 2000 MIME parts"),
    "MIME parts without one": (
        lambda: packed("mime"),
        lambda: parts(100_000).replace(b"--a\n\n", b"--a\nContent-Type: application/pkcs7-signature\n\n"),
        "more than 2000 MIME parts",
    ),
    "elements": (xml, lambda: b"<a>" + b"<b/>" * 200_000 + b"</a>", "more than 1000 elements"),
    "comments before a DOCTYPE": (xml, lambda: b"<!---->" * 60_000 + b"<a", "no element within the first 65536 bytes"),
    "functions of a stylesheet": (
        lambda: xml("{document: order@1, xslt: o.xsl}"),
        lambda: b"<a/>",
        "more than 1000 templates",
    ),
}


@pytest.mark.parametrize("what", ENDED)
def test_what_becomes_too_much_is_ended_and_says_why(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ended at the bound, and not when all of it has been read: so a low bound makes it cheap."""
    for module, name in ((inflating, "MOST_MEMBERS"), (elements, "MOST_ELEMENTS"), (stylesheet, "MOST_STEPS")):
        assert getattr(module, name) in (100_000, 1_000_000)
        monkeypatch.setattr(module, name, 1000)
    reader, body, wrong = ENDED[what]
    made, given = reader(), BytesBody(body())
    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.thread_time()
    (found,) = said(list(made.read(given)))
    assert wrong in found[1]
    assert time.thread_time() - began < 1
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # KB


@pytest.mark.parametrize(("kind", "unit"), [("gzip", EMPTY_MEMBER), ("mime", b"Content-Type: text/plain\n\n--a\n\n")])
def test_packing_costs_no_more_than_it_is_long(kind: str, unit: bytes) -> None:
    bodies = {n: BytesBody((parts(1) if kind == "mime" else b"") + unit * n) for n in (200, 1600)}
    assert growth(lambda n: list(packed(kind).read(bodies[n])), 200, 1600) < 20


TWICE = b'{"document": "order@1",\n "number": "1", "lines": [{"quantity": "1", "quantity": "2"}]}'


@pytest.mark.parametrize("plugin", [json.PLUGIN, ndjson.PLUGIN])
def test_a_key_that_stands_twice_in_canonical_json_is_refused_with_its_place(plugin: Plugin) -> None:
    body = TWICE if plugin is json.PLUGIN else TWICE.replace(b"\n", b"")
    ((_, text),) = said(list(built(plugin, "{document: order@1}", {}).read(BytesBody(body))))
    assert 'the key "quantity" stands twice in an object, at line ' in text


def test_what_a_template_makes_has_each_key_once() -> None:
    files = {"routes/templates/o.json.j2": '{"number": "1", "number": "2"}'}
    ((_, text),) = said(list(built(json.PLUGIN, "{document: order@1, map: o.json.j2}", files).read(BytesBody(b"{}"))))
    assert 'the key "number" stands twice' in text


def test_a_stylesheet_that_makes_xpath_while_it_runs_is_refused() -> None:
    from hub.core.errors import ConfigError
    from transformers.xml.stylesheet import Stylesheet

    text = XSLT["routes/templates/o.xsl"].replace("urn:f", "http://exslt.org/dynamic")
    with pytest.raises(ConfigError, match="nobody can bound what they do"):
        Stylesheet("o.xsl", Context(site=None, text=lambda folder, name: text))


@pytest.mark.parametrize("unit", [b"a", b"\\n", b'","b":"'], ids=["string", "escapes", "strings"])
def test_a_list_that_breaks_off_costs_no_more_than_it_is_long(unit: bytes) -> None:
    """The scan begins again with each piece of the body: there are 8 and 64 of them."""

    def scanned(size: int) -> None:
        body = BytesBody(b'[{"a": "' + unit * (size // len(unit)))
        with pytest.raises(DecodeError, match="breaks off"):
            list(elements_of_list(body.chunks(1 << 15), "/"))

    assert growth(scanned, 1 << 18, 1 << 21) < 20

"""The reader `xml`: a body that is one document in XML, or many of them, through a template or an XSLT of the site.

A template (*.json.j2) makes the canonical JSON. It sees `body`, an element: `{{ body.text("o:Number") }}` is the text
at an XPath, an error where there is none; `body.text("@ref", default="")`; `{% for line in body.all("o:Line") %}` are
the elements there. `xpath(...)` is short for `body.text(...)`. Prefixes are those of `namespaces`. An XSLT 1.0 makes
another element for the template, or the JSON itself (`<xsl:output method="text"/>`).

Safe by itself: no document type, no entities, nothing fetched, no extension, bounded depth, attributes and size.
"""

from transformers.xml.reader import PLUGIN

__all__ = ["PLUGIN"]

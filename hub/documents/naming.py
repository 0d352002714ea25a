"""Names of what is sent, made from the facts of a document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub.core.options.naming import PLACE, Vocabulary, digest_of, render, render_as_before, text_of
from hub.documents.batch import BATCH
from hub.documents.codec import DOCUMENTS

DEFAULT_NAMES = ("{partner}_{document}_{number}.json", "{document}_{number}.json")
"""The file names of a destination that gives none: the first whose facts the document has."""

VOCABULARY: Vocabulary = {"document": frozenset((*DOCUMENTS, BATCH.partition("@")[0]))}


def name_of(facts: Mapping[str, Any], *templates: str, earlier: bool = False) -> str:
    """The name by the first template whose facts are all there; see `hub.core.options.naming.render`. `earlier`: as
    releases before 0.3 made it, by the last template. Raises MappingError for a fact that has no value."""
    if earlier:
        return render_as_before(templates[-1], facts)
    return render(templates[0], facts, otherwise=templates[1:], vocabulary=VOCABULARY)


def file_name(facts: Mapping[str, Any], template: str | None, *, earlier: bool = False) -> str:
    """The name of a file; `template` None: the default one. Raises MappingError."""
    name = name_of(facts, *((template,) if template is not None else DEFAULT_NAMES), earlier=earlier)
    return f"_{name[1:]}" if name.startswith(".") else name


def header_of(template: str, facts: Mapping[str, Any]) -> str:
    """The value of a message's header. A fact stands in it as it is; one that can't be printed is changed, and a digest
    of it is appended, because a headers exchange routes by values. Raises MappingError for a fact that has no value."""
    return PLACE.sub(lambda place: printable(text_of(template, place[1], facts)), template)


def printable(text: str) -> str:
    shown = "".join(c if c.isprintable() else "_" for c in text)
    return text if shown == text else f"{shown}~{digest_of(text)}"

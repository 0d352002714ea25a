"""A request as a destination makes it from a document's facts. Pure. A fact becomes a part of the path, a value of the query or of a
header, and nothing else: never scheme, host, port, a further parameter or `..`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from hub.core.errors import MappingError, RejectedError
from hub.core.naming import PLACE, render

LONGEST = 1000
"""Characters of a fact that go into a query or a header."""

LONGEST_URL = 8000


def path_of(template: str, query: Mapping[str, str], facts: Mapping[str, Any]) -> str:
    """Path and query. Raises RejectedError for a fact that the document doesn't have, and a path that would lead elsewhere."""
    try:
        path = render(template, facts)
    except MappingError as error:
        raise RejectedError(str(error), code="no_path") from error
    if any(part in (".", "..") for part in path.partition("?")[0].split("/")):
        raise RejectedError(f"the path {path[:100]!r} would lead out of its place", code="no_path")
    pairs = [f"{quote(name, safe='')}={quote(text_of(value, facts), safe='')}" for name, value in query.items()]
    if pairs:
        path += ("&" if "?" in path else "?") + "&".join(pairs)
    if len(path) > LONGEST_URL:
        raise RejectedError(f"the path has {len(path)} characters", code="no_path")
    return path


def question_of(template: str, facts: Mapping[str, Any]) -> str:
    """Path and query of a question. Facts stand in it as they are, percent-encoded: a lookup under a changed name would find
    something else. Raises RejectedError for a fact that the document doesn't have, and one that can't be a part of a path."""
    path, mark, query = template.partition("?")
    found = quoted(path, facts, in_path=True) + mark + quoted(query, facts)
    if any(part in (".", "..") for part in found.partition("?")[0].split("/")):
        raise RejectedError(f"the path {found[:100]!r} would lead out of its place", code="no_path")
    if len(found) > LONGEST_URL:
        raise RejectedError(f"the path has {len(found)} characters", code="no_path")
    return found


def quoted(template: str, facts: Mapping[str, Any], *, in_path: bool = False) -> str:
    """The template, each fact in it percent-encoded: of a path or a query."""

    def value(match: re.Match[str]) -> str:
        text = fact_in(template, match.group(1), facts)
        if len(text) > LONGEST:
            raise RejectedError(f"the fact {match.group(1)} has {len(text)} characters", code="no_path")
        if in_path and any(c in "/\\" or not c.isprintable() for c in text):
            raise RejectedError(f"{text[:100]!r} can't stand in a path; it may in a query", code="no_path")
        return quote(text, safe="")

    return PLACE.sub(value, template)


def headers_of(templates: Mapping[str, str], facts: Mapping[str, Any]) -> dict[str, str]:
    """Headers with the facts in them: on one line, in visible ASCII. Raises RejectedError."""
    return {name: one_line(text_of(value, facts)) for name, value in templates.items()}


def text_of(template: str, facts: Mapping[str, Any]) -> str:
    """The template with its facts as they are; whoever uses it encodes it. Raises RejectedError."""

    return PLACE.sub(lambda match: fact_in(template, match.group(1), facts)[:LONGEST], template)


def fact_in(template: str, name: str, facts: Mapping[str, Any]) -> str:
    found = facts.get(name)
    if found is None or found == "":
        text = f"{template!r} needs the fact {name!r}, which this document doesn't have"
        raise RejectedError(text, code="no_path")
    return str(found).lower() if isinstance(found, bool) else str(found)


def one_line(text: str) -> str:
    return "".join(c if c.isascii() and c.isprintable() else "_" for c in text)

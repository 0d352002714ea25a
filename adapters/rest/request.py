"""A request as a destination makes it from a document's facts. Pure. A fact becomes a part of the path, a value of the
query or of a header, and nothing else: never scheme, host, port, a further parameter or `..`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from hub.core.errors import MappingError, RejectedError
from hub.core.options.naming import PLACE, NameReading, joined, names_in, render_as_before, split
from hub.documents.naming import VOCABULARY

LONGEST = 1000
"""Characters of a fact that go into a query or a header."""

LONGEST_URL = 8000

IN_A_SEGMENT = "@+="
"""Characters of a fact that stand in a segment of a path as they are, beside letters, digits and `_.-~` (RFC 3986,
3.3)."""

ASCII = "".join(map(chr, range(0x21, 0x7F)))

STEPS = re.compile(r"[/\\]")
"""What parts a fact into steps, for a far end that decodes a path before it looks at it."""


def path_of(template: str, query: Mapping[str, str], facts: Mapping[str, Any]) -> str:
    """Path and query, percent-encoded: a fact is a part of one segment, or of one value of the query. Raises
    RejectedError for a fact that the document doesn't have, for a path that would lead elsewhere, and for one that
    could also be that of other facts."""
    path, mark, given = template.partition("?")
    found = in_place(path, facts) + mark + unmistakable(given, facts)
    pairs = [f"{quote(name, safe='')}={unmistakable(value, facts, literals='')}" for name, value in query.items()]
    if pairs:
        found += ("&" if mark else "?") + "&".join(pairs)
    return checked(found)


def path_as_before(template: str, query: Mapping[str, str], facts: Mapping[str, Any]) -> str:
    """Path and query as releases before 0.3 made them, for what they have begun to send. Raises RejectedError."""
    try:
        path = render_as_before(template, facts)
    except MappingError as error:
        raise RejectedError(str(error), code="no_path") from error
    pairs = [f"{quote(name, safe='')}={unmistakable(value, facts, literals='')}" for name, value in query.items()]
    return checked(path + (("&" if "?" in path else "?") + "&".join(pairs) if pairs else ""))


def question_of(template: str, facts: Mapping[str, Any]) -> str:
    """Path and query of a question. Facts stand in it as they are, percent-encoded: a lookup under a changed name would
    find something else. Raises RejectedError for a fact that the document doesn't have, and one that can't be a part of
    a path."""
    path, mark, query = template.partition("?")
    for name in names_in(path):
        text = fact_in(template, name, facts)
        if any(c in "/\\" or not c.isprintable() for c in text):
            raise RejectedError(f"{text[:100]!r} can't stand in a path; it may in a query", code="no_path")
    return checked(quoted(path, facts) + mark + quoted(query, facts))


def in_place(template: str, facts: Mapping[str, Any]) -> str:
    """A path, each fact in it a part of one segment."""
    for name in names_in(template):
        text = fact_in(template, name, facts)
        steps = STEPS.split(text)
        if len(steps) > 1 and any(step in (".", "..") for step in steps):
            raise RejectedError(f"the fact {name} is {text[:100]!r}, which would lead out of its place", code="no_path")
    return unmistakable(template, facts, safe=IN_A_SEGMENT)


def checked(path: str) -> str:
    """Raises RejectedError for a path with a step up or in place, and for one that is too long."""
    if any(part in (".", "..") for part in path.partition("?")[0].split("/")):
        raise RejectedError(f"the path {path[:100]!r} would lead out of its place", code="no_path")
    if len(path) > LONGEST_URL:
        raise RejectedError(f"the path has {len(path)} characters, at most {LONGEST_URL} are sent", code="no_path")
    return path


def quoted(template: str, facts: Mapping[str, Any]) -> str:
    """The template, each fact in it percent-encoded."""
    return joined(*parts_of(template, facts))


def unmistakable(template: str, facts: Mapping[str, Any], *, safe: str = "", literals: str = ASCII) -> str:
    """The same. Raises RejectedError where the result could also be that of other facts: `{a}-{b}` of `A` and `B-1`,
    and of `A-B` and `1`."""
    between, values = parts_of(template, facts, safe, literals)
    found = checked(joined(between, values))
    if len(values) > 1 and NameReading(found, between, names_in(template), VOCABULARY).values() != values:
        text = (
            f"{template!r} would make {found[:100]!r} of other facts as well; put the facts into segments of their own"
        )
        raise RejectedError(text, code="no_path")
    return found


def parts_of(
    template: str, facts: Mapping[str, Any], safe: str = "", literals: str = ASCII
) -> tuple[list[str], list[str]]:
    """The texts of the template, of which `literals` stay as they are, and the values between them, of which `safe`
    do."""
    between, names = split(template)
    values = [encoded(name, fact_in(template, name, facts), safe) for name in names]
    return [quote(text, safe=literals) for text in between], values


def encoded(name: str, text: str, safe: str) -> str:
    if len(text) > LONGEST:
        raise RejectedError(f"the fact {name} has {len(text)} characters, at most {LONGEST} are sent", code="no_path")
    try:
        return quote(text, safe=safe)
    except UnicodeEncodeError as error:
        raise RejectedError(f"the fact {name} is {text[:100]!a}, which is no Unicode text", code="no_path") from error


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

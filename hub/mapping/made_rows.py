"""The rows that a template makes of a document, for writers of rows."""

from __future__ import annotations

from typing import Any

from hub.core.errors import MappingError
from hub.core.ports import WriteContext
from hub.documents.base import Document
from hub.mapping.json_text import parse_json
from hub.mapping.site_template import SiteTemplate


def made_rows(template: SiteTemplate, document: Document, context: WriteContext) -> list[dict[str, Any]]:
    """Raises MappingError for what isn't a JSON list of objects."""
    names = {"key": context.key, "document_id": context.document_id, "now": context.now}
    text = template.render({"document": document, "facts": context.facts, **names})
    try:
        rows = parse_json(text)
    except (ValueError, ArithmeticError, RecursionError) as error:
        raise MappingError(f"the output of {template.name} isn't JSON: {error}") from None
    if not isinstance(rows, list):
        raise MappingError(f"the output of {template.name} should be a list of rows")
    for number, row in enumerate(rows, 1):
        if not isinstance(row, dict):
            raise MappingError(f"row {number} should be an object with the columns' values")
    return rows


def check_names(row: dict[str, Any], wanted: tuple[str, ...], number: int) -> None:
    """Whether a row has exactly these values. Raises MappingError."""
    other = next((name for name in row if name not in wanted), None)
    if other is None:
        other = next((name for name in wanted if name not in row), None)
    if other is not None:
        there = "is not among the columns" if other in row else "is missing"
        raise MappingError(f"row {number}: {other[:80]!r} {there}")


def plain_text(value: Any, name: str, number: int) -> str:
    """A value as a text; empty where there is none. Raises MappingError."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list):
        raise MappingError(f"row {number}, column {name}: found a list or an object, expected one value")
    return str(value) if isinstance(value, str | int) else format(value, "f")


def checked_template(name: str) -> str:
    """For options. Raises ValueError."""
    if not name.endswith(".json.j2"):
        raise ValueError(f"{name!r} makes no JSON by its name; it should end in .json.j2")
    return name

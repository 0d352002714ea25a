"""How the commands show which bytes gave which field."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from hub.cli.shell.output import out, table
from hub.core.ports import FieldOrigin


def show_lineage(origins: Iterable[FieldOrigin]) -> None:
    """A table for people: field, value, element, segment, bytes."""
    rows = [(o.field, o.text, o.where, str(o.position), f"{o.start}-{o.end}") for o in origins]
    if rows:
        out.print(table(("field", "value", "element", "segment", "bytes"), rows))
    else:
        out.print("  no field has an origin in these bytes")


def lineage_json(origins: Iterable[FieldOrigin]) -> list[dict[str, Any]]:
    """One object a field, as `show_lineage` has it; `bytes` from the first to behind the last."""
    return [{**asdict(origin), "where": origin.where} for origin in origins]

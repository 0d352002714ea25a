"""What steps asked about a document, as the events of the document have it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub.core.typed_json import values_again

ASKED = "asked"
"""Of the detail of an event `step`: a list of questions, each with `answer`, `at` and `cached`, or with `error`; or the
claim of such a list."""


def asked_in(detail: Mapping[str, Any]) -> list[dict[str, Any]] | str:
    """The questions of such an event, with their answers; or the claim that holds them. Empty: it asked nothing.
    Numbers have their types. Raises ValueError."""
    asked = detail.get(ASKED, ())
    return asked if isinstance(asked, str) else [values_again(one) for one in map(_with_maps, asked)]


def _with_maps(one: Mapping[str, Any]) -> dict[str, Any]:
    """A question and an `Answer` are objects of plain values."""
    return {name: ["map", value] if isinstance(value, dict) else value for name, value in one.items()}

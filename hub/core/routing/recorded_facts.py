"""The facts of a document as the journal keeps them with a decision: equal values of equal types come back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub.core.typed_json import JSON_TYPES, plain_value, values_again

LEFT_OUT = (
    "set",
    "version",
    "control_number",
    "group_control_number",
    "transaction_control_number",
    "sender",
    "sender_qualifier",
    "receiver",
    "receiver_qualifier",
    "group_sender",
    "group_receiver",
)
"""Facts that a record leaves out where they have no value. The list must not change: a fact that is declared later is
written with its null, so that a record never says of a fact that it had no value when nobody had asked for it."""

_LEFT_OUT = frozenset(LEFT_OUT)


def record_facts(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Plain JSON (`hub.core.typed_json`)."""
    return {
        name: value if type(value) in JSON_TYPES else plain_value(value)
        for name, value in facts.items()
        if value is not None or name not in _LEFT_OUT
    }


def recorded_facts(record: Mapping[str, Any]) -> dict[str, Any]:
    """The facts of such a record. Raises ValueError."""
    return {**dict.fromkeys(LEFT_OUT), **values_again(record)}

"""What a value means, for people: the names of codes (`code_names.yaml`), and dates, times and numbers as they are
written elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import lru_cache
from importlib import resources
from typing import Any

import yaml

from hub.core.ack import AckCodeNames
from transformers.x12.declarations.catalogue import LOADER
from transformers.x12.declarations.declaration import Element
from transformers.x12.declarations.element_value import CENTURY, WrongElement, checked


@lru_cache(maxsize=1)
def code_names() -> Mapping[str, Mapping[str, str]]:
    """By element number and code. No list is complete: a code that has no name isn't wrong for that."""
    text = resources.files("transformers.x12").joinpath("code_names.yaml").read_text("utf-8")
    loaded: dict[str, dict[str, Any]] = yaml.load(text, LOADER)["names"]  # noqa: S506 - a safe one
    return {str(number): {str(code): str(name) for code, name in names.items()} for number, names in loaded.items()}


def code_name(number: str, code: str) -> str:
    """The name of a code of an element; empty when we have none."""
    return code_names().get(number, {}).get(code, "")


def ack_code_names() -> AckCodeNames:
    names = code_names()
    return AckCodeNames(group=names["716"], transaction=names["718"], segment=names["720"], element=names["723"])


def meaning(element: Element, text: str, words: Mapping[str, Mapping[str, str]], qualifier: str = "") -> str:
    """What a value means, where it says it in code; empty where it says it already, or where we don't know. `words`: by
    element number, what codes are called in the canonical document."""
    if named := code_name(element.number, text) or words.get(element.number, {}).get(text, ""):
        return named.replace("_", " ")
    if element.type == "DT" or (element.number == "1251" and qualifier == "D8"):
        return date_text(text)
    if element.type == "TM":
        return time_text(text) if _holds(element, text) else ""
    if element.type[0] == "N" and element.type[1:] not in ("", "0") and _holds(element, text):
        return str(Decimal(text).scaleb(-int(element.type[1])))
    return ""


def date_text(text: str) -> str:
    """A date of six or eight digits as people write it; empty when it is none."""
    digits = text if len(text) == 8 else f"{19 if text[:2] >= str(CENTURY) else 20}{text}"
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:])).isoformat() if len(digits) == 8 else ""
    except ValueError:
        return ""


def time_text(text: str) -> str:
    """A time of four digits or more as people write it; empty when it is none."""
    if not text.isdecimal() or len(text) < 4:
        return ""
    return f"{text[:2]}:{text[2:4]}" + (f":{text[4:6]}" if len(text) > 5 else "")


def _holds(element: Element, text: str) -> bool:
    try:
        checked(element, text)
    except WrongElement:
        return False
    return True

"""Lines of Python that generated functions are made of."""

from __future__ import annotations

from typing import Any

from hub.documents.base import Part
from transformers.x12.compiled.source_names import SourceNames
from transformers.x12.declarations.declaration import Rule
from transformers.x12.declarations.fields import shapes


def rule_line(rule: Rule) -> str:
    names = [f"a{p}" for p in rule.positions]
    first, rest = names[0], names[1:]
    match rule.letter:
        case "P":
            test = f"({' or '.join(names)}) and not ({' and '.join(names)})"
        case "R":
            test = f"not ({' or '.join(names)})"
        case "E":
            test = f"({' and '.join(names)})" if len(names) == 2 else f"one_of_many(({', '.join(names)}))"
        case "C":
            needed = [f"a{p}" for p in rule.positions[1:] if p != rule.tolerated]
            test = f"{first} and not ({' and '.join(needed)})"
        case _:
            test = f"{first} and not ({' or '.join(rest)})"
    return f"if {test}: raise Refused"


def tolerance_line(rule: Rule, segment: str) -> str:
    """The line that warns of the element whose absence a rule tolerates."""
    missing = f"{segment}{rule.tolerated:02}"
    warning = f"{missing} is missing: with {segment}{rule.positions[0]:02} it should be there (rule {rule})"
    return f"if a{rule.positions[0]} and not a{rule.tolerated}: warnings.append({warning!r})"


def defaults(cls: type[Part]) -> dict[str, Any]:
    return {name: shape.default for name, shape in shapes(cls).items()}


def new_part(part: str, values: str, cls: type[Part], fields: dict[str, str], names: SourceNames) -> list[str]:
    """Lines that make a part, and bind it and the dictionary of its values."""
    known = shapes(cls)
    if missing := [n for n, s in known.items() if s.required and n not in fields]:
        raise ValueError(f"{cls.__name__}.{missing[0]} needs a value")
    if len(known) > 12 and len(fields) * 2 < len(known):
        blank = names.constant("B", _blank(names, cls))
        out = [f"{values} = {blank}.copy()", *(f"{values}[{n!r}] = {x}" for n, x in fields.items())]
    else:
        items = (f"{n!r}: {fields[n] if n in fields else _literal(s.default, names)}" for n, s in known.items())
        out = [f"{values} = {{{', '.join(items)}}}"]
    return [*out, f"{part} = new({names.constant('P', cls)}); set_dict({part}, {values})"]


def _blank(names: SourceNames, cls: type[Part]) -> dict[str, Any]:
    wanted = defaults(cls)
    return next((v for v in names.constants.values() if isinstance(v, dict) and v == wanted), wanted)


def _literal(value: Any, names: SourceNames) -> str:
    return repr(value) if value is None or value == () or isinstance(value, str) else names.constant("D", value)


def append_part(holder: str, field: str | None, part: str, *, many: bool) -> list[str]:
    """Lines that add a part to a tuple: one of few grows as it is; one of many becomes a list, which the end turns into
    a tuple again."""
    name = "f" if field is None else repr(field)
    if not many:
        return [f"{holder}[{name}] += ({part},)"]
    return [
        f"w = {holder}[{name}]",
        f"if not w: {holder}[{name}] = ({part},)",
        "elif type(w) is list: w.append(" + part + ")",
        f"else: {holder}[{name}] = [*w, {part}]; lists.append(({holder}, {name}))",
    ]

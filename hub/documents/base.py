"""What every canonical document and every part of one has in common."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Context, Decimal, localcontext
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler, GetJsonSchemaHandler, field_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import core_schema

if TYPE_CHECKING:
    from hub.documents.parts.balance import Balance

EXACT = Context(prec=60)
"""Arithmetic on money: wide enough that no sum or product of what a document carries is rounded."""


def added(amounts: Iterable[Decimal]) -> Decimal:
    """Their sum, exactly."""
    with localcontext(EXACT):
        return sum(amounts, Decimal(0))


_LIMIT = 10**24
_TEXT = r"^-?(?:[0-9]{1,24}(?:\.[0-9]{0,24})?|\.[0-9]{1,24})(?:[eE][+-]?[0-9]{1,2})?$"


T = TypeVar("T")


class _NumberSchema:
    """In JSON a number is a string of digits or a whole number; one with a fraction is refused *here*, because pydantic
    would make a float of it first: `from_json` then takes the way on which it becomes a Decimal at once."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        text = core_schema.str_schema(pattern=_TEXT, strict=True)
        whole = core_schema.int_schema(ge=-_LIMIT, le=_LIMIT, strict=True)
        number = core_schema.decimal_schema(ge=Decimal(-_LIMIT), le=Decimal(_LIMIT))
        return core_schema.json_or_python_schema(
            json_schema=core_schema.chain_schema(
                [
                    core_schema.union_schema(
                        [text, whole],
                        mode="left_to_right",
                        custom_error_type="number",
                        custom_error_message="Input should be a number, best as a string of digits",
                    ),
                    core_schema.decimal_schema(),
                ]
            ),
            python_schema=number,
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, source: Any, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"anyOf": [{"type": "string", "pattern": _TEXT}, {"type": "number"}]}


Number = Annotated[Decimal, _NumberSchema]
"""An exact number. In JSON a string ("12.50"), so that no reader makes a float of it; a JSON number is accepted too and
is read exactly. Finite, and bounded so that arithmetic stays cheap."""


class Part(BaseModel):
    """The base of all parts of documents: frozen, unknown fields refused. Lists are tuples."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    for_templates: ClassVar[frozenset[str]] = frozenset()
    """What templates of a site may reach beside the fields and properties that a part declares: methods by name. A
    subclass adds to what its bases list."""

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            """What pydantic keeps beside the values, for a part that was made without asking it (`unchecked`): no extra
            or private values, and every field set."""
            if name == "__pydantic_fields_set__":
                return set(self.__dict__)
            if name in ("__pydantic_extra__", "__pydantic_private__"):
                return None
            return super().__getattr__(name)


Structure = tuple[tuple[str, ...], ...]
"""An element that is more than one text: its repetitions, each the texts of its components."""


def structured(repetitions: Structure) -> str | Structure:
    """An element in its one form: without empty components and repetitions at the end, and a plain text where there is
    only one."""
    kept = [_without_end(components, "") for components in repetitions]
    kept = list(_without_end(kept, ()))
    if len(kept) > 1 or any(len(components) > 1 for components in kept):
        return tuple(components or ("",) for components in kept)
    return kept[0][0] if kept else ""


def _without_end(items: Sequence[T], blank: T) -> tuple[T, ...]:
    last = len(items)
    while last and items[last - 1] == blank:
        last -= 1
    return tuple(items[:last])


PLACE = "place"
"""What an extra is kept for whose elements are all in the document's fields."""


class Extra(Part):
    """A segment that the mapping doesn't use, or not wholly: kept, never dropped. One that is kept for its `place` says
    nothing that the document's fields don't say: its place doesn't follow from them. Where they have changed, it says
    nothing.

    `position` counts the segments of the transaction from 1 (its ST); `within` names the loop it stands in (`PO1[2]`,
    empty at the top); `elements` are those after the segment id, as they came. An element with components or
    repetitions is the list of its repetitions, each the list of its components (`[["A", "B"], ["C"]]`): what separated
    them in the interchange is no part of it. Binary data (BIN, BDS) is one text, a character for each byte (ISO
    8859-1).
    """

    segment: str
    elements: tuple[str | Structure, ...] = ()
    position: int = Field(default=0, ge=0)
    within: str = ""
    kept_for: str | None = Field(default=None, description="`place`: the document's fields hold all that it says")

    @field_validator("elements")
    @classmethod
    def _in_one_form(cls, elements: tuple[str | Structure, ...]) -> tuple[str | Structure, ...]:
        return tuple(each if isinstance(each, str) else structured(each) for each in elements)


class Document(Part):
    """A canonical business document: frozen, versioned. In JSON its first key is `document`: `"order@1"`.

    `kind` is the name that routes use (`order`), `version` grows when a change would break a reader.
    """

    kind: ClassVar[str] = ""
    version: ClassVar[int] = 1
    for_templates: ClassVar[frozenset[str]] = frozenset(("kind", "version"))

    document: str = ""
    number: str = Field(min_length=1, max_length=256, description="The number by which its issuer knows it")
    partner: str | None = Field(default=None, description="The trading partner it came from or goes to")
    currency: str | None = Field(default=None, description="ISO 4217 code")
    extras: tuple[Extra, ...] = Field(default=(), description="X12 segments that no field holds, in their order")

    @property
    def total(self) -> Decimal | None:
        """The amount of the whole document: the one it carries, else the one computed from its lines; None without
        either."""
        return self.carried_total

    @property
    def carried_total(self) -> Decimal | None:
        """The amount that the document itself states for the whole."""
        return None

    @property
    def total_computed(self) -> bool:
        """Whether `total` was computed from the lines."""
        return self.carried_total is None and self.total is not None

    def balance(self) -> Balance | None:
        """The totals of money that it states, and what its lines say; None where it states none, or where its lines
        needn't be all."""
        return None

    def unknown_amounts(self) -> Iterator[tuple[str, str]]:
        """The lines for which `total` can't be computed though they have a quantity and a price: their place, and
        why."""
        return iter(())

    @property
    def keys(self) -> tuple[tuple[str, str], ...]:
        """Business keys (kind, value) by which people look for it: order, shipment, invoice numbers."""
        return ()


P = TypeVar("P", bound=Part)


def unchecked(cls: type[P], values: dict[str, Any]) -> P:
    """A part made of values that are known to be right: every field present, each of its declared type. Only for code
    that has checked them against a stricter grammar already (the X12 reader); everybody else calls the class."""
    part = cls.__new__(cls)
    object.__setattr__(part, "__dict__", values)
    return part

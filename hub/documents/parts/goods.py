"""What is said of goods: descriptions, packaging, marks, carriage in pieces."""

from __future__ import annotations

from hub.documents.base import Number, Part


class Description(Part):
    """A description. `type` `F` is free text; else `code`, of `agency`, describes `characteristic`. X12: PID."""

    text: str | None = None
    type: str = "F"
    characteristic: str | None = None
    agency: str | None = None
    code: str | None = None
    position: str | None = None
    language: str | None = None


class Packaging(Part):
    """How the item is packed. X12: PO4."""

    pack: int | None = None
    size: Number | None = None
    unit: str | None = None
    code: str | None = None
    weight_qualifier: str | None = None
    weight: Number | None = None
    weight_unit: str | None = None
    volume: Number | None = None
    volume_unit: str | None = None
    length: Number | None = None
    width: Number | None = None
    height: Number | None = None
    dimension_unit: str | None = None
    inner_pack: int | None = None
    layer_position: str | None = None


class PackageText(Part):
    """Packaging said in words or codes. X12: PKG."""

    type: str | None = None
    characteristic: str | None = None
    agency: str | None = None
    code: str | None = None
    text: str | None = None
    unit_load: str | None = None


class Packing(Part):
    """Packages of a kind that travel: how many, their weight and volume. X12: TD1."""

    code: str | None = None
    count: int | None = None
    commodity_qualifier: str | None = None
    commodity: str | None = None
    text: str | None = None
    weight_qualifier: str | None = None
    weight: Number | None = None
    weight_unit: str | None = None
    volume: Number | None = None
    volume_unit: str | None = None


class Equipment(Part):
    """A trailer, container or the like. X12: TD3."""

    code: str | None = None
    initial: str | None = None
    number: str | None = None
    weight_qualifier: str | None = None
    weight: Number | None = None
    weight_unit: str | None = None
    ownership: str | None = None
    seal_status: str | None = None
    seal: str | None = None
    type: str | None = None


class Mark(Part):
    """A number on a package: `GM` is its SSCC-18. With `through` it is a range. X12: MAN."""

    qualifier: str
    id: str
    through: str | None = None


class Price(Part):
    """A price beside the one of the line: by class of trade, by quantity. X12: CTP."""

    trade_class: str | None = None
    code: str | None = None
    price: Number | None = None
    quantity: Number | None = None
    unit: str | None = None
    multiplier_qualifier: str | None = None
    multiplier: Number | None = None
    amount: Number | None = None
    basis: str | None = None

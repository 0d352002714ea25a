"""Carriage of goods from a warehouse: by whom, how, and who pays."""

from __future__ import annotations

from hub.documents.base import Number, Part


class Carriage(Part):
    """Who carries the goods, and on what terms. X12: W66 and G66 (as wanted), W27 (as done). `carrier` is a SCAC; codes
    are those of X12."""

    payment: str | None = None
    mode: str | None = None
    carrier: str | None = None
    routing: str | None = None
    pallet_exchange: str | None = None
    unit_load: str | None = None
    fob: str | None = None
    fob_point: str | None = None
    cash_method: str | None = None
    cash_amount: Number | None = None
    equipment: str | None = None
    equipment_initial: str | None = None
    equipment_number: str | None = None
    status: str | None = None
    handling: str | None = None
    change_reason: str | None = None


class Climate(Part):
    """The equipment that goods need, and the climate in it. X12: W09."""

    equipment: str | None = None
    temperature: Number | None = None
    unit: str | None = None
    temperature_to: Number | None = None
    unit_to: str | None = None
    text: str | None = None
    vent: str | None = None
    percent: int | None = None
    quantity: Number | None = None

"""Parts that every kind of document uses: parties, references, dates, notes, amounts.

Party roles, date purposes and ways to reach a contact are words (`ship_to`, `delivery_requested`, `phone`); a code that
has no word stays as it came. Qualifiers of references, ids, units and amounts are the codes of X12 (`BM`, `UP`, `EA`,
`TT`), which trading partners share whatever their format.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Literal

from pydantic import Field

from hub.documents.base import Number, Part
from hub.documents.parts.identifiers import NO_IDS, Identifiers


class Reference(Part):
    """A number that somebody gave it: bill of lading (`BM`), department (`DP`), customer's order (`CO`)."""

    qualifier: str
    value: str | None = None
    text: str | None = None


class Milestone(Part):
    """A date with its purpose: `delivery_requested`, `shipped`, `cancel_after`, or the code it came with; empty where
    the sender gives none (X12: a G62 with an hour only). `time` is as it came (HHMM, HHMMSS, with decimals); `zone` is
    its time code.

    With `until` it is a range: `date` is its first day, and what facts take; `until` is its last day. `format` is the
    code by which X12 wrote it in one text (`D8`, `DT`: element 1250); a range is `RD8` without saying so."""

    purpose: str = ""
    date: datetime.date | None = None
    time: str | None = None
    zone: str | None = None
    until: datetime.date | None = None
    format: str | None = None


class Note(Part):
    """Text for people. `kind` says what it is about, where that is known; `reference` what it belongs to."""

    text: str = ""
    kind: str | None = None
    reference: str | None = None


class MonetaryAmount(Part):
    """An amount by its qualifier code: `TT` total, `1` sum of the lines."""

    qualifier: str
    value: Number
    sign: Literal["credit", "debit"] | None = None


def stated_total(amounts: Iterable[MonetaryAmount]) -> Decimal | None:
    """The total of the transaction (X12: AMT with TT)."""
    return next((amount.value for amount in amounts if amount.qualifier == "TT"), None)


def stated_totals(amount: Decimal | None, amounts: Sequence[MonetaryAmount]) -> tuple[tuple[str, Decimal], ...]:
    """Every total that is stated, by its field: `amount` of the totals, and those among the amounts."""
    found = [("totals.amount", amount)] if amount is not None else []
    found += [(f"amounts[{number}]", one.value) for number, one in enumerate(amounts) if one.qualifier == "TT"]
    return tuple(found)


class Quantity(Part):
    """A quantity by its qualifier code: `39` shipped, `T5` total weight."""

    qualifier: str
    value: Number | None = None
    unit: str | None = None
    text: str | None = None


class Measurement(Part):
    """What was measured (`WT` `G`: gross weight), and its value."""

    reference: str | None = None
    qualifier: str | None = None
    value: Number | None = None
    unit: str | None = None


class Contact(Part):
    """A person or desk. `reach` maps `phone`, `email`, `fax` (or the code it came with) to the number or address."""

    role: str | None = None
    name: str | None = None
    reach: Identifiers = NO_IDS
    reference: str | None = None

    @property
    def phone(self) -> str | None:
        return self.reach.get("phone")

    @property
    def email(self) -> str | None:
        return self.reach.get("email")


class Address(Part):
    """A postal address. `location` is a code for the place, by `location_qualifier`."""

    lines: tuple[str, ...] = ()
    city: str | None = None
    state: str | None = None
    postal_code: str | None = None
    country: str | None = None
    location_qualifier: str | None = None
    location: str | None = None


class Party(Part):
    """Somebody with a role: `ship_to`, `bill_to`, `buyer`, `seller`, ... `ids` maps the code of who gave the id (`92`
    the buyer, `1` D-U-N-S, `UL` GLN) to the id."""

    role: str
    name: str | None = None
    ids: Identifiers = NO_IDS
    names: tuple[str, ...] = Field(default=(), description="Further names")
    address: Address | None = None
    contacts: tuple[Contact, ...] = ()
    references: tuple[Reference, ...] = ()

    @property
    def id(self) -> str | None:
        """The first of its ids."""
        return next(iter(self.ids.values()), None)


def find_party(parties: tuple[Party, ...], *roles: str) -> Party | None:
    """The first party with the first of the roles that anybody has."""
    for role in roles:
        for party in parties:
            if party.role == role:
                return party
    return None


def find_reference(references: tuple[Reference, ...], *qualifiers: str) -> str | None:
    """The value of the first reference with the first of the qualifiers that is there."""
    for qualifier in qualifiers:
        for reference in references:
            if reference.qualifier == qualifier and reference.value:
                return reference.value
    return None


def find_date(dates: tuple[Milestone, ...], purpose: str) -> datetime.date | None:
    """The first date that has the purpose; of a range, its first day."""
    return next((d.date for d in dates if d.purpose == purpose and d.date), None)

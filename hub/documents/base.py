"""What every canonical document has in common."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

from pydantic import BaseModel, ConfigDict


class Document(BaseModel):
    """A canonical business document: frozen, versioned. In JSON its first key is `document`: `"order@1"`.

    `kind` is the name that routes use (`order`), `version` grows when a change would break a reader.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: ClassVar[str] = ""
    version: ClassVar[int] = 1

    number: str
    partner: str | None = None
    currency: str | None = None

    @property
    def total(self) -> Decimal | None:
        """The amount of the whole document: the one it carries, else the one computed from its lines; None without
        either."""
        return None

    @property
    def total_computed(self) -> bool:
        """Whether `total` was computed from the lines."""
        return False

    @property
    def keys(self) -> tuple[tuple[str, str], ...]:
        """Business keys (kind, value) by which people look for it: order, shipment, invoice numbers."""
        return ()

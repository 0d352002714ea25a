"""Which functional identifier code (X12 data element 479: GS01, and AK101 of the answer) the group of a set has."""

from __future__ import annotations

from collections.abc import Mapping

FUNCTION_CODES: Mapping[str, str] = {
    **{"810": "IN", "820": "RA", "824": "AG", "832": "SC", "846": "IB", "850": "PO", "855": "PR", "856": "SH"},
    **{"860": "PC", "865": "CA", "940": "OW", "945": "SW", "997": "FA", "999": "FA", "214": "QM"},
}
"""By set. Of a set that isn't here, nothing is compared."""

"""How XML of others is parsed, said once: no document type is loaded, no entity resolved, nothing fetched, and
libxml2's own bounds hold.

The keyword arguments are those of lxml's parsers. Comments and processing instructions are left out by
`WITHOUT_REMARKS`.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

SAFE: MappingProxyType[str, Any] = MappingProxyType(
    {"resolve_entities": False, "no_network": True, "load_dtd": False, "dtd_validation": False, "huge_tree": False}
)
WITHOUT_REMARKS: MappingProxyType[str, Any] = MappingProxyType({"remove_comments": True, "remove_pis": True})

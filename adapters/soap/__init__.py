"""SOAP: calling servers of others by their contract, and being called by ours."""

from __future__ import annotations

from adapters.soap.inward import INWARD
from adapters.soap.outward import OUTWARD

PLUGINS = (*OUTWARD, *INWARD)

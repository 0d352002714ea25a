"""SOAP: calling servers of others by their contract."""

from __future__ import annotations

from adapters.soap.outward import OUTWARD

PLUGINS = (*OUTWARD,)

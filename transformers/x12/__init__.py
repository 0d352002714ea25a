"""X12: transaction sets are data files (`sets/`), compiled once, from which comes reading and validation."""

from transformers.x12.reader import PLUGIN, X12Reader

__all__ = ["PLUGIN", "X12Reader"]

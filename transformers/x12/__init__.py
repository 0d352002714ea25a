"""X12: transaction sets are data files (`sets/`), compiled once, from which comes reading, validation and writing."""

from transformers.x12.reader import PLUGIN as READER
from transformers.x12.reader import X12Reader
from transformers.x12.totals_step import PLUGIN as TOTALS
from transformers.x12.writer import PLUGIN as WRITER
from transformers.x12.writer import X12Writer

PLUGINS = (READER, WRITER, TOTALS)

__all__ = ["PLUGINS", "X12Reader", "X12Writer"]

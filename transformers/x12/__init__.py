"""X12: transaction sets are data files (`sets/`), compiled once, from which comes reading, validation and writing."""

from transformers.x12.reading.reader import PLUGIN as READER
from transformers.x12.reading.reader import X12Reader
from transformers.x12.validation.totals_step import PLUGIN as TOTALS
from transformers.x12.writing.writer import PLUGIN as WRITER
from transformers.x12.writing.writer import X12Writer

PLUGINS = (READER, WRITER, TOTALS)

__all__ = ["PLUGINS", "X12Reader", "X12Writer"]

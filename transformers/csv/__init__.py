"""CSV: the reader makes documents of rows, by their columns (`to`) or through a template, the writer rows of a
document.

The reader's template (*.json.j2) sees `rows`, the rows of one document, `body`, the first of them, `row`, its number,
and `name`, what the body was called. Values are by the name of their column: `{{ body.order_number }}`,
`{{ body["Order No"] }}`.
"""

from transformers.csv.reader import READER
from transformers.csv.writer import WRITER

PLUGINS = (READER, WRITER)

__all__ = ["PLUGINS"]

"""Fixed width: the reader makes documents of lines whose values stand at fixed places, the writer such lines of a
document.

The reader's template (*.json.j2) sees `rows`, the lines of one document, each with `record`, its type; `body`, the
first of them; `row`, its number; and `name`, what the body was called. Values are without the blanks around them.

The writer's template makes a JSON list of objects, a line each: `record` says which layout of `records` it has, the
other keys are its values. Characters are counted, not bytes. A value that is too long is never cut: the template can
(`cut(10)`).
"""

from transformers.fixed_width.reader import READER
from transformers.fixed_width.writer import WRITER

PLUGINS = (READER, WRITER)

__all__ = ["PLUGINS"]

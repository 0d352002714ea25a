"""What a body is packed in: gzip, zip, MIME. `unpack` of a source takes it off before the source's reader reads what is
inside.

No plug-in of its own: a wrapper around any reader.
"""

from transformers.unpack.unpacking import KINDS, Unpacking, unpacked_by

__all__ = ["KINDS", "Unpacking", "unpacked_by"]

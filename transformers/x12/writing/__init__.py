"""From a document to an interchange, read back and compared."""

"""From a body to documents: one Reading a transaction, and what is refused."""

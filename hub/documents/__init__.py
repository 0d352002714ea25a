"""Floor 0: the canonical documents. Pure."""

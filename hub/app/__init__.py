"""Floor 4: the composition root, the only place that names concrete classes."""

"""Floor 5: the HTTP face: health and metrics."""

"""Floor 0: between foreign shapes and canonical documents: templates, their filters, code tables, checked JSON, rows.
Pure."""

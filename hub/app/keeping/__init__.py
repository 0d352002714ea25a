"""Backups, what they take along, and the modes of the hub's own files."""

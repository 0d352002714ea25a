"""Keeping sources running."""

"""Copies that wait as rows, and those that should be under way."""

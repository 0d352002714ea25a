"""Shipments, load tenders, and what carriers say and charge."""

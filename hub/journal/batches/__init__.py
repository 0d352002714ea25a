"""Batches: which documents wait for one, who is in it, and what becomes of its members."""

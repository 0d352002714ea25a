"""Interchanges received and sent, their control numbers, and their acknowledgments."""

"""The database itself: its engines, its clock, its faults, and moving a journal from one database to another."""

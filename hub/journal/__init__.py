"""Floor 2: the journal: what happened to every message, its claims, effects, holds, dead letters and commands.

SQLAlchemy and Alembic appear in this package only. SQLite (WAL, synchronous=FULL) and PostgreSQL behave the same.
"""

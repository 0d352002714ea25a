"""Orders, their changes and acknowledgments; schedules, catalogs, returns."""

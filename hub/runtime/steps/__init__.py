"""The steps of sources and destinations."""

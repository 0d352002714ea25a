"""The steps of sources and destinations, and `enrich`, which asks another system."""

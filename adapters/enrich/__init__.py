"""The step `enrich`: it asks another system, or a table of the site, what it knows of a document."""

from adapters.enrich.enrichment import PLUGIN

__all__ = ["PLUGIN"]

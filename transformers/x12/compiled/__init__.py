"""A declaration as a function: generated Python that reads one transaction."""

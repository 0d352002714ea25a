"""The files of a site as they are written: YAML with places, models, secrets, findings."""

"""Floor 1: from YAML to a checked site, or to everything that is wrong with it."""

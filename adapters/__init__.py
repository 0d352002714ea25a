"""Floor 2: channel adapters. Each module wraps one outside thing and declares itself as a `PLUGIN`."""

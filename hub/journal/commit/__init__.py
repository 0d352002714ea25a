"""The group commit: what many tasks write becomes one transaction. Claims are the bodies of it."""

"""`hub demo` (to be written)."""


def demo() -> None:
    """Shows the hub at work."""

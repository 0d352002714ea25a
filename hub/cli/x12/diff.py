"""`hub x12 diff`."""


def diff() -> None:
    """Later."""

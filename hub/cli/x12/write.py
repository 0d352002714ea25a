"""`hub x12 write`."""


def write() -> None:
    """Later."""

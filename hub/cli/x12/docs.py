"""`hub x12 docs`."""


def docs() -> None:
    """Later."""

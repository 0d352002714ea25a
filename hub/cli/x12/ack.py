"""`hub x12 ack`."""


def ack() -> None:
    """Later."""

"""`hub demo`: the sample site at work, from dropped files to a summary of what became of each."""

from hub.demo.command import demo

__all__ = ["demo"]

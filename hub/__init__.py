"""The mediation hub: what arrives becomes canonical documents, and their content decides where each goes."""

__version__ = "0.3.0.dev0"

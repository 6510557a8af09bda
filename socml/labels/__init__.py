"""Verdicts of analysts → an append-only store that several people write at once; the current label is a view."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

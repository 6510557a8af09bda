"""Scores → reasons: how far each value pushed, what is usual, and words that an analyst trusts."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

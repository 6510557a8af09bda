"""Scores and labels → the review queue, which every verdict re-ranks at once."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

"""A model recipe and a feature table → a fitted model version; a version and a feature table → a score table."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

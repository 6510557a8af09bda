"""Events → feature tables: one SELECT a feature set; and a feature table → the matrix that a detector reads."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

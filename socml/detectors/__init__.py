"""A matrix → how normal each row is; one file a detector, batch, `online/` and `supervised/`."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

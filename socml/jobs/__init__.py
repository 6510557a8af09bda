"""An experiment or a dataset → the whole line, run by one call, on a schedule or by hand."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

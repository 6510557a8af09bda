"""Files and listeners → the event table, with ground truth and quarantine beside it; and back as DataFrames."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

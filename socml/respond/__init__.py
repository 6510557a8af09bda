"""Rows of the list → cases, and what leaves of them: reports, tickets, rules and blocks, each shown before it goes."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

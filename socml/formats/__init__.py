"""Blocks of a file → events, rejects and counted skips; one file a log format, in folders by kind of tool."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

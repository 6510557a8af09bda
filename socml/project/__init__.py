"""Recipes, tables, results and words on disk → what every other room stands on: contracts, places, checks and errors."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

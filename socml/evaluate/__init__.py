"""Scores and ground truth → how good they are: metrics with intervals, validation, sweeps, comparisons."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

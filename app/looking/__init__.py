"""A run's feature table → what is drawn of it: one feature at a time, the map of its rows, and groups of rows."""

from __future__ import annotations

from looking.clusters_view import clusters_view
from looking.features_view import features_view
from looking.map_view import map_view
from looking.rows import LookedAt, looked_at

__all__ = ["LookedAt", "clusters_view", "features_view", "looked_at", "map_view"]

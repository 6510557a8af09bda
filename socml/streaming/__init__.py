"""A feature table and an online model → the score table: each row scored by the rows before it, then learned."""

from socml.streaming.model import OnlineModel, load_online, make_online
from socml.streaming.run import score_online

__all__ = ["OnlineModel", "load_online", "make_online", "score_online"]

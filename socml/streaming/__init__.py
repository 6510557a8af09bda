"""A feature table and an online model → the score table: each row scored by the rows before it, then learned."""

from socml.streaming.explain import explain_online
from socml.streaming.model import OnlineModel, load_online, make_online
from socml.streaming.run import score_online

__all__ = ["OnlineModel", "explain_online", "load_online", "make_online", "score_online"]

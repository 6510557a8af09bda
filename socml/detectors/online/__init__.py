"""One file an online detector: rows in the order they come → how normal each is, given the rows before it.

The file is named after the detector and exports its one class. Every one of them follows the protocol of
`socml.detectors.online._detector`: `score_one`, `learn_one`, and `score_learn_many`, which gives the same scores.
"""

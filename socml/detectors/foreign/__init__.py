"""Estimators of other libraries, named by import path in a recipe → detectors in socml's direction; and ours for River."""

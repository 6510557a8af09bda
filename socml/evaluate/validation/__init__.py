"""Folds of rows that a model was not fitted on → how well it does there, with its errors."""

"""Isolation forests, compiled: scoring, leaves and exact Shapley values."""

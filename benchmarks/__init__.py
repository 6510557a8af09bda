"""Measurements, each a ratio to a named peer in the same run, or a result on named data. Never a test."""

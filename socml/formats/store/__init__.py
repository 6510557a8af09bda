"""Formats of kind store, one file each."""

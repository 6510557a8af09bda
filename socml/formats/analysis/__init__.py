"""Formats of kind analysis, one file each."""

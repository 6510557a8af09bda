"""Formats of kind alert, one file each."""
